"""What Jinja does to values: comparisons, filters, functions, members."""
