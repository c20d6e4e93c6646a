"""Models in one file: an OCI image layout in a tar, which travels where no registry is."""
