"""The functions of Go templates and of Ollama, printf included."""
