"""Declarative recipes: read, planned, applied."""
