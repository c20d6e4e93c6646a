"""Many models at once: by processes of this machine, or by workers on others that exchange blobs through a registry."""
