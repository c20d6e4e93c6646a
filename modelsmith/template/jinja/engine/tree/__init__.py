"""Text to tree, as llama.cpp reads a chat template."""
