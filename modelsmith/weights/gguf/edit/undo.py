r"""Undo records: what a file's header was before each edit, in ``FILE.undo`` beside it, the newest last.

A record is on the disk before its edit begins, so that it also repairs an edit that was interrupted. Beside the file, and
not in a folder of the user's, because it must be found by whoever finds the damaged file, on the same file system. A record
that is not whole is of an edit that never began.

::

    modelsmith undo 1\n
    D {"length": …, "kind": "in place", …}\n<old bytes>\n        B: begun, D: done
    B {"length": …, "kind": "rewritten", …}\n<old bytes>\n
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from dataclasses import fields as dataclass_fields
from typing import TYPE_CHECKING, Any, Literal

from modelsmith.errors import InvalidGGUF, UnreadableFile
from modelsmith.files.replacing import replacing, sync_folder, unwritable
from modelsmith.files.stream import write_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_MAGIC = b"modelsmith undo 1\n"
_MOST = 100
_MOST_BYTES = 64 << 20
_LONGEST_LINE = 1 << 13
_SHORTEST_LINE = 64
_LENGTH = re.compile(rb'[BD] \{"length": (\d{1,12}),')

ByteRange = tuple[int, int]
EditKind = Literal["in place", "rewritten"]
State = Literal["before", "after", "torn"]


@dataclass(frozen=True, slots=True)
class UndoRecord:
    """One edit: ``data`` are the old bytes of all ``pieces`` (start and length).

    ``old`` and ``new`` are digests of what stood and stands there. ``in place`` the new bytes are as many; ``rewritten`` both are the whole headers, of ``len(data)`` and ``new_offset``
    bytes, and the data behind them is the same. ``size`` and ``new_size`` are those of the file before and after.
    """

    kind: EditKind
    what: str
    pieces: tuple[ByteRange, ...]
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
        if size == self.new_size and digest_at(descriptor, after) == self.new:
            return "after"
        if size == self.size and digest_at(descriptor, self.pieces) == self.old:
            return "before"
        return "torn"


def digest_at(descriptor: int, pieces: Sequence[ByteRange]) -> str:
    """Return a digest of some pieces of a file."""
    digest = hashlib.blake2b(digest_size=32)
    for start, length in pieces:
        digest.update(os.pread(descriptor, length, start))
    return digest.hexdigest()


def digest_of(data: bytes) -> str:
    """Return the same digest of bytes in memory: BLAKE2, the fastest that Python has everywhere."""
    return hashlib.blake2b(data, digest_size=32).hexdigest()


def undo_path(gguf: Path) -> Path:
    """Return where the undo records of a file are."""
    return gguf.with_name(gguf.name + ".undo")


def count_records(gguf: Path) -> int:
    """Return how many edits of a file can be undone; raises as ``newest_record``."""
    with _opened(gguf) as descriptor:
        return 0 if descriptor is None else len(_places(gguf, descriptor))


def newest_record(gguf: Path) -> UndoRecord | None:
    """Return the record of a file's newest edit; raises InvalidGGUF where ``FILE.undo`` holds no such records."""
    with _opened(gguf) as descriptor:
        places = [] if descriptor is None else _places(gguf, descriptor)
        if descriptor is None or not places:
            return None
        start, line, end = places[-1]
        head = os.pread(descriptor, line - start, start)
        data = os.pread(descriptor, end - line - 2, line + 1)
        try:
            return _parsed(json.loads(head[2:]), data, done=head[:1] == b"D")
        except (ValueError, KeyError, TypeError) as error:
            raise _damaged(gguf, str(error)) from error


def _parsed(fields: dict[str, Any], data: bytes, *, done: bool) -> UndoRecord:
    del fields["length"]
    fields["pieces"] = tuple((int(place), int(size)) for place, size in fields["pieces"])
    if sum(size for _, size in fields["pieces"]) != len(data) or any(min(piece) < 0 for piece in fields["pieces"]):
        raise ValueError("its pieces are not what it holds")
    return UndoRecord(**fields, data=data, done=done)


def add_record(gguf: Path, record: UndoRecord) -> None:
    """Put a record on the disk as the newest; the oldest are dropped where all together are too many or too large."""
    path = undo_path(gguf)
    fields = {
        dataclass_field.name: getattr(record, dataclass_field.name)
        for dataclass_field in dataclass_fields(record)
        if dataclass_field.name not in {"data", "done"}
    }
    line = b"B " + json.dumps({"length": len(record.data), **fields}).encode()
    is_new = not path.exists()
    try:
        with _opened(gguf, writing=True) as descriptor:
            if descriptor is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
            places = [] if is_new else _places(gguf, descriptor)
            end = places[-1][2] if places else len(_MAGIC)
            if kept_from := _first_kept(places, len(record.data)):
                start = places[kept_from][0] if kept_from < len(places) else end
                _written_anew(path, descriptor, (start, end), line + b"\n" + record.data + b"\n")
                return
            try:
                start = end if places else 0  # a file without records may lack a part of its beginning
                os.ftruncate(descriptor, start)
                os.lseek(descriptor, start, os.SEEK_SET)
                write_all(descriptor, (b"" if places else _MAGIC) + line + b"\n" + record.data + b"\n")
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, start)
                if is_new:
                    path.unlink()
                raise
        if is_new:
            sync_folder(path.parent)
    except OSError as error:
        raise unwritable(path, error) from error


