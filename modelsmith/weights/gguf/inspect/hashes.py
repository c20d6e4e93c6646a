"""Digests of a GGUF in one pass: of the file, of all tensors' data, of each tensor.

The digest of all tensors is that of their bytes one after the other, without what is between them: it stays the same when
the metadata is edited. Source: llama.cpp ``examples/gguf-hash`` (the same digests, and its manifest's form).
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from modelsmith.errors import system_errors
from modelsmith.files.segments import FileSlice, read_into
from modelsmith.progress import Progress, ProgressSink, silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.read.tensors import Tensor

Algorithm = Literal["sha256", "sha1"]
_CHUNK = 4 << 20
_AHEAD = 3


@dataclass(frozen=True, slots=True)
class Hashes:
    """Digests in hexadecimal digits: ``file`` of the whole, ``tensors`` of their data, ``by_tensor`` that of each tensor by its name."""

    file: str
    tensors: str
    by_tensor: Mapping[str, str]


@system_errors()
def hash_gguf(gguf: GGUFFile, *, algorithm: Algorithm = "sha256", progress: ProgressSink = silent) -> Hashes:
    """Read a GGUF once and return its digests; raises UnreadableFile where it changes meanwhile."""
    whole, hashes = hashlib.new(algorithm), {tensor.name: hashlib.new(algorithm) for tensor in gguf.tensors}
    data = hashlib.new(algorithm)
    by_place = sorted(gguf.tensors, key=lambda tensor: tensor.offset)
    in_order = _back_to_back(gguf.tensors)
    done = 0

    def of_tensors(pieces: list[tuple[Tensor, memoryview]]) -> None:
        for tensor, piece in pieces:
            hashes[tensor.name].update(piece)
            if in_order:
                data.update(piece)

    ring = [memoryview(bytearray(_CHUNK)) for _ in range(_AHEAD)]
    waiting: list[tuple[Future[None], ...]] = []

    def buffers() -> Iterator[memoryview]:
        while True:
            for buffer in ring:
                while len(waiting) >= _AHEAD:
                    for future in waiting.pop(0):
                        future.result()
                yield buffer

    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
        cursor = 0
        for chunk in read_into([FileSlice(gguf.stamp, 0, gguf.size)], buffers()):
            pieces, cursor = _pieces(gguf, by_place, cursor, done, chunk) if in_order else ([], 0)
            waiting.append((first.submit(whole.update, chunk), second.submit(of_tensors, pieces)))
            done += len(chunk)
            progress(Progress("hashing", "", done, gguf.size))
    if not in_order:
        for tensor in gguf.tensors:
            for chunk in read_into([gguf.data_of(tensor)], iter(lambda: ring[0], None)):
                hashes[tensor.name].update(chunk)
                data.update(chunk)
    return Hashes(whole.hexdigest(), data.hexdigest(), {name: found.hexdigest() for name, found in hashes.items()})


def _back_to_back(tensors: tuple[Tensor, ...]) -> bool:
    """Whether the tensors lie in the file as they are listed, none in another."""
    end = 0
    for tensor in tensors:
        if tensor.offset < end:
            return False
        end = tensor.offset + tensor.nbytes
    return True


def _pieces(
    gguf: GGUFFile, tensors: list[Tensor], cursor: int, start: int, chunk: memoryview
) -> tuple[list[tuple[Tensor, memoryview]], int]:
    """Return what of a chunk of the file belongs to which tensor, and the first tensor that the next chunk may have."""
    found: list[tuple[Tensor, memoryview]] = []
    end = start + len(chunk)
    while cursor < len(tensors):
        begin = gguf.data_offset + tensors[cursor].offset
        stop = begin + tensors[cursor].nbytes
        if begin >= end:
            break
        if piece := chunk[max(begin - start, 0) : stop - start]:
            found.append((tensors[cursor], piece))
        if stop > end:
            break
        cursor += 1
    return found, cursor


def manifest(hashes: Hashes, name: str | os.PathLike[str], algorithm: Algorithm = "sha256") -> str:
    """Return the lines that ``llama-gguf-hash`` prints for a file, and checks with ``--check``."""
    path = os.fspath(name)
    lines = [f"{algorithm:<8}  {digest}  {path}:{tensor}" for tensor, digest in hashes.by_tensor.items()]
    return "\n".join([*lines, f"{algorithm:<8}  {hashes.tensors}  {path}"])
