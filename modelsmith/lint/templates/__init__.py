"""What the rules of lint know about a template: its tree, its fields, its prompts."""
