"""Commands about weights, beside those of ``gguf``."""
