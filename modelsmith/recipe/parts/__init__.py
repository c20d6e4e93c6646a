"""The pieces that the keys and steps of a recipe are declared with."""
