"""Finding what is wrong with a store's folder. Reads only.

Small blobs are hashed always, large ones when they are asked for (``deep``): then every byte is read, whatever is remembered of it.
"""

from __future__ import annotations

import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from modelsmith.errors import UnreadableFile
from modelsmith.files.stream import hash_segments
from modelsmith.manifest import Digest, Layer
from modelsmith.progress import Progress, ProgressSink, silent
from modelsmith.store.blobs import SMALL, Blobs, BlobState, known_digests
from modelsmith.store.care.faults import Fault, FaultKind, Report
from modelsmith.store.care.survey import Item, Survey, survey
from modelsmith.weights.blobs.blob import FileBlob

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from modelsmith.name import ModelName
    from modelsmith.store.layout import Layout

GRACE_SECONDS = 3600
"""So long nobody can know whether a blob without a model is only waiting for its manifest; Ollama itself waits an hour."""
_EVERYBODY = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH


def fsck(
    layout: Layout,
    *,
    deep: bool = False,
    jobs: int | None = None,
    now: float | None = None,
    progress: ProgressSink = silent,
) -> Report:
    """Look for everything that is wrong; ``now`` is the time in seconds since 1970 (default: the present).

    ``deep`` hashes every blob, ``jobs`` (default: one a core) at a time. Raises StoreError for a folder that cannot be read.
    """
    seen = survey(layout)
    checker = _Checker(layout, seen, time.time() if now is None else now)
    digests = checker.hash_all(jobs or os.cpu_count() or 1, progress) if deep else {}
    faults = [*checker.manifests(), *checker.blobs(digests), *checker.rest()]
    models = {file.name for file in seen.references.files if file.name is not None and file.manifests}
    return Report(tuple(faults), len(models), len(seen.blobs), seen.size, checker.hashed)


