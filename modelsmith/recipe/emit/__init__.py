"""A recipe's result as the files that other tools read, one module a tool."""
