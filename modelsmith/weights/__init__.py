"""Model files: what their headers say, and how they are rewritten."""
