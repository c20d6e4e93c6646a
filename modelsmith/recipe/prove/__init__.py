"""What a recipe promises, and the proof by rendering."""
