"""Which template runs on which Ollama, and what the model can do."""
