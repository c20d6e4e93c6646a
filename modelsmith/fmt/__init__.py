"""One layout for Modelfiles and Go templates: what Ollama reads and renders stays the same, and that is checked each time."""
