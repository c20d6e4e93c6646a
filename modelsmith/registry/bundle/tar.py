"""The tar of a bundle: plain files only, written alike each time and read without trust.

A bundle holds ``oci-layout``, ``index.json`` and ``blobs/sha256/<hex>``. Links, devices, sparse files, extended headers and any other
name are refused, so nothing of what is read can lead anywhere. Sources: POSIX ustar; OCI image layout 1.0 (image-layout.md).
"""

from __future__ import annotations

import re
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.errors import StoreError
from modelsmith.manifest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BLOCK = 512
LAYOUT, INDEX, BLOBS = "oci-layout", "index.json", "blobs/sha256/"
_BLOB = re.compile(r"blobs/sha256/([0-9a-f]{64})")
_FOLDERS = {"blobs", "blobs/sha256", ""}
MAX_MEMBERS = 200_000
_END = bytes(2 * BLOCK)


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a bundle: its name, and where its ``size`` bytes begin."""

    name: str
    start: int
    size: int

    @property
    def digest(self) -> Digest | None:
        """What the bytes of a blob must hash to; None for the two files that are no blobs."""
        match = _BLOB.fullmatch(self.name)
        return Digest(match[1]) if match else None


def header(name: str, size: int) -> bytes:
    """Return the header of a file: no owner, no time, so that the same models make the same bytes."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "strict")


def padding(size: int) -> bytes:
    """Return the zeros that fill the last block of a file."""
    return bytes(-size % BLOCK)


def end(size: int) -> bytes:
    """Return what closes a tar of ``size`` bytes: two empty blocks, and zeros up to whole records."""
    return _END + bytes(-(size + len(_END)) % tarfile.RECORDSIZE)


def members(read: Callable[[int], bytes], skip: Callable[[int], None], where: str) -> Iterator[Member]:
    """Yield the files in order, behind whose header ``read`` stands; what the caller has not read of one is skipped.

    ``read`` returns up to so many bytes and ``skip`` passes over them. Raises StoreError for anything that is no bundle.
    """
    seen: set[str] = set()
    place = 0
    while True:
        block = read(BLOCK)
        if place == 0 and len(block) < BLOCK:
            raise StoreError(f"{where} is no bundle", hint="name what `modelsmith export` has written")
        if len(block) < BLOCK:
            raise StoreError(
                f"{where} ends early, at byte {place + len(block):,}", hint="it is not complete: copy it again"
            )
        place += BLOCK
        if not block.strip(b"\0"):
            return
        member = _member(block, place, where)
        if member is not None:
            if member.name in seen:
                raise StoreError(f"{where} holds {member.name} twice")
            seen.add(member.name)
            if len(seen) > MAX_MEMBERS:
                raise StoreError(f"{where} holds more than {MAX_MEMBERS:,} files")
            yield member
            size = member.size + len(padding(member.size))
            skip(place + size)
            place += size


def _member(block: bytes, place: int, where: str) -> Member | None:
    """Return the file that a header announces, None for one of the folders; raises StoreError for anything else."""
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
    except (tarfile.HeaderError, UnicodeDecodeError) as error:
        raise StoreError(
            f"{where} is no tar at byte {place - BLOCK:,}: {error}", hint="a bundle is what `modelsmith export` writes"
        ) from error
    name = info.name.removeprefix("./").rstrip("/")
    if info.type == tarfile.DIRTYPE and name.strip(".") in _FOLDERS | {""} and info.size == 0:
        return None
    if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
        kinds = {tarfile.SYMTYPE: "a link", tarfile.LNKTYPE: "a link", tarfile.GNUTYPE_SPARSE: "a sparse file"}
        raise StoreError(
            f"{where} holds {kinds.get(info.type, 'something else than a file')} ({name!r:.100}): it is refused",
            hint="a bundle holds plain files only",
        )
    if name not in {LAYOUT, INDEX} and not _BLOB.fullmatch(name):
        raise StoreError(
            f"{where} holds {name!r:.100}, which no bundle holds: it is refused",
            hint=f"a bundle holds {LAYOUT}, {INDEX} and {BLOBS}…",
        )
    if info.size < 0:
        raise StoreError(f"{where}: {name} has a size below zero")
    return Member(name, place, info.size)
