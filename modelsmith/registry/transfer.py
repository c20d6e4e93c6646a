"""Moving one model from where it is to where it should be: only what is missing, several blobs at once, safe to interrupt."""

from __future__ import annotations

import threading
import time
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.progress import Progress, ProgressSink, silent
from modelsmith.registry.sinks import check_space

if TYPE_CHECKING:
    from modelsmith.http.wire import Wire
    from modelsmith.manifest import Digest, Layer, Manifest
    from modelsmith.registry.download import Budget
    from modelsmith.registry.sinks import Sink
    from modelsmith.registry.sources import Source


@dataclass(frozen=True, slots=True)
class Moved:
    """What a transfer did: blobs that were there, that were mounted and that were moved; bytes, seconds; the manifest.

    ``received`` and ``sent`` are the bytes of blobs that went over the network now, without those of an earlier run.
    """

    manifest: Manifest
    there: tuple[Layer, ...]
    mounted: tuple[Layer, ...]
    moved: tuple[Layer, ...]
    seconds: float
    received: int = 0
    sent: int = 0

    @property
    def bytes_moved(self) -> int:
        """Bytes of the blobs that were moved."""
        return sum(layer.size for layer in self.moved)


def transfer(source: Source, sink: Sink, budget: Budget, wire: Wire | None, progress: ProgressSink = silent) -> Moved:
    """Move a model; on an interruption everything that is under way ends, and what came is kept for the next run."""
    began, received, sent = time.monotonic(), budget.received, budget.sent
    manifest = source.manifest()
    with sink, ThreadPoolExecutor(budget.connections, "modelsmith-blob") as pool:
        try:
            here = dict(zip(manifest.blobs, pool.map(sink.has, manifest.blobs), strict=True))
            missing = tuple(layer for layer, is_here in here.items() if not is_here)
            check_space(sink.folder.path, sum(layer.size for layer in missing))
            total = _Total(sum(layer.size for layer in missing), progress)

            def move(layer: Layer) -> bool:
                """Move one blob; tell whether its bytes were moved."""
                if sink.take_over(layer):
                    total.told(Progress("mounted", str(layer.digest), layer.size, layer.size))
                    return False
                sink.put(layer, source.provide(layer, sink.folder, total.told), total.told)
                return True

            # the largest first: the others pass it by
            running = {pool.submit(move, layer): layer for layer in sorted(missing, key=lambda one: -one.size)}
            wait(running, return_when=FIRST_EXCEPTION)
            for done in [future for future in running if future.done()]:
                done.result()
            how = {layer: future.result() for future, layer in running.items()}
        except BaseException:
            budget.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            if wire is not None:
                wire.stop()
            raise
        sink.finish(manifest, progress)
    return Moved(
        manifest,
        tuple(layer for layer, is_here in here.items() if is_here),
        tuple(layer for layer in missing if not how[layer]),
        tuple(layer for layer in missing if how[layer]),
        time.monotonic() - began,
        budget.received - received,
        budget.sent - sent,
    )


class _Total:
    """Adds up what the blobs report, from several threads."""

    def __init__(self, total: int, progress: ProgressSink) -> None:
        self._total = total
        self._progress = progress
        self._done: dict[Digest | str, int] = {}
        self._lock = threading.Lock()
        progress(Progress("all", "", 0, total))

    def told(self, step: Progress) -> None:
        """Pass a report on, with the sum."""
        with self._lock:
            self._progress(step)
            if step.total and step.digest:
                self._done[step.digest] = step.completed
                self._progress(Progress("all", "", min(sum(self._done.values()), self._total), self._total))
