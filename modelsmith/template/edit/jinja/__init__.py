"""Edits of Jinja chat templates."""
