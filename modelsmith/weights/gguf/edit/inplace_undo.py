"""Taking back the newest edit of a GGUF file, and repairing one that was interrupted."""

from __future__ import annotations

import os
from pathlib import Path

from modelsmith.errors import UnreadableFile, UsageError, VerificationFailed, system_errors
from modelsmith.files.replacing import check_room, replacing
from modelsmith.progress import ProgressSink, silent
from modelsmith.weights.gguf.edit.inplace import locked, with_tail, write_at
from modelsmith.weights.gguf.edit.inplace_plan import check_editable
from modelsmith.weights.gguf.edit.undo import UndoRecord, drop_newest, mark_newest, newest_record, undo_path
from modelsmith.weights.gguf.file import GGUFFile


@system_errors()
def undo(path: str | os.PathLike[str], *, dry_run: bool = False, progress: ProgressSink = silent) -> UndoRecord:
    """Take back the newest edit of a file: exactly its old bytes; returns the record. Also repairs an interrupted edit.

    Raises UsageError where there is nothing to undo, or where somebody else has changed the header since.
    """
    gguf = Path(path).resolve()
    if not gguf.is_file():
        raise UnreadableFile(f"{path} is not there, or no regular file", hint="name the GGUF, not its .undo file")
    newest = newest_record(gguf)
    if newest is None:
        raise UsageError(f"{path}: there is no edit to undo", hint=f"they would be in {undo_path(gguf)}")
    check_editable(gguf)
    with locked(gguf) as descriptor:
        state = newest.state(descriptor)
        if state == "torn" and (
            newest.done or newest.kind != "in place" or os.fstat(descriptor).st_size != newest.size
        ):
            raise UsageError(
                f"{path} was changed by something else since it was edited: the old header does not belong to it any more",
                hint=f"remove {undo_path(gguf)} if the file is as it should be",
            )
        if dry_run:
            return newest
        if state != "before":
            if newest.kind == "in place":
                if newest.done:
                    mark_newest(gguf, done=False)
                write_at(descriptor, newest.pieces, newest.data)
                os.fsync(descriptor)
            else:
                _bring_back(gguf, newest, progress)
        drop_newest(gguf)
    return newest


def _bring_back(path: Path, record: UndoRecord, progress: ProgressSink) -> None:
    check_room(path, record.size)
    gguf = GGUFFile.open(path)
    with replacing(path, path.stat(), keeps=False) as (descriptor, unfinished):
        with_tail(gguf, descriptor, record.data, record.new_offset, progress)
        if unfinished.stat().st_size != record.size:
            raise VerificationFailed(f"{path}: the old file had {record.size:,} bytes", hint="nothing was changed")
