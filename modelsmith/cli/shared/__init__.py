"""What several commands share: options, files, failures, the terminal."""