def drop_newest(gguf: Path) -> None:
    """Remove the newest record, with the last one ``FILE.undo`` itself."""
    with _opened(gguf, writing=True) as descriptor:
        places = [] if descriptor is None else _places(gguf, descriptor)
        if descriptor is not None and len(places) > 1:
            os.ftruncate(descriptor, places[-1][0])
            os.fsync(descriptor)
            return
    clear_records(gguf)


def clear_records(gguf: Path) -> None:
    """Forget all edits of a file."""
    undo_path(gguf).unlink(missing_ok=True)
    sync_folder(gguf.parent)


def mark_newest(gguf: Path, *, done: bool) -> None:
    """Note that the newest edit is complete, or that its undoing begins. Needs no room on the disk."""
    with _opened(gguf, writing=True) as descriptor:
        places = [] if descriptor is None else _places(gguf, descriptor)
        if descriptor is not None and places:
            os.pwrite(descriptor, b"D" if done else b"B", places[-1][0])
            if not done:  # a complete edit is known by its bytes, too
                os.fsync(descriptor)


@contextmanager
def _opened(gguf: Path, *, writing: bool = False) -> Iterator[int | None]:
    """Open ``FILE.undo``; None where there is none to read."""
    path = undo_path(gguf)
    try:
        descriptor = os.open(path, (os.O_RDWR | os.O_CREAT if writing else os.O_RDONLY) | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        yield None
        return
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be opened: {error.strerror or error}") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _places(gguf: Path, descriptor: int) -> list[tuple[int, int, int]]:
    """Return where each whole record begins, its line ends, and it ends itself."""
    size = os.fstat(descriptor).st_size
    magic = os.pread(descriptor, len(_MAGIC), 0)
    if magic != _MAGIC and not _MAGIC.startswith(magic):
        raise InvalidGGUF(
            f"{undo_path(gguf)} holds no undo records of modelsmith", hint="move it away: its name is needed"
        )
    found: list[tuple[int, int, int]] = []
    position = len(_MAGIC)
    while position < size:
        head = os.pread(descriptor, _LONGEST_LINE, position)
        length = _LENGTH.match(head)
        line = position + head.find(b"\n")
        if length is None or line < position:
            if position + _LONGEST_LINE < size or (length is None and len(head) > _SHORTEST_LINE):
                raise _damaged(gguf, f"no record begins at byte {position}")
            break
        end = line + 2 + int(length[1])
        if end > size:
            break
        found.append((position, line, end))
        position = end
    return found


def _first_kept(places: list[tuple[int, int, int]], more: int) -> int:
    """Return how many of the oldest records are dropped where one of ``more`` bytes is added."""
    keep = len(places)
    while keep and (keep >= _MOST or places[-1][2] - places[-keep][0] + more > _MOST_BYTES):
        keep -= 1
    return len(places) - keep


def _written_anew(path: Path, descriptor: int, kept: tuple[int, int], record: bytes) -> None:
    """Replace ``FILE.undo`` by one without its oldest records: moved in place, a kill would leave neither the old nor the new."""
    start, end = kept
    with replacing(path, os.fstat(descriptor), keeps=False) as (new, _):
        write_all(new, _MAGIC)
        write_all(new, os.pread(descriptor, end - start, start))
        write_all(new, record)


def _damaged(gguf: Path, reason: str) -> InvalidGGUF:
    return InvalidGGUF(f"{undo_path(gguf)} is damaged: {reason}", hint="move it away; the edits in it cannot be undone")


def settle(gguf: Path, descriptor: int) -> None:
    """Bring the records of a file that is about to be edited in line with what it is now.

    Raises InvalidGGUF where an edit of it was interrupted. The records of another file that stood here are forgotten.
    """
    newest = newest_record(gguf)
    if newest is None:
        return
    state = newest.state(descriptor)
    if state == "torn" and not newest.done and newest.kind == "in place":
        raise interrupted(gguf)
    if state == "before":
        drop_newest(gguf)  # the edit did not come about
    elif state == "torn":
        clear_records(gguf)
    elif not newest.done:
        mark_newest(gguf, done=True)


def is_interrupted(gguf: Path) -> bool:
    """Whether a file, which cannot be read, is in the middle of an edit."""
    try:
        newest = newest_record(gguf)
        if newest is None or newest.done or newest.kind != "in place":
            return False
        descriptor = os.open(gguf, os.O_RDONLY)
        try:
            return os.fstat(descriptor).st_size == newest.size
        finally:
            os.close(descriptor)
    except (OSError, InvalidGGUF, UnreadableFile):
        return False


def interrupted(gguf: Path) -> InvalidGGUF:
    """Return the error for a file in the middle of an edit."""
    return InvalidGGUF(
        f"{gguf}: an edit was interrupted, its header is half the old and half the new one",
        hint=f"`modelsmith gguf undo {gguf}` brings the old one back",
    )
