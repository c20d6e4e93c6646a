"""What a recipe's result depends on, pinned in a file: written, read, compared with the world, and planned from."""

NAME = "modelsmith.lock"
"""The name of a lock's file, where no other is said."""
