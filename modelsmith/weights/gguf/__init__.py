"""GGUF: headers, metadata edits and the canonical tensor order."""
