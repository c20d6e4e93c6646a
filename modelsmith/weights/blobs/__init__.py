"""Weights as bytes of known digest, read once."""
