"""What Ollama stores for a create request: layers, config, manifest."""
