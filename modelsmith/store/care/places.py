"""Opening a folder of a store for changes: the store's folder, ``blobs`` and ``manifests`` may be links, nothing below them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.store.folder import Folder

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.store.layout import Layout


def folder_at(layout: Layout, path: Path) -> Folder:
    """Open the folder at ``path`` in a store, step by step; raises StoreError where a step is a link, OSError."""
    for start in (layout.blobs, layout.manifests, layout.folder):
        if path.is_relative_to(start):
            break
    folder = Folder(start)
    for part in path.relative_to(start).parts:
        with folder:
            folder = folder.child(part)
    return folder
