"""Loops: written out, or as ``range``."""
