"""Jinja to Go, by observing what the template renders."""
