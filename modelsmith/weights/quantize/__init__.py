"""Make a model smaller: llama.cpp's types and mixes."""
