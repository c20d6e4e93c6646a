"""Mending what ``fsck`` found: blobs are fetched anew, what is in the way is removed, files are made readable.

Nothing that somebody may still want is removed: damaged blobs stay until a whole one takes their place, and unreadable manifests stay.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from modelsmith.errors import DigestMismatch, ModelsmithError
from modelsmith.progress import ProgressSink, silent
from modelsmith.store.care.faults import Fault, FaultKind
from modelsmith.store.care.places import folder_at
from modelsmith.store.folder import Folder
from modelsmith.store.local.write import Writer, writing
from modelsmith.weights.blobs.blob import FileBlob

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from modelsmith.manifest import Layer
    from modelsmith.name import ModelName
    from modelsmith.store.layout import Layout

_EVERYBODY = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
_BLOBS = {FaultKind.MISSING, FaultKind.TRUNCATED, FaultKind.WRONG_DIGEST}


class Fetch(Protocol):
    """Where whole blobs come from, such as a registry."""

    def __call__(self, name: ModelName, layer: Layer, folder: Folder, progress: ProgressSink) -> Path:
        """Return a file with the blob of a model, perhaps made in ``folder`` under the blob's name; raises ModelsmithError."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """A fault and what became of it: ``done`` says how it was mended, ``problem`` why it was not; one of them is ""."""

    fault: Fault
    done: str = ""
    problem: str = ""


def repair(
    layout: Layout, faults: Iterable[Fault], fetch: Fetch | None = None, progress: ProgressSink = silent
) -> tuple[Repaired, ...]:
    """Mend what can be mended, and say for each fault that is no info what became of it. Holds the store's lock only for moments."""
    return tuple(_mended(layout, fault, fetch, progress) for fault in faults if _is_to_mend(fault))


def _is_to_mend(fault: Fault) -> bool:
    return fault.kind in _BLOBS or fault.kind in {FaultKind.BAD_MANIFEST, FaultKind.UNREADABLE, FaultKind.PERMISSIONS}


def _mended(layout: Layout, fault: Fault, fetch: Fetch | None, progress: ProgressSink) -> Repaired:
    try:
        if fault.kind in _BLOBS and fault.models:
            return _fetched(layout, fault, fetch, progress)
        if fault.kind is FaultKind.WRONG_DIGEST:
            with writing(layout, progress), folder_at(layout, layout.blobs) as blobs:
                blobs.remove(fault.path.name)
            return Repaired(fault, "removed: no model needs it")
        if fault.kind is FaultKind.BAD_MANIFEST and fault.path.is_symlink() and not fault.path.exists():
            return _link_removed(layout, fault, progress)
        if fault.kind is FaultKind.PERMISSIONS and fault.path.stat().st_mode & _EVERYBODY != _EVERYBODY:
            _make_readable(layout, fault.path)
            return Repaired(fault, "made readable for everybody")
    except ModelsmithError as error:
        return Repaired(fault, problem=error.message)
    except OSError as error:
        return Repaired(fault, problem=error.strerror or str(error))
    return Repaired(fault, problem=f"not mended: {fault.hint}")


def _make_readable(layout: Layout, path: Path) -> None:
    with folder_at(layout, path.parent) as folder:
        descriptor = folder.open(path.name, os.O_RDONLY)
        try:
            os.fchmod(descriptor, stat.S_IMODE(os.fstat(descriptor).st_mode) | _EVERYBODY)
        finally:
            os.close(descriptor)


def _fetched(layout: Layout, fault: Fault, fetch: Fetch | None, progress: ProgressSink) -> Repaired:
    if fetch is None or fault.layer is None:
        return Repaired(fault, problem="nothing to fetch it from")
    problem = ""
    with (
        Folder.made(layout.folder) as root,
        root.child(layout.private.name, make=True) as private,
        private.child(layout.partial.name, make=True) as folder,
    ):
        for name in fault.models:
            try:
                file = fetch(name, fault.layer, folder, progress)
                with writing(layout, progress) as writer:
                    _put(writer, file, fault.layer, progress)
            except ModelsmithError as error:
                problem = error.message
                continue
            if file.parent == folder.path:
                for entry in folder.names():  # notes on the download are beside it
                    if entry.startswith(fault.layer.digest.file_name):
                        folder.remove(entry)
            return Repaired(fault, f"fetched as a part of {name.short}")
    return Repaired(fault, problem=problem)


def _put(writer: Writer, file: Path, layer: Layer, progress: ProgressSink) -> None:
    found = FileBlob(file).digest(progress)
    if found != layer.digest:
        raise DigestMismatch(f"{file} has the digest {found} instead of {layer.digest}", hint="get it again")
    writer.put_blob(FileBlob(file), progress, "copying")


def _link_removed(layout: Layout, fault: Fault, progress: ProgressSink) -> Repaired:
    target = fault.path.readlink()
    with writing(layout, progress), folder_at(layout, fault.path.parent) as folder:
        folder.remove(fault.path.name)
    return Repaired(fault, f"removed: a link to {target}, which is not there")
