"""The embedded store: a folder in Ollama's layout."""
