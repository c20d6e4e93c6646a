"""Give a Go template the tools of its family."""
