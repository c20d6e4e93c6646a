"""Lay out a GGUF anew: split, merge, canonical order."""
