"""The Go code that a translation makes, and what follows of its conditions."""
