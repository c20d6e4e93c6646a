"""Editing a GGUF file: its header rewritten in place where the new one fits, else a new header and the copied rest.

In place, the old bytes are on the disk as an undo record before the first byte is written. A new file takes the old one's
place in one step. Either way ``undo`` brings back the exact old bytes, and no byte of the tensors' data changes.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.errors import ModelsmithError, UsageError, VerificationFailed, system_errors
from modelsmith.files.copying import copy_range
from modelsmith.files.locking import NoLocks, lock
from modelsmith.files.outputs import holds
from modelsmith.files.replacing import check_output, check_room, replacing, unwritable
from modelsmith.files.segments import FileSlice
from modelsmith.files.stream import chunks, hash_segments, write_all
from modelsmith.progress import ProgressSink, silent
from modelsmith.weights.gguf.edit.inplace_plan import EditPlan, check_editable
from modelsmith.weights.gguf.edit.padding import PADDING
from modelsmith.weights.gguf.edit.undo import UndoRecord, add_record, digest_of, mark_newest, settle
from modelsmith.weights.gguf.file import GGUFFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from modelsmith.weights.gguf.edit.undo import ByteRange


@dataclass(frozen=True, slots=True)
class Edited:
    """An edit that was made: ``how`` the data came into the file, and its SHA-256 before and after where it was verified."""

    plan: EditPlan
    path: Path
    how: str
    data_before: str = ""
    data_after: str = ""


@system_errors()
def write_edit(
    plan: EditPlan,
    target: Path | None = None,
    *,
    what: str = "edit",
    verify: bool = False,
    overwrite: bool = False,
    progress: ProgressSink = silent,
) -> Edited:
    """Carry out a plan: in the file itself, or (``target``) in another one. Nothing is changed on any error.

    ``what`` names the edit in the undo record; ``verify`` reads the tensors' data before and after.
    """
    gguf = plan.gguf
    data = FileSlice(gguf.stamp, len(plan.old), max(gguf.size - len(plan.old), 0))
    before = hash_segments([data], progress, "hashing the data before").hex if verify else ""
    if target is not None:
        path, how = target, "unchanged"
        if overwrite or not holds(target, plan.size, chunks([plan.head, data])):
            check_output(target, [plan.path], overwrite=overwrite, size=plan.size)
            how = _write_file(plan, target.resolve(), None, progress)
    elif not plan.changes:
        path, how = plan.path, "unchanged"
    else:
        check_editable(plan.path)
        path = plan.path
        with locked(path) as descriptor:
            if os.fstat(descriptor).st_mtime_ns != gguf.stamp.modified or os.fstat(descriptor).st_size != gguf.size:
                raise gguf.stamp.changed()
            settle(path, descriptor)
            if plan.in_place and plan.links == 1:
                how = _write_in_place(plan, descriptor, what)
            else:
                check_room(path, plan.size)
                how = _rewrite(plan, what, progress)
    after = _data_hash(path, plan, progress) if verify else ""
    if before != after:
        raise VerificationFailed(
            f"the data of {path} is not what it was: SHA-256 {after}, before {before}",
            hint=f"modelsmith gguf undo {path}",
        )
    return Edited(plan, path, how, before, after)


def _data_hash(path: Path, plan: EditPlan, progress: ProgressSink) -> str:
    gguf = GGUFFile.open(path)
    data = FileSlice(gguf.stamp, len(plan.head), max(gguf.size - len(plan.head), 0))
    return hash_segments([data], progress, "hashing the data after").hex


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """Open a file for writing as the only one who edits it; running models that have it in memory are not disturbed."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        with suppress(NoLocks):
            if not lock(descriptor, waits=False):
                raise UsageError(f"{path} is being edited by another program", hint="wait until it is done")
        yield descriptor
    finally:
        os.close(descriptor)


def _write_in_place(plan: EditPlan, descriptor: int, what: str) -> str:
    old, new = (
        b"".join(head[start : start + length] for start, length in plan.pieces) for head in (plan.old, plan.head)
    )
    record = UndoRecord(
        "in place", what, plan.pieces, digest_of(old), digest_of(new), len(plan.head), plan.gguf.size, plan.size, old
    )
    add_record(plan.path, record)
    overwrite_header(plan.path, descriptor, plan.pieces, new, old)
    mark_newest(plan.path, done=True)
    return "in place"


def overwrite_header(path: Path, descriptor: int, pieces: tuple[ByteRange, ...], new: bytes, old: bytes) -> None:
    """Write pieces of a header to the disk; where that fails, the old ones come back."""
    try:
        write_at(descriptor, pieces, new)
        os.fsync(descriptor)
    except OSError as error:
        with suppress(OSError):
            write_at(descriptor, pieces, old)
            os.fsync(descriptor)
        raise unwritable(path, error) from error


def write_at(descriptor: int, pieces: tuple[ByteRange, ...], data: bytes) -> None:
    """Write bytes into pieces of a file."""
    view = memoryview(data)
    for start, length in pieces:
        piece, view = view[:length], view[length:]
        done = 0
        while done < length:
            done += os.pwrite(descriptor, piece[done:], start + done)


def _rewrite(plan: EditPlan, what: str, progress: ProgressSink) -> str:
    record = UndoRecord(
        "rewritten",
        what,
        ((0, len(plan.old)),),
        digest_of(plan.old),
        digest_of(plan.head),
        len(plan.head),
        plan.gguf.size,
        plan.size,
        plan.old,
    )
    how = _write_file(plan, plan.path, record, progress)
    mark_newest(plan.path, done=True)
    return how


def _write_file(plan: EditPlan, target: Path, record: UndoRecord | None, progress: ProgressSink) -> str:
    """Write the new header and the old data as a new file; with a record it replaces the edited one."""
    like = plan.path.stat() if record is not None else None
    with replacing(target, like, keeps=record is None) as (descriptor, unfinished):
        how = with_tail(plan.gguf, descriptor, plan.head, len(plan.old), progress)
        _check_written(plan, unfinished)
        if record is not None:
            add_record(plan.path, record)
    return how


def with_tail(gguf: GGUFFile, descriptor: int, head: bytes, offset: int, progress: ProgressSink) -> str:
    """Write a header and everything that stands from ``offset`` on in a file; returns how the rest came along."""
    write_all(descriptor, head)
    source = gguf.stamp.open()
    try:
        length = max(gguf.size - offset, 0)
        how = copy_range(source, offset, descriptor, len(head), length, progress)
        if os.fstat(source).st_mtime_ns != gguf.stamp.modified:
            raise gguf.stamp.changed()
    finally:
        os.close(source)
    return how


def _check_written(plan: EditPlan, path: Path) -> None:
    """Raise VerificationFailed unless the file reads as planned: all keys, all tensors where they were."""
    try:
        found = GGUFFile.open(path)
        same = found.tensors == plan.gguf.tensors and found.data_offset == len(plan.head) and found.size == plan.size
    except ModelsmithError as error:
        raise VerificationFailed(
            f"{plan.path}: the edited header cannot be read: {error.message}", hint=f"modelsmith gguf undo {plan.path}"
        ) from error
    if not same or found.metadata.without(PADDING).keys() != plan.after.without(PADDING).keys():
        raise VerificationFailed(f"{plan.path}: the edited header is not the planned one", hint="report this")
