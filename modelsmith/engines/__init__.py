"""What runs a model: an Ollama, an OpenAI-compatible server, the embedded llama-server, or a recording, behind one protocol."""
