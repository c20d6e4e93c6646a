"""Recipes of a team, under a short name: where they come from, which state of them is taken, and whose signature they need."""
