"""The folder for what can be made again."""

from __future__ import annotations

import os
from pathlib import Path

from modelsmith.errors import UnreadableFile

ANOTHER_FOLDER = "set XDG_CACHE_HOME to another folder"


def cache_folder() -> Path:
    """Return the user's cache folder for modelsmith (``$XDG_CACHE_HOME/modelsmith``)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "modelsmith"


def make_folder_of(path: Path) -> None:
    """Make the folder that a file of the cache shall stand in; raises UnreadableFile."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_make(path.parent, error) from error


def cannot_make(path: Path, error: OSError) -> UnreadableFile:
    """Return the error for what cannot be made in the cache."""
    return UnreadableFile(f"{path} cannot be made: {error.strerror or error}", hint=ANOTHER_FOLDER)
