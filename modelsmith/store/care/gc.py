"""Removing what no model of a store needs.

Source of the hour: Ollama ``server/images.go`` (PruneLayers): a blob that nobody refers to may still wait for its manifest.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.errors import StoreError
from modelsmith.progress import ProgressSink, silent
from modelsmith.store.care.fsck import GRACE_SECONDS
from modelsmith.store.care.places import folder_at
from modelsmith.store.care.survey import Item, survey
from modelsmith.store.local.write import writing

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from modelsmith.manifest import Digest
    from modelsmith.store.folder import Folder
    from modelsmith.store.layout import Layout

BESIDE_A_SERVER = 24 * 3600
"""The grace in seconds where a server uses the folder: somebody may send it a large model over a slow line."""


@dataclass(frozen=True, slots=True)
class Garbage:
    """What can go (``items``), and what stays although no model needs it: it is too ``young``, or ``open`` in a process."""

    items: tuple[Item, ...]
    young: tuple[Item, ...] = ()
    open: tuple[Item, ...] = ()

    @property
    def size(self) -> int:
        """Bytes that go."""
        return sum(item.status.st_size for item in self.items if item.status.st_nlink == 1)


def find_garbage(
    layout: Layout,
    *,
    grace: float = GRACE_SECONDS,
    partials: bool = False,
    in_use: Collection[Digest] = (),
    now: float | None = None,
) -> Garbage:
    """Say what no model needs and is older than ``grace`` seconds; reads only.

    ``partials`` takes unfinished downloads too, which a pull could go on with. ``in_use`` are blobs that processes have open.
    Raises StoreError where a manifest cannot be read: then nobody can know what is needed.
    """
    now = time.time() if now is None else now
    seen = survey(layout)
    if problems := seen.references.problems:
        raise StoreError(
            f"nothing is removed, because nobody can know what is needed: {problems[0]}"
            + (f", and {len(problems) - 1} more" if len(problems) > 1 else ""),
            hint="`modelsmith store fsck` lists all; mend or remove them first",
        )
    unused = seen.references.unused(seen.blobs)
    candidates = [item for digest, item in seen.blobs.items() if digest in unused and digest not in in_use]
    kept_open = [item for digest, item in seen.blobs.items() if digest in unused and digest in in_use]
    if partials:
        candidates += seen.partials
    old = [item for item in candidates if now - item.status.st_mtime >= grace]
    young = [item for item in candidates if now - item.status.st_mtime < grace]
    return Garbage(tuple(old), tuple(young), tuple(kept_open))


def collect(
    layout: Layout,
    *,
    grace: float = GRACE_SECONDS,
    partials: bool = False,
    in_use: Collection[Digest] = (),
    progress: ProgressSink = silent,
) -> Garbage:
    """Remove it; returns what is gone and what stayed. Holds the store's lock, and looks again at each file before it goes."""
    with writing(layout, progress):
        found = find_garbage(layout, grace=grace, partials=partials, in_use=in_use)
        gone = []
        folders: dict[Path, Folder] = {}
        try:
            for item in found.items:
                if item.path.parent not in folders:
                    folders[item.path.parent] = folder_at(layout, item.path.parent)
                if _removed(folders[item.path.parent], item):
                    gone.append(item)
        finally:
            for folder in folders.values():
                folder.close()
    return Garbage(tuple(gone), found.young, found.open)


def _removed(folder: Folder, item: Item) -> bool:
    """Remove a file unless somebody has touched it since it was looked at."""
    with suppress(FileNotFoundError):
        now = folder.status(item.path.name)
        if os.path.samestat(now, item.status) and now.st_mtime_ns == item.status.st_mtime_ns:
            folder.remove(item.path.name)
            return True
    return False
