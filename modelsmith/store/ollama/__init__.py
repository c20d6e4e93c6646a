"""The store behind a running Ollama, through its API."""
