"""Registries of models: OCI distribution and Ollama's dialect of it; pull, push and serve, resumable and verified."""
