"""Checkpoints of Safetensors: read with care, and turned into GGUF."""
