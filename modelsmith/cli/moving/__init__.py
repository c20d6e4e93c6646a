"""Moving models between stores, registries, hubs and folders."""
