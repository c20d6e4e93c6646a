"""The machine that Ollama runs on: its server, store, graphics cards and network, and what is wrong with them. Reads only."""
