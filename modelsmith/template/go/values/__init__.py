"""The values a Go template sees."""
