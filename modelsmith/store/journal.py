"""The blobs that would belong to nobody if this process ended now: written down before, so that the next run can clean up.

A blob gets its name before the manifest that refers to it, and a manifest goes before its blobs do. In between they are in
``.modelsmith/unsettled``, a digest a line. It is a list of candidates: whoever cleans up looks into all manifests first.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from modelsmith.errors import InvalidDigest
from modelsmith.files.stream import write_all
from modelsmith.manifest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelsmith.store.folder import Folder

JOURNAL = "unsettled"
"""The file's name in our own folder."""
_NEXT = "unsettled.new"
_MAX_BYTES = 1 << 20


class Journal:
    """The file in our own folder of a store; used while the store's lock is held."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def add(self, digests: Iterable[Digest]) -> None:
        """Note digests; they outlive the process, if not a power cut. Raises OSError, StoreError."""
        text = "".join(f"{digest}\n" for digest in digests)
        if not text:
            return
        is_new = not self._folder.exists(JOURNAL)
        if not is_new and self._folder.status(JOURNAL).st_nlink > 1:  # another file's name too, such as a backup's
            text = "".join(f"{digest}\n" for digest in self.read()) + text
        descriptor = self._folder.own(JOURNAL, os.O_WRONLY | os.O_APPEND)
        try:
            write_all(descriptor, text.encode())
        finally:
            os.close(descriptor)
        if is_new:
            self._folder.adopt(JOURNAL)

    def read(self) -> set[Digest]:
        """Return what is noted; lines that are no digest are passed over. Raises OSError, StoreError."""
        if not self._folder.exists(JOURNAL):
            return set()
        with os.fdopen(self._folder.open(JOURNAL, os.O_RDONLY), "rb") as file:
            lines = file.read(_MAX_BYTES).decode("ascii", "replace").splitlines()
        found = set()
        for line in lines:
            try:
                found.add(Digest.parse(line))
            except InvalidDigest:
                continue  # cut off by the end of a process
        return found

    def keep(self, digests: Iterable[Digest]) -> None:
        """Forget everything but these. Raises OSError."""
        kept = "".join(f"{digest}\n" for digest in digests)
        if not kept:
            self._folder.remove(JOURNAL)
            return
        with os.fdopen(self._folder.new(_NEXT), "wb") as file:
            file.write(kept.encode())
        self._folder.adopt(_NEXT)
        self._folder.rename(_NEXT, self._folder, JOURNAL)
