"""Proven edits of templates."""
