"""Commands that run a model: ask it, and check what it answers."""
