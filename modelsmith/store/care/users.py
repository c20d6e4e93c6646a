"""Who else uses a store's folder: processes that have its blobs open, and Ollama servers that serve it. Linux tells in ``/proc``."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.manifest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.store.layout import Layout

_BLOB = re.compile(r"sha256-([0-9a-f]{64})")
_MOST_MAPS = 8 << 20  # bytes of a process's list of mappings that are read


@dataclass(frozen=True, slots=True)
class Use:
    """A process: its number and name, the blobs that it has open, and whether it is an Ollama that serves this folder."""

    pid: int
    name: str
    blobs: frozenset[Digest]
    serves: bool = False


def users_of(layout: Layout, processes: Path = Path("/proc")) -> tuple[Use, ...]:
    """Return the processes that use a store, without this one; only what this user may see, nothing where ``/proc`` is not there."""
    folder = os.path.realpath(layout.folder)
    blobs = os.path.realpath(layout.blobs)
    found = []
    try:
        numbers = sorted(int(entry.name) for entry in processes.iterdir() if entry.name.isdigit())
    except OSError:
        return ()
    for number in numbers:
        if number == os.getpid():
            continue
        process = processes / str(number)
        opened = frozenset(_open_blobs(process, blobs))
        name = _text(process / "comm").strip()
        serves = name.startswith("ollama") and _models_of(process) == folder
        if opened or serves:
            found.append(Use(number, name, opened, serves))
    return tuple(found)


def _open_blobs(process: Path, blobs: str) -> Iterator[Digest]:
    """Yield the blobs that a process has open or mapped into its memory."""
    try:
        paths = [os.fspath(entry.readlink()) for entry in (process / "fd").iterdir()]
    except OSError:
        paths = []
    paths += (line.partition("/")[2] for line in _text(process / "maps").splitlines() if blobs in line)
    for path in paths:
        folder, _, name = path.removesuffix(" (deleted)").rpartition("/")
        if f"/{folder.removeprefix('/')}" == blobs and (match := _BLOB.fullmatch(name)):
            yield Digest(match[1])


def _models_of(process: Path) -> str:
    """Return the folder that an Ollama serves, by its environment; "" where that cannot be seen."""
    variables = dict(entry.partition("=")[::2] for entry in _text(process / "environ").split("\0"))
    folder = variables.get("OLLAMA_MODELS", "").strip().strip("\"'")
    if not folder and variables.get("HOME"):
        folder = f"{variables['HOME']}/.ollama/models"
    return os.path.realpath(folder) if folder else ""


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_MAPS).decode("utf-8", "replace")
    except OSError:
        return ""
