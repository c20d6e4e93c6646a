"""Whether a blob holds what its name says. Small ones are hashed each time, large ones once for a state of their file."""

from __future__ import annotations

import os
from enum import Enum
from typing import TYPE_CHECKING

from modelsmith.errors import BlobNotFound, UnreadableFile
from modelsmith.files.stream import hash_segments
from modelsmith.progress import Progress, ProgressSink, silent
from modelsmith.store.layout import damaged_blob
from modelsmith.store.local.known import KnownDigests
from modelsmith.weights.blobs.blob import FileBlob

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.manifest import Digest
    from modelsmith.store.layout import Layout

SMALL = 4 << 20
"""Bytes that are hashed whenever they are read or reused: some milliseconds."""


class BlobState(Enum):
    """What is found where a blob should be; DAMAGED are bytes that are not those of its name, and what is no regular file."""

    WHOLE = "whole"
    MISSING = "missing"
    CUT = "of another size"
    DAMAGED = "damaged"


def known_digests(layout: Layout) -> KnownDigests:
    """Return what is remembered in a store's folder."""
    return KnownDigests(layout.private / "digests.json", follows=False)


class Blobs:
    """Looks at the blobs of a store's folder; ``known`` remembers what was hashed."""

    def __init__(self, layout: Layout, known: KnownDigests) -> None:
        self._layout = layout
        self._known = known

    def state(
        self, digest: Digest, size: int | None = None, progress: ProgressSink = silent, *, hashes: bool = True
    ) -> BlobState:
        """Say what is there. ``size`` is the one that is expected; without ``hashes`` large ones that are not known are trusted."""
        path = self._layout.blob_path(digest)
        if not os.path.lexists(path):
            return BlobState.MISSING
        try:
            blob = FileBlob(path)
            if size is not None and blob.size != size:
                return BlobState.CUT
            if blob.size <= SMALL:
                return _state(hash_segments(blob.segments) == digest)
            found = self._known.find(blob)
            if found is None and hashes:
                found = hash_segments(blob.segments, lambda step: progress(_verifying(step, digest)))
                self._known.add(blob, found, settled=True)
        except UnreadableFile:
            return BlobState.DAMAGED
        return _state(found in {None, digest})

    def written(self, digest: Digest) -> None:
        """Remember a blob that was hashed while it was written, or whose times we changed."""
        blob = FileBlob(self._layout.blob_path(digest))
        if blob.size > SMALL:
            self._known.add(blob, digest, settled=True)

    def path_to_read(self, digest: Digest, progress: ProgressSink = silent) -> Path:
        """Return where a large blob can be read; one that is a link is read only if it is what its name says.

        Raises BlobNotFound, StoreError.
        """
        path = self._layout.blob_path(digest)
        if path.is_symlink() and (state := self.state(digest, progress=progress)) is not BlobState.WHOLE:
            if state is BlobState.MISSING or not path.exists():
                raise BlobNotFound(f"{path} is a link to nothing", hint="pull or create the model again")
            raise damaged_blob(path)
        return path


def _state(same: bool) -> BlobState:
    return BlobState.WHOLE if same else BlobState.DAMAGED


def _verifying(step: Progress, digest: Digest) -> Progress:
    return Progress(f"verifying {digest.file_name[:19]}", "", step.completed, step.total)
