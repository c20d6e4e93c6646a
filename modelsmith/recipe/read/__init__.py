"""From YAML to a checked recipe, with positions for every complaint."""
