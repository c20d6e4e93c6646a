"""Recipes from elsewhere: repositories of git and artifacts of registries, pinned, kept, and confined to their own folder."""
