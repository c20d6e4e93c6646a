"""Edits of Go templates."""
