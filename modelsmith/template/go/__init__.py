"""Go templates as Ollama runs them."""
