"""Translate a Jinja template into Go node by node."""
