"""What is known of Jinja values before a template runs."""
