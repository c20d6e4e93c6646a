"""Go templates: text to a tree with spans."""
