"""What an edit of a GGUF file will write: in place where the new header fits into the old one's room, else a larger one."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import InvalidGGUF, Unsupported, UsageError, system_errors
from modelsmith.files.copying import BLOCK
from modelsmith.files.segments import FileSlice
from modelsmith.weights.gguf.edit.padding import PADDING, ROOM, filling
from modelsmith.weights.gguf.edit.undo import ByteRange, interrupted, is_interrupted
from modelsmith.weights.gguf.file import GGUFFile
from modelsmith.weights.gguf.layout import header

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.weights.gguf.metadata import Entry, Metadata

_LARGEST_HEADER = 256 << 20
_BLOB = re.compile(r"sha256-[0-9a-f]{64}")
_CACHED = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_PIECE = 1 << 12
_LOOK = 1 << 18
_MOST_PIECES = 64
_FIXED_START = 24  # magic, version and two counts


@dataclass(frozen=True, slots=True)
class EditPlan:
    """An edit that is about to be made.

    ``head`` is the new header; where it takes the room of the old one, ``pieces`` (start and length) are where they differ.
    ``links`` is how many names the file has.
    """

    gguf: GGUFFile
    after: Metadata
    path: Path
    old: bytes
    head: bytes
    pieces: tuple[ByteRange, ...]
    links: int

    @property
    def changes(self) -> bool:
        """Whether there is anything to write."""
        return self.old != self.head

    @property
    def in_place(self) -> bool:
        """Whether the new header takes exactly the room of the old one."""
        return len(self.old) == len(self.head)

    @property
    def bytes_to_write(self) -> int:
        """How many bytes of the header are written."""
        return sum(length for _, length in self.pieces)

    @property
    def size(self) -> int:
        """The file's size afterwards."""
        return self.gguf.size - len(self.old) + len(self.head)


def open_to_edit(path: str | os.PathLike[str]) -> GGUFFile:
    """Open a GGUF; one in the middle of an interrupted edit is refused with the way to repair it. Raises as ``open`` does."""
    try:
        return GGUFFile.open(path)
    except InvalidGGUF as error:
        if is_interrupted(Path(path).resolve()):
            raise interrupted(Path(path)) from error
        raise


@system_errors()
def plan_edit(gguf: GGUFFile, metadata: Metadata, *, padding: bool = True) -> EditPlan:
    """Work out how a file gets other metadata. Reads only.

    A header that must grow gets room for later edits, unless ``padding`` is False, which removes such room, too.
    """
    if gguf.data_offset > _LARGEST_HEADER:
        raise Unsupported(f"{gguf.path}: a header of {gguf.data_offset:,} bytes is too large to edit")
    path = gguf.path.resolve()
    old = FileSlice(gguf.stamp, 0, min(gguf.data_offset, gguf.size)).read()
    entries = metadata.without(PADDING).entries
    infos = [tensor.info(tensor.offset) for tensor in gguf.tensors]

    def taken(file_slice: FileSlice) -> bytes | memoryview:
        """Return a value that is not small: those of the old header are at hand."""
        return (
            view[file_slice.start : file_slice.start + file_slice.length]
            if file_slice.file == gguf.stamp
            else file_slice.read()
        )

    view = memoryview(old)

    def laid_out(*room: Entry) -> bytes:
        found = header((*entries, *room), infos, gguf.alignment, gguf.version)
        return b"".join(part if isinstance(part, bytes) else taken(part) for part in found)

    if not padding:
        head = laid_out()
    elif metadata.entries == gguf.metadata.entries:
        head = old
    else:
        bare = sum(len(entry.head()) + len(entry.value) for entry in entries) + sum(map(len, infos)) + _FIXED_START
        filled = filling(len(old) - bare, gguf.alignment) if len(old) % gguf.alignment == 0 else None
        if filled is None:
            # as far into a block as before, so that file systems can share the blocks behind it
            room = ROOM + (len(old) - bare - ROOM) % max(BLOCK, gguf.alignment)
            filled = filling(room, gguf.alignment)
        head = laid_out(*(filled or ()))
    pieces = _differing(old, head) if len(old) == len(head) else ((0, len(head)),)
    return EditPlan(gguf, metadata, path, old, head, pieces, path.stat().st_nlink)


def _unlike(old: bytes, new: bytes) -> Iterator[int]:
    """Yield where the pieces begin that may differ, after a look at larger ones."""
    for start in range(0, len(new), _LOOK):
        if old[start : start + _LOOK] != new[start : start + _LOOK]:
            yield from range(start, min(start + _LOOK, len(new)), _PIECE)


def _differing(old: bytes, new: bytes) -> tuple[ByteRange, ...]:
    """Return the pieces in which two headers of the same length are not the same; neighbours are joined."""
    found: list[ByteRange] = []
    for start in _unlike(old, new):
        ours, theirs = old[start : start + _PIECE], new[start : start + _PIECE]
        if ours == theirs:
            continue
        first = next(at for at, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b)
        last = next(at for at in range(len(ours), 0, -1) if ours[at - 1] != theirs[at - 1])
        if found and first == 0 and sum(found[-1]) == start:
            found[-1] = (found[-1][0], found[-1][1] + last)
        else:
            found.append((start + first, last - first))
    if len(found) > _MOST_PIECES:
        return ((found[0][0], sum(found[-1]) - found[0][0]),)
    return tuple(found)


def check_editable(path: Path) -> None:
    """Raise where a file must not be changed: a blob, whose name is its digest; a read-only file; one in a folder that is."""
    name, place = path.name, path.parent.name
    if _BLOB.fullmatch(name) or (_CACHED.fullmatch(name) and place in {"blobs", "sha256"}):
        raise UsageError(
            f"{path} is a blob: its name is the digest of its bytes, and models rely on it",
            hint="write another file: -o OUT; or make another model of it: a recipe with `gguf:`",
        )
    info = path.stat()
    if not info.st_mode & 0o222 or not os.access(path, os.W_OK):
        raise UsageError(f"{path} is read-only", hint=f"allow writing: chmod u+w {path}; or write another file: -o OUT")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(
            f"{path.parent} is read-only, and the undo record goes there", hint="write another file: -o OUT"
        )
