"""Compile and run a template's tree as Go's text/template does."""
