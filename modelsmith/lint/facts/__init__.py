"""What the rules of lint know about Modelfiles, parameters and models."""
