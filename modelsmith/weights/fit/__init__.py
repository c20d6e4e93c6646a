"""How much memory a model needs, and where it fits."""
