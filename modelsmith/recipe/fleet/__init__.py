"""One model on several hosts: the same everywhere, or as it was everywhere."""
