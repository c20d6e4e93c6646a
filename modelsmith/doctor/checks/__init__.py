"""What is judged, one subject a module: calls, requests, containers, settings, units, addresses, lines of text."""
