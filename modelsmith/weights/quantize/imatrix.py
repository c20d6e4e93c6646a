"""Importance matrices: how much each column of a tensor matters, measured by running texts through the model.

Two formats: GGUF, and the older ``.dat``. Values are read tensor by tensor, when they are asked for.
Source: llama.cpp ``common/imatrix-loader.cpp``, ``tools/quantize/quantize.cpp`` (load_imatrix, keys written into the model).
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from modelsmith.errors import InvalidGGUF, UsageError
from modelsmith.files.regular import open_regular
from modelsmith.files.segments import FileSlice, FileStamp
from modelsmith.weights.gguf.file import GGUFFile
from modelsmith.weights.gguf.metadata import Entry, GGUFArray
from modelsmith.weights.gguf.types import MAGIC, ValueType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.weights.quantize.codec import Floats

_INT = struct.Struct("<i")
_HEAD = struct.Struct("<ii")
_MAX_ENTRIES = 1 << 18
_MAX_NAME = 1 << 12
_SHORT = 127  # bytes of a text that llama-quantize writes into the model
_SUMS, _COUNTS = ".in_sum2", ".counts"
_HINT = "make it again with llama-imatrix"


@dataclass(frozen=True, slots=True)
class Importance:
    """One tensor's row sums: ``counts`` says by how much to divide, one number for each matrix of a stack."""

    sums: FileSlice
    counts: FileSlice | int

    @property
    def size(self) -> int:
        """How many values it has."""
        return self.sums.length // 4

    def checked(self, path: str, name: str) -> Floats:
        """Return the values; raises UsageError where they cannot be means of squares."""
        import numpy as np

        values = np.ascontiguousarray(self.values(), np.float32)
        if not np.isfinite(values).all() or values.min(initial=0) < 0:
            raise UsageError(f'{path}: the entry "{name}" holds what is no mean of squares', hint=_HINT)
        return values

    def values(self) -> Floats:
        """Return the values as 32 bit floats, divided; those of an expert that never ran are 1."""
        import numpy as np

        sums = np.frombuffer(self.sums.read(), np.float32)
        if isinstance(self.counts, int):
            return sums / np.float32(self.counts) if self.counts > 0 else sums
        counts = np.rint(np.frombuffer(self.counts.read(), np.float32))[:, None]
        values = np.ones((len(counts), len(sums) // len(counts)), np.float32)
        np.divide(sums.reshape(values.shape), counts, out=values, where=counts > 0)
        return values.reshape(-1)


@dataclass(frozen=True, slots=True)
class ImportanceMatrix:
    """The file of an importance matrix: ``entries`` by the name of the tensor, from ``chunks`` pieces of ``dataset``."""

    path: str
    stamp: FileStamp
    entries: Mapping[str, Importance]
    dataset: str
    chunks: int

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> ImportanceMatrix:
        """Read the file's directory; raises UnreadableFile, InvalidGGUF, or UsageError for what is no importance matrix."""
        descriptor = open_regular(path)
        try:
            stamp = FileStamp.of(Path(path), os.fstat(descriptor))
            if os.pread(descriptor, 4, 0) != MAGIC:
                return _Legacy(os.fspath(path), stamp, descriptor).read()
        finally:
            os.close(descriptor)
        return _from_gguf(os.fspath(path), GGUFFile.open(path))

    def metadata(self) -> Iterator[Entry]:
        """Yield the keys that llama-quantize writes into a model that it used this matrix for."""
        for key, text in (("file", self.path), ("dataset", self.dataset)):
            if text:
                short = text.encode("utf-8", "surrogateescape")[:_SHORT]
                value = struct.pack("<Q", len(short)) + short
                yield Entry(f"quantize.imatrix.{key}".encode(), ValueType.STRING, value)
        yield Entry.of("quantize.imatrix.entries_count", ValueType.UINT32, len(self.entries))
        if self.chunks > 0:
            yield Entry.of("quantize.imatrix.chunks_count", ValueType.UINT32, self.chunks)


class _Legacy:
    """The older format: number of entries; for each its name, how often it was measured, its values; then the origin."""

    def __init__(self, path: str, stamp: FileStamp, descriptor: int) -> None:
        self.path = path
        self.stamp = stamp
        self.descriptor = descriptor
        self.position = 0

    def fail(self, reason: str) -> NoReturn:
        raise UsageError(f"{self.path} is no importance matrix: {reason}", hint=_HINT)

    def take(self, length: int, limit: int) -> bytes:
        if not 0 <= length <= limit:
            self.fail(f"a length of {length} at offset {self.position - 4}")
        data = os.pread(self.descriptor, length, self.position)
        if len(data) != length:
            self.fail(f"it ends at {self.stamp.size} bytes, inside of an entry")
        self.position += length
        return data

    def number(self) -> int:
        return int(_INT.unpack(self.take(4, 4))[0])

    def read(self) -> ImportanceMatrix:
        count = self.number()
        if not 1 <= count <= _MAX_ENTRIES:
            self.fail(f"it says that it has {count} entries")
        entries: dict[str, Importance] = {}
        for _ in range(count):
            name = self.take(self.number(), _MAX_NAME).split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
            calls, values = _HEAD.unpack(self.take(8, 8))
            if values < 1 or self.position + 4 * values > self.stamp.size:
                self.fail(f'"{name}" has {values} values at offset {self.position}')
            entries[name] = Importance(FileSlice(self.stamp, self.position, 4 * values), calls)
            self.position += 4 * values
        chunks, dataset = 0, ""
        if self.position + 8 <= self.stamp.size:
            chunks = self.number()
            length = min(max(self.number(), 0), self.stamp.size - self.position, _MAX_NAME)
            dataset = self.take(length, _MAX_NAME).split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
        return ImportanceMatrix(self.path, self.stamp, entries, dataset, chunks)


def _from_gguf(path: str, gguf: GGUFFile) -> ImportanceMatrix:
    metadata = gguf.metadata
    datasets = metadata.get("imatrix.datasets")
    if not isinstance(datasets, GGUFArray) or "imatrix.chunk_count" not in metadata:
        raise UsageError(
            f"{path} is a GGUF without an importance matrix: imatrix.datasets or imatrix.chunk_count is missing",
            hint="name the file that llama-imatrix wrote",
        )
    found = {tensor.name: tensor for tensor in gguf.tensors}
    entries: dict[str, Importance] = {}
    for name in sorted(name.removesuffix(_SUMS) for name in found if name.endswith(_SUMS)):
        sums, counts = found[name + _SUMS], found.get(name + _COUNTS)
        if counts is None or {sums.type.name, counts.type.name} != {"F32"} or not counts.elements:
            raise InvalidGGUF(f'{path}: the entry "{name}" has no counts, or not as F32', hint=_HINT)
        if not sums.elements or sums.elements % counts.elements:
            raise InvalidGGUF(
                f'{path}: the entry "{name}" has {sums.elements} sums for {counts.elements} counts', hint=_HINT
            )
        entries[name] = Importance(gguf.data_of(sums), gguf.data_of(counts))
    if not entries:
        raise UsageError(f"{path} has no entries", hint=_HINT)
    dataset = str(datasets[0]) if len(datasets) else ""
    return ImportanceMatrix(path, gguf.stamp, entries, dataset, metadata.uint("imatrix.chunk_count"))
