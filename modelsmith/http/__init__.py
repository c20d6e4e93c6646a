"""The one HTTP client, and files that are read by ranges."""
