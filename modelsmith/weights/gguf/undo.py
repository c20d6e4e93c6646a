r"""Undo records: what a file's header was before each edit, in ``FILE.undo`` beside it, the newest first.

A record is on the disk before its edit begins, so that it also repairs an edit that was interrupted. Beside the file, and
not in a folder of the user's, because it must be found by whoever finds the damaged file, on the same file system.

::

    modelsmith undo 1\n
    B {"kind": "in place", …}\n<old bytes>\n        B: begun, D: done
    D {"kind": "rewritten", …}\n<old bytes>\n
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from modelsmith.errors import InvalidGGUF, UnreadableFile
from modelsmith.weights.replacing import replacing, sync_folder, unwritable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_MAGIC = b"modelsmith undo 1\n"
_STATE = len(_MAGIC)  # where the newest record's state is
_MOST = 100
_MOST_BYTES = 64 << 20
_LONGEST_LINE = 1 << 16

Piece = tuple[int, int]
Kind = Literal["in place", "rewritten"]
State = Literal["before", "after", "torn"]


@dataclass(frozen=True, slots=True)
class UndoRecord:
    """One edit: ``data`` are the old bytes of all ``pieces`` (start and length).

    ``old`` and ``new`` are the SHA-256 of what stood and stands there. ``in place`` the new bytes are as many; ``rewritten`` both are the whole headers, of ``len(data)`` and ``new_offset``
    bytes, and the data behind them is the same. ``size`` and ``new_size`` are those of the file before and after.
    """

    kind: Kind
    what: str
    pieces: tuple[Piece, ...]
    old: str
    new: str
    new_offset: int
    size: int
    new_size: int
    data: bytes = field(repr=False)
    done: bool = False

    def state(self, descriptor: int) -> State:
        """Say whether a file is as it was before the edit or after it; ``torn`` is neither."""
        size = os.fstat(descriptor).st_size
        after = self.pieces if self.kind == "in place" else ((0, self.new_offset),)
        if size == self.new_size and sha256_at(descriptor, after) == self.new:
            return "after"
        if size == self.size and sha256_at(descriptor, self.pieces) == self.old:
            return "before"
        return "torn"


def sha256_at(descriptor: int, pieces: Sequence[Piece]) -> str:
    """Return the SHA-256 of some pieces of a file."""
    sha = hashlib.sha256()
    for start, length in pieces:
        sha.update(os.pread(descriptor, length, start))
    return sha.hexdigest()


def undo_path(gguf: Path) -> Path:
    """Return where the undo records of a file are."""
    return gguf.with_name(gguf.name + ".undo")


def read_records(gguf: Path) -> tuple[UndoRecord, ...]:
    """Return the records of a file, the newest first; raises InvalidGGUF where ``FILE.undo`` is none of ours."""
    path = undo_path(gguf)
    try:
        with path.open("rb") as file:
            data = file.read()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}") from error
    if not data.startswith(_MAGIC):
        raise InvalidGGUF(f"{path} holds no undo records of modelsmith", hint="move it away: its name is needed")
    try:
        return tuple(_parsed(data))
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidGGUF(
            f"{path} is damaged: {error}", hint="move it away; the edits in it cannot be undone"
        ) from error


def _parsed(data: bytes) -> list[UndoRecord]:
    records, position = [], len(_MAGIC)
    while position < len(data):
        end = data.index(b"\n", position, position + _LONGEST_LINE)
        fields = json.loads(data[position + 2 : end])
        length = int(fields.pop("length"))
        old = data[end + 1 : end + 1 + length]
        if length < 0 or len(old) != length:
            raise ValueError("a record ends too early")
        fields["pieces"] = tuple((int(start), int(size)) for start, size in fields["pieces"])
        if sum(size for _, size in fields["pieces"]) != length or any(min(piece) < 0 for piece in fields["pieces"]):
            raise ValueError("its pieces are not what it holds")
        records.append(UndoRecord(**fields, data=old, done=data[position : position + 1] == b"D"))
        position = end + 2 + length
    return records


def write_records(gguf: Path, records: tuple[UndoRecord, ...]) -> None:
    """Put records in the place of those of a file, whole and on the disk; none removes ``FILE.undo``."""
    path = undo_path(gguf)
    if not records:
        try:
            path.unlink(missing_ok=True)
            sync_folder(path.parent)
        except OSError as error:
            raise unwritable(path, error) from error
        return
    with replacing(path) as (descriptor, _), os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(_MAGIC)
        for record in _recent(records):
            fields = {key: value for key, value in asdict(record).items() if key not in {"data", "done"}}
            line = json.dumps({**fields, "length": len(record.data)}).encode()
            file.write((b"D " if record.done else b"B ") + line + b"\n" + record.data + b"\n")


def _recent(records: tuple[UndoRecord, ...]) -> list[UndoRecord]:
    kept: list[UndoRecord] = []
    total = 0
    for record in records[:_MOST]:
        total += len(record.data)
        if kept and total > _MOST_BYTES:
            break
        kept.append(record)
    return kept


def mark_newest(gguf: Path, *, done: bool) -> None:
    """Note that the newest edit is complete, or that its undoing begins. Needs no room on the disk."""
    descriptor = os.open(undo_path(gguf), os.O_WRONLY)
    try:
        os.pwrite(descriptor, b"D" if done else b"B", _STATE)
        if not done:  # a complete edit is known by its bytes, too
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def standing(gguf: Path, descriptor: int) -> tuple[UndoRecord, ...]:
    """Return the records that lead back from what the file is now, the newest first.

    Raises InvalidGGUF where an edit of it was interrupted. Records of another file that stood here are left out.
    """
    records = read_records(gguf)
    if not records:
        return ()
    newest, state = records[0], records[0].state(descriptor)
    if state == "torn" and not newest.done and newest.kind == "in place":
        raise interrupted(gguf)
    if state == "before":
        return records[1:]  # the edit did not come about
    return (replace(newest, done=True), *records[1:]) if state == "after" else ()


def is_interrupted(gguf: Path) -> bool:
    """Whether a file, which cannot be read, is in the middle of an edit."""
    try:
        records = read_records(gguf)
        if not records or records[0].done or records[0].kind != "in place":
            return False
        descriptor = os.open(gguf, os.O_RDONLY)
        try:
            return os.fstat(descriptor).st_size == records[0].size
        finally:
            os.close(descriptor)
    except (OSError, InvalidGGUF, UnreadableFile):
        return False


def interrupted(gguf: Path) -> InvalidGGUF:
    """Return the error for a file in the middle of an edit."""
    return InvalidGGUF(
        f"{gguf}: an edit was interrupted, its header is half the old and half the new one",
        hint=f"modelsmith gguf undo {gguf} brings the old one back",
    )
