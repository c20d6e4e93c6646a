"""Modelfiles: text to nodes with spans, and the edits of that text."""
