"""Fetching a blob: in parts that several connections bring, hashed on the way, gone on with after any end.

The hash follows the bytes that are there without a gap, in a thread of its own: it is done nearly when the last part is.
"""

from __future__ import annotations

import hashlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modelsmith.errors import DigestMismatch, ModelsmithError, ServerError, StoreError
from modelsmith.files.stream import start_flushing
from modelsmith.manifest import Digest, Layer
from modelsmith.progress import Progress, ProgressSink, silent
from modelsmith.registry.parts import Part, PartFile, growing
from modelsmith.registry.retry import Retry

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import Protocol

    from modelsmith.http.response import Limits, Response
    from modelsmith.store.folder import Folder

    class Blobs(Protocol):
        """Where a blob comes from."""

        def blob(self, repository: str, digest: Digest, start: int, end: int) -> AbstractContextManager[Response]:
            """Hand out bytes ``start`` to ``end``."""


_BUFFER = 1 << 20
_HASHED_AT_ONCE = 4 << 20


@dataclass(slots=True)
class Budget:
    """What the downloads of one command share: a number of connections, a sign to stop, and the counts of bytes."""

    connections: int
    limits: Limits
    stop: threading.Event = field(default_factory=threading.Event)
    received: int = 0
    sent: int = 0
    slots: threading.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self.slots = threading.Semaphore(self.connections)


def download(
    blobs: Blobs, repository: str, layer: Layer, folder: Folder, budget: Budget, progress: ProgressSink = silent
) -> Path:
    """Bring a blob into ``folder`` and return its file, complete, verified and on the disk.

    Raises DigestMismatch (what came is thrown away then), ServerError or StoreError (what is there is kept).
    """
    with growing(folder, layer.digest, layer.size) as file:
        resumed = file.resume()
        if not resumed:
            file.begin(budget.connections)
        try:
            _fetch(blobs, repository, layer, file, budget, progress)
        except DigestMismatch:
            file.begin(budget.connections)
            if not resumed:
                file.discard()
                raise
            try:  # what an earlier run left may be the part that is wrong
                _fetch(blobs, repository, layer, file, budget, progress)
            except DigestMismatch:
                file.discard()
                raise
        os.fsync(file.descriptor)
        return file.path


def _fetch(blobs: Blobs, repository: str, layer: Layer, file: PartFile, budget: Budget, progress: ProgressSink) -> None:
    os.ftruncate(file.descriptor, layer.size)
    hasher = _Hasher(file)
    try:
        work = _Work(blobs, repository, layer, file, budget, progress, hasher)
        open_parts = [part for part in file.parts if part.done < part.end]
        if len(open_parts) <= 1:
            for part in open_parts:
                work.bring(part)
        else:
            with ThreadPoolExecutor(min(budget.connections, len(open_parts))) as pool:
                for done in [pool.submit(work.bring, part) for part in open_parts]:
                    done.result()
        if file.done < layer.size:
            raise ServerError("the transfer was stopped", hint="run the command again to go on")
        found = hasher.finish()
    finally:
        hasher.stop()
    if found != layer.digest:
        raise DigestMismatch(
            f"blob {layer.digest}: what came has the digest {found}; it was thrown away",
            hint="try again, or another mirror; if it happens again the registry's copy is damaged",
        )


@dataclass(slots=True)
class _Work:
    """The download of one blob."""

    blobs: Blobs
    repository: str
    layer: Layer
    file: PartFile
    budget: Budget
    progress: ProgressSink
    hasher: _Hasher
    failed: bool = False

    def bring(self, part: Part) -> None:
        """Bring one part, with as many tries as it takes while it moves on."""
        retry = Retry(self.budget.limits, self.budget.stop)
        while part.done < part.end:
            if self.failed or self.budget.stop.is_set():
                return
            before = part.done
            try:
                with self.budget.slots:
                    self._receive(part)
            except ServerError as error:
                if part.done > before:
                    retry.progressed()
                try:
                    retry.failed(error)
                except ModelsmithError:
                    self.failed = True
                    raise
            except BaseException:
                self.failed = True
                raise

    def _receive(self, part: Part) -> None:
        buffer = memoryview(bytearray(min(_BUFFER, part.end - part.done)))
        with self.blobs.blob(self.repository, self.layer.digest, part.done, part.end) as response:
            if response.status == 200:
                self._skip(response, part.done, buffer)
            while part.done < part.end:
                count = response.readinto(buffer[: part.end - part.done])
                if not count:
                    raise ServerError(f"GET {response.url}: the body ended {part.end - part.done} bytes too early")
                self._write(part, buffer[:count])
                if self.failed or self.budget.stop.is_set():
                    raise ServerError("the transfer was stopped")
            if response.status == 206 and response.rest is None and response.readinto(buffer):
                raise ServerError(
                    f"GET {response.url}: the body is longer than the part that was asked for", status=416
                )

    def _skip(self, response: Response, count: int, buffer: memoryview) -> None:
        """Pass over what comes before the part, from a server that knows no ranges."""
        if response.rest is not None and response.rest != self.layer.size:
            raise StoreError(
                f"blob {self.layer.digest} has {self.layer.size} bytes in the manifest, and {response.rest} in the registry",
                hint="the model is damaged there; push it again",
            )
        while count:
            read = response.readinto(buffer[:count])
            if not read:
                raise ServerError(f"GET {response.url}: the body ended too early")
            count -= read

    def _write(self, part: Part, data: memoryview) -> None:
        place, left = part.done, data
        while left:
            written = os.pwrite(self.file.descriptor, left, place)
            place, left = place + written, left[written:]
        self.file.advance(part, len(data))
        self.budget.received += len(data)
        self.hasher.wake()
        self.progress(
            Progress(f"pulling {self.layer.digest.short}", str(self.layer.digest), self.file.done, self.layer.size)
        )


class _Hasher:
    """Hashes what is there of a growing file, from the start on, while more comes."""

    def __init__(self, file: PartFile) -> None:
        self._file = file
        self._sha = hashlib.sha256()
        self._place = 0
        self._flushed = 0
        self._changed = threading.Event()
        self._ending = False
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="modelsmith-hash", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Say that there is more."""
        if self._file.frontier - self._place >= _HASHED_AT_ONCE:
            self._changed.set()

    def finish(self) -> Digest:
        """Hash the rest and return the digest; raises StoreError."""
        self.stop()
        if self._error is not None:
            raise StoreError(f"{self._file.path} cannot be read: {self._error.strerror}") from self._error
        return Digest(self._sha.hexdigest())

    def stop(self) -> None:
        """End the thread once everything that is there was hashed."""
        self._ending = True
        self._changed.set()
        self._thread.join()

    def _run(self) -> None:
        buffer = memoryview(bytearray(_BUFFER))
        try:
            while True:
                ending = self._ending
                self._hash(self._file.frontier, buffer)
                if ending:
                    return
                self._changed.wait()
                self._changed.clear()
        except OSError as error:
            self._error = error

    def _hash(self, end: int, buffer: memoryview) -> None:
        while self._place < end:
            count = os.preadv(self._file.descriptor, [buffer[: end - self._place]], self._place)
            if not count:
                raise OSError(0, "the file became shorter")
            self._sha.update(buffer[:count])
            self._place += count
        if self._place - self._flushed >= _HASHED_AT_ONCE:
            start_flushing(self._file.descriptor, self._flushed, self._place - self._flushed)
            self._flushed = self._place
