"""The playground: what the page in the browser asks, answered by the package itself. Text in, JSON out; no disk, no network."""
