"""Digests that were computed before, so that an unchanged file is not read again to find out what it would become.

A hint, never a proof: what is in here only ever leads to a blob that is there already. Keyed by path, size, time of
change and inode of the files, and by what is made of them.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from modelsmith.errors import StoreError
from modelsmith.manifest import Digest
from modelsmith.patterns import regex
from modelsmith.store.folder import Folder

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.weights.blobs.blob import SegmentBlob

_LIMIT = 4096
_HEX = regex(r"[0-9a-f]{64}")
_MAX_BYTES = 4 << 20
# A file changed this recently could change again within the same tick of the file system's clock, unnoticed.
_SETTLED_NS = 100_000_000


class KnownDigests:
    """The file ``.modelsmith/digests.json`` of a store; one that cannot be read counts as empty."""

    def __init__(self, path: Path, *, follows: bool = True) -> None:
        """``follows`` says whether the file's folder may be a link; the file itself never is."""
        self._path = path
        self._follows = follows

    def find(self, blob: SegmentBlob) -> Digest | None:
        """Return the digest of the blob's bytes if it is known."""
        known = blob.known_digest()
        if known is None and (found := self._load().get(blob.fingerprint)) is not None:
            known = Digest(found)
            blob.remember(known)
        return known

    def add(self, blob: SegmentBlob, digest: Digest, *, settled: bool = False) -> None:
        """Note a digest, on the disk if that is possible; ``settled`` says that nobody changes the files any more."""
        blob.remember(digest)
        now = time.time_ns()
        if not settled and any(now - stamp.modified < _SETTLED_NS for stamp in blob.stamps):
            return
        entries = self._load()
        if entries.get(blob.fingerprint) == digest.hex:
            return
        entries.pop(blob.fingerprint, None)
        entries[blob.fingerprint] = digest.hex
        newest = dict(list(entries.items())[-_LIMIT:])
        unfinished = self._path.with_suffix(".new").name
        if self._follows:  # the user's own cache, which may not be there yet
            with suppress(OSError):
                self._path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(OSError, StoreError), self._folder() as folder:
            try:
                with os.fdopen(folder.new(unfinished), "w") as file:
                    file.write(json.dumps(newest))
                folder.rename(unfinished, folder, self._path.name)
            except OSError:
                folder.remove(unfinished)

    def _folder(self) -> Folder:
        parent = self._path.parent
        if self._follows:
            return Folder(parent)
        with Folder(parent.parent) as outer:
            return outer.child(parent.name)

    def _load(self) -> dict[str, str]:
        try:
            with self._folder() as folder, os.fdopen(folder.open(self._path.name, os.O_RDONLY), "rb") as file:
                text = file.read(_MAX_BYTES + 1)
            data = json.loads(text) if len(text) <= _MAX_BYTES else {}
        except (OSError, StoreError, ValueError, RecursionError):
            return {}
        if not isinstance(data, dict):
            return {}
        return {key: value for key, value in data.items() if isinstance(value, str) and _HEX.fullmatch(value)}
