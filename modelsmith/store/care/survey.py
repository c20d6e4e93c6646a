"""Everything that lies in a store's folder, looked at once. Reads only."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.errors import StoreError
from modelsmith.manifest import Digest
from modelsmith.store.layout import NEWER
from modelsmith.store.references import References, references

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from modelsmith.store.layout import Layout

_BLOB = re.compile(r"sha256-([0-9a-f]{64})")
_PARTIAL = re.compile(r"sha256-[0-9a-f]{64}[-.].+|modelsmith-\d+|.+\.tmp")


@dataclass(frozen=True, slots=True)
class Item:
    """Something in the store that is no blob of a model: its place, and its state (of a link itself)."""

    path: Path
    status: os.stat_result


@dataclass(frozen=True, slots=True)
class Survey:
    """What is in a store's folder.

    ``blobs`` by their names, ``partials`` that a download or a killed run left, ``foreign`` things that are neither, and ``newer``
    folders that a newer Ollama made.
    """

    references: References
    blobs: Mapping[Digest, Item]
    partials: tuple[Item, ...]
    foreign: tuple[Item, ...]
    newer: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Bytes of all blobs and partial files."""
        return sum(item.status.st_size for item in (*self.blobs.values(), *self.partials))


def survey(layout: Layout) -> Survey:
    """Look at everything; raises StoreError for a folder that is not there or cannot be read."""
    if not layout.folder.is_dir():
        raise StoreError(f"there is no folder {layout.folder}", hint="name the store's folder with --store")
    blobs: dict[Digest, Item] = {}
    partials, foreign = [], []
    for item in _items(layout.blobs):
        if found := _BLOB.fullmatch(item.path.name):
            blobs[Digest(found[1])] = item
        elif _PARTIAL.fullmatch(item.path.name) and stat.S_ISREG(item.status.st_mode):
            partials.append(item)
        else:
            foreign.append(item)
    partials += [
        item
        for folder in (layout.temporaries, layout.partial)
        for item in _items(folder)
        if stat.S_ISREG(item.status.st_mode)
    ]
    newer = tuple(layout.folder / name for name in (*NEWER, "metadata", "backups") if (layout.folder / name).is_dir())
    return Survey(references(layout), blobs, tuple(partials), tuple(foreign), newer)


def _items(folder: Path) -> Iterator[Item]:
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise StoreError(
            f"{folder} cannot be read: {error.strerror or error}", hint="run as the user that owns the store"
        ) from error
    for entry in found:
        try:
            yield Item(folder / entry.name, entry.stat(follow_symlinks=False))
        except FileNotFoundError:
            continue  # gone since the folder was listed
