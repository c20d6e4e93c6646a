"""Jinja chat templates as llama-server runs them."""
