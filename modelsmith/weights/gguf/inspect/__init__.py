"""What a GGUF is: its summary, its hashes, how two differ."""
