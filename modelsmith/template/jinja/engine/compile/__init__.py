"""Tree to functions that run."""
