"""The vocabulary of a GGUF: special tokens, and text to tokens."""
