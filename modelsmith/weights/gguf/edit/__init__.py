"""Edit the metadata of a GGUF, in place or in a copy, and take edits back."""
