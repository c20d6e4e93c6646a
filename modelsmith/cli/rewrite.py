"""Read a text file to be changed, and put the changed text in its place: whole or not at all, and never over news."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from modelsmith.errors import StoreError, UnreadableFile

LARGEST = 16 << 20
"""Bytes that a Modelfile or a template may have; anything longer is something else."""


def read_text_file(path: Path) -> bytes:
    """Return the bytes of a regular file that is not too large; raises UnreadableFile."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableFile(f"{path} is no regular file", hint="name a file or a folder, or - for stdin")
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableFile(f"{path} cannot be read: {reason}", hint="check the path and its permissions") from error
    if len(data) > LARGEST:
        raise UnreadableFile(
            f"{path} has {status.st_size:,} bytes, more than the {LARGEST >> 20} MiB of the longest text",
            hint="is it a model's weights? exclude it with --exclude",
        )
    return data


def rewrite(path: Path, before: bytes, after: bytes) -> None:
    """Replace the text of a file, which must still be ``before``; its mode and owner, and a link to it, stay.

    Raises StoreError where it cannot be written or has changed meanwhile; the file is as it was then.
    """
    import tempfile

    target = path.resolve()
    try:
        status = target.stat()
        if not os.access(target, os.W_OK):
            raise StoreError(f"{path} is read-only", hint=f"allow writing: chmod u+w {path}")
        descriptor, unfinished = tempfile.mkstemp(prefix=".modelsmith-", dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(after)
                file.flush()
                os.fsync(file.fileno())
            with suppress(PermissionError):  # another's file in a shared folder: it becomes ours, with its mode
                os.chown(unfinished, status.st_uid, status.st_gid)
            Path(unfinished).chmod(stat.S_IMODE(status.st_mode))
            if target.read_bytes() != before:
                raise StoreError(f"{path} was changed by somebody else meanwhile", hint="run the command again")
            Path(unfinished).replace(target)
        finally:
            Path(unfinished).unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}", hint="nothing was changed") from error
