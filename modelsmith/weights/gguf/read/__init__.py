"""Read the header of a GGUF, wherever it is, bounded and without its tensors."""
