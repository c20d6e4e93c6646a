"""One module for each kind of step a recipe can take."""
