"""The kinds of places that models come from, one module a kind."""
