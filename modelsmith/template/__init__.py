"""What templates mean: rendering, capabilities, which template runs, and proven edits."""
