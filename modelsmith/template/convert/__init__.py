"""Chat templates from Jinja to Go and from Go to Jinja, proven equal."""
