"""Go to Jinja, node by node."""
