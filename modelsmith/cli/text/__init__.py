"""Commands about texts: Modelfiles and templates."""
