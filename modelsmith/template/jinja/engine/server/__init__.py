"""What llama-server does around a template."""
