"""Read a text file to be changed, and put the changed text in its place: whole or not at all, and never over news.

What is no text is neither read nor written.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from modelsmith.errors import BinaryFile, StoreError, UnreadableFile
from modelsmith.files.binary import binary_reason, is_binary_name, undecodable

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 16 << 20
"""Bytes that a Modelfile or a template may have; anything longer is something else."""

MOST_LINES = 20_000
"""Lines that a Modelfile or a template may have, those of quoted texts aside: each may be an instruction."""
_QUOTED = re.compile(rb'"""(?s:.*?)"""')


def read_text_file(path: Path) -> bytes:
    """Return the bytes of a regular file that is not too large; raises UnreadableFile, and BinaryFile for what is no text."""
    if is_binary_name(path.name) and path.exists():
        raise binary_file(path, "its name says so")
    data = _beginning(path)
    if reason := binary_reason(data):
        raise binary_file(path, reason)
    return _whole(path, data)


def read_template_file(path: Path) -> bytes:
    """Return the bytes of a regular file that is not too large; raises UnreadableFile. A template may hold any character, NUL too."""
    return _whole(path, _beginning(path))


def _beginning(path: Path) -> bytes:
    """Return the bytes of a regular file, one more than may be of one that is too large."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UnreadableFile(f"{path} is no regular file", hint="name a file or a folder, or - for stdin")
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableFile(f"{path} cannot be read: {reason}", hint="check the path and its permissions") from error


def _whole(path: Path, beginning: bytes) -> bytes:
    if len(beginning) > LARGEST:
        raise UnreadableFile(
            f"{path} has {path.stat().st_size:,} bytes, more than the {LARGEST >> 20} MiB of the longest text",
            hint="is it a model's weights? leave it out; lint and fmt have --exclude",
        )
    return beginning


def decoded(data: bytes, name: str) -> str:
    """Return the text that a file's bytes are, every character of it; raises UnreadableFile for what is not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        message = f"{name} is not UTF-8: {error.reason} at byte {error.start}"
        raise UnreadableFile(message, hint="save it as UTF-8") from error


def check_text(path: Path, before: bytes, after: bytes) -> None:
    """Raise BinaryFile unless a file is text, and every byte that would be written is one that can be decoded."""
    if is_binary_name(path.name):
        raise binary_file(path, "its name says so")
    if reason := binary_reason(before):
        raise binary_file(path, reason)
    if reason := undecodable(after):
        raise BinaryFile(f"{path} is not written: {reason}", hint="save it as UTF-8 first")


def check_length(data: bytes, name: str, way_out: str) -> None:
    """Raise UnreadableFile for a file of more lines than anybody writes; those of quoted texts do not count."""
    lines = data.count(b"\n")
    if lines > MOST_LINES:
        lines = _QUOTED.sub(b"", data).count(b"\n")
    if lines > MOST_LINES:
        raise UnreadableFile(
            f"{name} has {lines:,} lines outside of quotes; more than {MOST_LINES:,} are not read",
            hint=f"is it a Modelfile or a template? {way_out}",
        )


def check_stdin(data: bytes) -> None:
    """Raise BinaryFile where what came in on stdin is no text."""
    if reason := binary_reason(data):
        raise binary_file("<stdin>", reason)


def binary_file(path: Path | str, reason: str) -> BinaryFile:
    """Return the error for a file that is no text, and why (``binary_reason``)."""
    return BinaryFile(
        f"{path} is a binary file, no text: {reason}",
        hint="leave it out (lint and fmt: --exclude); GGUFs are read by modelsmith gguf",
    )


def rewrite(path: Path, before: bytes, after: bytes) -> None:
    """Replace the text of a file, which must still be ``before``; its mode and owner, and a link to it, stay.

    Raises StoreError where it cannot be written or has changed meanwhile, BinaryFile where it is no text, or would hold
    bytes that are none; the file is as it was then.
    """
    from modelsmith.files.unfinished import start_unfinished

    check_text(path, before, after)
    target = path.resolve()
    try:
        status = target.stat()
        if not os.access(target, os.W_OK):
            raise StoreError(f"{path} is read-only", hint=f"allow writing: chmod u+w {path}")
        descriptor, unfinished = start_unfinished(target)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(after)
                file.flush()
                os.fsync(file.fileno())
                with suppress(PermissionError):  # another's file in a shared folder: it becomes ours, with its mode
                    os.chown(unfinished, status.st_uid, status.st_gid)
                unfinished.chmod(stat.S_IMODE(status.st_mode))
                if target.read_bytes() != before:
                    raise StoreError(f"{path} was changed by somebody else meanwhile", hint="run the command again")
                unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}", hint="nothing was changed") from error
