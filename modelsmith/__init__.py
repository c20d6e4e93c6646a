"""Read, edit, build and ship Ollama models."""

__version__ = "0.1.0"
