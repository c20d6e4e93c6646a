"""Sources of blobs: a file as it is, and a GGUF with edited metadata."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.files import stream
from modelsmith.files.regular import stat_regular
from modelsmith.files.segments import FileSlice, FileStamp, Segment
from modelsmith.memo import note, recall
from modelsmith.progress import ProgressSink, silent
from modelsmith.weights.gguf.edit.edit import MetadataValue, edit, edited_segments
from modelsmith.weights.gguf.file import GGUFFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.manifest import Digest


class SegmentBlob:
    """Bytes made of pieces of files. A digest is remembered by the object, and by the command for others of the same bytes."""

    __slots__ = ("_digest", "_stamps", "_variant", "path", "segments")

    def __init__(self, path: Path, segments: tuple[Segment, ...], stamps: tuple[FileStamp, ...], variant: str) -> None:
        self.path = path
        self.segments = segments
        self._stamps = stamps
        self._variant = variant
        self._digest: Digest | None = None

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return stream.size_of(self.segments)

    @property
    def fingerprint(self) -> str:
        """A name for these bytes that needs no reading: changes when a file does, or what is made of it."""
        files = [[os.fspath(stamp.path.absolute()), stamp.size, stamp.modified, stamp.inode] for stamp in self._stamps]
        return hashlib.sha256(json.dumps([files, self._variant]).encode()).hexdigest()

    @property
    def stamps(self) -> tuple[FileStamp, ...]:
        """The files that the bytes come from, in the state in which they were found."""
        return self._stamps

    def known_digest(self) -> Digest | None:
        """Return the digest if it is known without reading."""
        if self._digest is None:
            self._digest = recall(("digest", self.fingerprint))
        return self._digest

    def remember(self, digest: Digest) -> None:
        """Note the digest of these bytes for later calls."""
        self._digest = digest
        note(("digest", self.fingerprint), digest)

    def digest(self, progress: ProgressSink = silent) -> Digest:
        """Return the digest of the bytes, read at most once."""
        known = self.known_digest()
        if known is None:
            known = stream.hash_segments(self.segments, progress)
            self.remember(known)
        return known

    def chunks(self) -> Iterator[memoryview]:
        """Yield the bytes in order; raises UnreadableFile when a file changes meanwhile."""
        return stream.chunks(self.segments)

    def write_to(self, descriptor: int, progress: ProgressSink = silent, status: str = "copying") -> Digest:
        """Write the bytes to a file and return their digest: hashed on the way, or after the file system has cloned them."""
        if stream.clone(self.segments, descriptor):
            return stream.hash_segments(self.segments, progress, status)
        return stream.copy_segments(self.segments, descriptor, progress, status)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({os.fspath(self.path)!r})"


class FileBlob(SegmentBlob):
    """A regular file as it is. Raises UnreadableFile for anything else (missing, a directory, a pipe, a device)."""

    __slots__ = ()

    def __init__(self, path: str | os.PathLike[str]) -> None:
        file = Path(path)
        stamp = FileStamp.of(file, stat_regular(file))
        super().__init__(file, (FileSlice(stamp, 0, stamp.size),), (stamp,), "")

    def check_unchanged(self, info: os.stat_result) -> None:
        """Raise UnreadableFile unless ``info`` is that of the file in the state in which it was found."""
        (stamp,) = self._stamps
        if FileStamp.of(stamp.path, info) != stamp:
            raise stamp.changed()


class EditedGGUF(SegmentBlob):
    """A GGUF with metadata keys set or (None) removed: a new header and the old data; see ``weights.gguf.edit.edit``."""

    __slots__ = ("changes", "gguf")

    def __init__(self, path: str | os.PathLike[str], changes: Mapping[str, MetadataValue | None]) -> None:
        self.changes = dict(changes)
        self.gguf = edit(GGUFFile.open(path), self.changes)
        variant = json.dumps(["edited", self.changes], sort_keys=True, default=repr)
        super().__init__(self.gguf.path, edited_segments(self.gguf), (self.gguf.stamp,), variant)
