"""Carrying out a plan: threads work on pieces, the bytes come out in order, memory stays the same whatever the model's size."""

from __future__ import annotations

import os
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from modelsmith.errors import Unsupported
from modelsmith.files.segments import FileStamp
from modelsmith.progress import Progress, ProgressSink, silent
from modelsmith.weights.gguf.types import padding
from modelsmith.weights.quantize.error import ErrorSums
from modelsmith.weights.quantize.find_codec import INSTALL, check_codec, find_codec
from modelsmith.weights.quantize.mixes import FLOATS
from modelsmith.weights.quantize.work import TensorPiece, Worker, pieces

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from modelsmith.files.segments import Descriptors
    from modelsmith.weights.quantize.codec import Bytes, Codec, Floats
    from modelsmith.weights.quantize.error import TensorError
    from modelsmith.weights.quantize.plan import QuantizePlan, TensorPlan

_AHEAD = 3
"""Pieces that are under way or done for each thread, so that none waits for the one before it to be written."""
STATUS = "quantizing"


class _Item(NamedTuple):
    """What comes next in the file: a piece under way, or bytes that are known."""

    piece: TensorPiece | None
    result: Future[Bytes] | bytes


class Quantizer:
    """One run over a plan. ``chunks`` yields the file; ``errors`` holds the tensors' errors where they were asked for."""

    def __init__(
        self,
        plan: QuantizePlan,
        *,
        threads: int | None = None,
        codec: Codec | None = None,
        measure: bool = False,
        progress: ProgressSink = silent,
    ) -> None:
        self.plan = plan
        self._codec = codec or find_codec()
        self._threads = max(1, threads or available_threads())
        self._progress = progress
        self._sums = {tensor.tensor.name: ErrorSums() for tensor in plan.changed} if measure else {}
        self._local = threading.local()
        check_codec(self._codec, ((tensor.source.type, tensor.tensor.type) for tensor in plan.changed))
        _check_importance(plan, self._codec)

    @property
    def errors(self) -> dict[str, TensorError]:
        """The error of each tensor that changed, once all chunks are out."""
        return {name: sums.result() for name, sums in self._sums.items()}

    def chunks(self) -> Iterator[memoryview]:
        """Yield the bytes of the file in order; each piece is good until the next is asked for."""
        self._codec.prepare({tensor.tensor.type for tensor in self.plan.changed})
        done, total = 0, sum(tensor.source.nbytes for tensor in self.plan.tensors)
        free: deque[Bytes] = deque()
        waiting: deque[_Item] = deque()
        with ExitStack() as stack:
            descriptors = self._open(stack)
            pool = ThreadPoolExecutor(self._threads)
            stack.callback(pool.shutdown, wait=True, cancel_futures=True)
            items = chain(self._head(), self._items(pool, descriptors, free))
            for item in items:
                waiting.append(item)
                if len(waiting) < self._threads * _AHEAD:
                    continue
                done += yield from self._finished(waiting.popleft(), free)
                self._progress(Progress(STATUS, "", done, total))
            while waiting:
                done += yield from self._finished(waiting.popleft(), free)
                self._progress(Progress(STATUS, "", done, total))
            for stamp, descriptor in descriptors.items():
                if FileStamp.of(stamp.path, os.fstat(descriptor)) != stamp:
                    raise stamp.changed()

    def _open(self, stack: ExitStack) -> dict[FileStamp, int]:
        descriptors: dict[FileStamp, int] = {}
        for stamp in dict.fromkeys(file for tensor in self.plan.tensors for file in tensor.place.files):
            descriptors[stamp] = stamp.open()
            stack.callback(os.close, descriptors[stamp])
        return descriptors

    def _head(self) -> Iterator[_Item]:
        for segment in self.plan.head:
            yield _Item(None, segment if isinstance(segment, bytes) else segment.read())

    def _items(
        self, pool: ThreadPoolExecutor, descriptors: dict[FileStamp, int], free: deque[Bytes]
    ) -> Iterator[_Item]:
        for tensor in self.plan.tensors:
            for piece in pieces(tensor, self._importance(tensor)):
                result = _taken(free, piece.result_nbytes)
                yield _Item(piece, pool.submit(self._work, piece, descriptors, result))
            if gap := padding(tensor.tensor.nbytes, self.plan.alignment):
                yield _Item(None, bytes(gap))

    def _work(self, piece: TensorPiece, descriptors: Descriptors, result: Bytes) -> Bytes:
        worker = getattr(self._local, "worker", None)
        if worker is None:
            worker = self._local.worker = Worker(self._codec)
        room = result[: piece.result_nbytes]
        worker.run(piece, descriptors, room, self._sums.get(piece.plan.tensor.name))
        return room

    def _finished(self, item: _Item, free: deque[Bytes]) -> Generator[memoryview, None, int]:
        """Yield an item's bytes and keep their room for another; returns how much of the source it was."""
        if isinstance(item.result, bytes):
            yield memoryview(item.result)
            return 0
        room = item.result.result()
        yield room.data
        base = room.base
        free.append(base if base is not None else room)
        return item.piece.nbytes if item.piece else 0

    def _importance(self, tensor: TensorPlan) -> Floats | None:
        """Return a tensor's importance; as llama.cpp, without any where it does not fit the embeddings."""
        imatrix = self.plan.imatrix
        found = imatrix.entries.get(tensor.tensor.name) if imatrix and tensor.changes else None
        if found is None or imatrix is None or found.size != tensor.columns:
            return None
        return found.checked(imatrix.path, tensor.tensor.name)


def available_threads() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _taken(free: deque[Bytes], nbytes: int) -> Bytes:
    import numpy as np

    while free:
        room = free.popleft()
        if room.nbytes >= nbytes:
            return room
    return np.empty(nbytes, np.uint8)


def _check_importance(plan: QuantizePlan, codec: Codec) -> None:
    """Only ggml knows what to do with an importance matrix; floats and Q8_0 take no notice of one."""
    if plan.imatrix is None or codec.name == "ggml":
        return
    for tensor in plan.changed:
        if tensor.tensor.type.name not in {*FLOATS, "Q8_0"}:
            raise Unsupported("an importance matrix needs ggml's own code, which is not installed", hint=INSTALL)