@dataclass(slots=True)
class _Checker:
    layout: Layout
    seen: Survey
    now: float
    hashed: int = 0

    def manifests(self) -> Iterator[Fault]:
        """Yield what is wrong with the manifests."""
        for file in self.seen.references.files:
            models = (file.name,) if file.name is not None else ()
            if file.problem:
                yield Fault(FaultKind.BAD_MANIFEST, file.path, file.problem, _way_out(models, file.path), models)
            elif not _readable_by_all(file.path):
                yield self._permissions(file.path, models)

    def blobs(self, digests: dict[Digest, Digest | None]) -> Iterator[Fault]:
        """Yield what is wrong with the blobs that models need; ``digests`` are those that were found by hashing."""
        needed: dict[Digest, Layer] = {}
        for file in self.seen.references.files:
            for layer in file.blobs:
                if layer.digest not in needed or needed[layer.digest].size < 0:
                    needed[layer.digest] = layer
        builds = {layer.digest for file in self.seen.references.files for layer in file.blobs if layer.size < 0}
        for digest, layer in needed.items():
            if digest in builds and digest not in self.seen.blobs:
                continue  # a build for another runner, which nobody has fetched
            yield from self._needed(layer, digests)
        for digest, item in self.seen.blobs.items():
            if digest not in needed:
                yield self._unneeded(digest, item, digests)

    def rest(self) -> Iterator[Fault]:
        """Yield what else takes room, and what a newer Ollama made."""
        for item in self.seen.partials:
            yield Fault(
                FaultKind.PARTIAL,
                item.path,
                f"an unfinished download or upload, last written {_ago(self.now - item.status.st_mtime)}",
                "pulling the model again goes on with it; `modelsmith store gc --partials` removes old ones",
                size=item.status.st_size,
            )
        for item in self.seen.foreign:
            yield Fault(
                FaultKind.FOREIGN,
                item.path,
                "no blob, and nothing that Ollama or modelsmith wrote",
                "Ollama removes such files when it starts: keep them elsewhere",
                size=item.status.st_size,
            )
        for path in self.seen.newer:
            yield Fault(FaultKind.NEWER, path, "made by a newer Ollama; its models are read and left as they are", "")

    def hash_all(self, jobs: int, progress: ProgressSink) -> dict[Digest, Digest | None]:
        """Hash every blob, several at once; None for one that cannot be read."""
        whole = {
            digest: item
            for digest, item in self.seen.blobs.items()
            if stat.S_ISREG(item.status.st_mode) or item.path.is_file()
        }
        total = sum(item.path.stat().st_size for item in whole.values())
        adder = _Adder(total, progress)
        known = known_digests(self.layout)

        def hashed(item: Item) -> tuple[FileBlob, Digest] | None:
            try:
                blob = FileBlob(item.path)
                return blob, hash_segments(blob.segments, adder.sink())
            except UnreadableFile:
                return None

        found: dict[Digest, Digest | None] = {}
        # the largest first, so that no thread is left with one at the end
        order = sorted(whole, key=lambda digest: -whole[digest].status.st_size)
        with ThreadPoolExecutor(jobs, "modelsmith-fsck") as pool:
            for digest, result in zip(order, pool.map(hashed, (whole[digest] for digest in order)), strict=True):
                found[digest] = result[1] if result else None
                if result and result[0].size > SMALL:
                    known.add(*result)
        self.hashed = total
        return found

    def _needed(self, layer: Layer, digests: dict[Digest, Digest | None]) -> Iterator[Fault]:
        path = self.layout.blob_path(layer.digest)
        models = self.seen.references.users.get(layer.digest, ())
        way_out = _way_out(models, path)
        item = self.seen.blobs.get(layer.digest)
        size = max(layer.size, 0)
        if item is None or (item.path.is_symlink() and not item.path.exists()):
            what = "is not there" if item is None else "is a link to nothing"
            yield Fault(FaultKind.MISSING, path, what, way_out, models, size, layer)
            return
        if not os.access(path, os.R_OK):
            hint = "run as the user that owns the store"
            yield Fault(FaultKind.UNREADABLE, path, "may not be read by this user", hint, models, size, layer)
            return
        state = self._state(layer, digests)
        if state is BlobState.CUT:
            found = path.stat().st_size
            what = f"has {found:,} bytes instead of {layer.size:,}"
            yield Fault(FaultKind.TRUNCATED, path, what, way_out, models, size, layer)
        elif state is BlobState.DAMAGED:
            what = "its bytes are not those that its name promises" if path.is_file() else "is not a regular file"
            yield Fault(FaultKind.WRONG_DIGEST, path, what, way_out, models, size, layer)
        elif not item.path.is_symlink() and (wrong := self._wrong_owner(item)):
            hint = f"as root: chown --reference={self.layout.folder} {path}"
            yield Fault(FaultKind.PERMISSIONS, path, wrong, hint, models, 0, layer)
        elif not _readable_by_all(path):
            yield self._permissions(path, models, layer)

    def _state(self, layer: Layer, digests: dict[Digest, Digest | None]) -> BlobState:
        size = layer.size if layer.size >= 0 else None
        if layer.digest in digests:
            path = self.layout.blob_path(layer.digest)
            if size is not None and path.stat().st_size != size:
                return BlobState.CUT
            return BlobState.WHOLE if digests[layer.digest] == layer.digest else BlobState.DAMAGED
        return Blobs(self.layout, known_digests(self.layout)).state(layer.digest, size, hashes=False)

    def _unneeded(self, digest: Digest, item: Item, digests: dict[Digest, Digest | None]) -> Fault:
        age = self.now - item.status.st_mtime
        size = item.status.st_size
        if digest in digests and digests[digest] != digest:
            return Fault(
                FaultKind.WRONG_DIGEST,
                item.path,
                "no model needs it, and its bytes are not those that its name promises",
                "`modelsmith store fsck --repair` removes it",
                size=size,
                layer=Layer("", digest, size),
            )
        if digest in self.seen.references.elsewhere:
            return Fault(
                FaultKind.UNREFERENCED, item.path, "only files that this version does not know name it", "", size=size
            )
        if age < GRACE_SECONDS:
            what = f"no model needs it yet: it was written {_ago(age)}, and may wait for its manifest"
            return Fault(FaultKind.UNREFERENCED, item.path, what, "", size=size)
        what = f"no model needs it; it was written {_ago(age)}"
        return Fault(FaultKind.ORPHAN, item.path, what, "`modelsmith store gc` removes it", size=size)

    def _wrong_owner(self, item: Item) -> str:
        owner = self.layout.blobs.stat().st_uid
        if item.status.st_uid == owner:
            return ""
        return f"belongs to user {item.status.st_uid}, the folder to {owner}: an Ollama of that user can read it and not reuse it"

    def _permissions(self, path: Path, models: tuple[ModelName, ...], layer: Layer | None = None) -> Fault:
        return Fault(
            FaultKind.PERMISSIONS,
            path,
            "not everybody may read it: an Ollama of another user cannot",
            f"chmod a+r {path}",
            models,
            0,
            layer,
        )


class _Adder:
    """Adds up what several threads have hashed."""

    def __init__(self, total: int, progress: ProgressSink) -> None:
        self._total, self._progress, self._lock, self._done = total, progress, Lock(), 0

    def sink(self) -> ProgressSink:
        """Return a sink for one file."""
        before = 0

        def told(step: Progress) -> None:
            nonlocal before
            with self._lock:
                self._done += step.completed - before
                before = step.completed
                self._progress(Progress("hashing", "", self._done, self._total))

        return told


def _readable_by_all(path: Path) -> bool:
    try:
        return path.stat().st_mode & _EVERYBODY == _EVERYBODY
    except OSError:
        return True  # told as something else


def _way_out(models: tuple[ModelName, ...], path: Path) -> str:
    if not models:
        return f"remove it, or move it out of the store: {path}"
    names = " and ".join(name.short for name in models[:3])
    fetched = f"`modelsmith store fsck --repair` or `ollama pull` fetches it where a registry has {names}"
    # a server that creates a model takes the file that it has under this name, whatever is in it
    return f"{fetched}; else remove this file and create the model again"


def _ago(seconds: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit} ago"
    return "just now"
