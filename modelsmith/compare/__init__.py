"""What differs between two models, templates or Modelfiles."""
