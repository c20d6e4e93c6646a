"""One writer at a time: a lock between processes, released by the kernel however its holder ends.

Ollama itself takes no locks; beside a running one the store stays whole because blobs come before their manifest and a
manifest is replaced in one step.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from modelsmith.files.locking import NoLocks, lock
from modelsmith.progress import Progress, ProgressSink, silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.store.folder import Folder


@contextmanager
def locked(folder: Folder, name: str, what: str, progress: ProgressSink = silent) -> Iterator[None]:
    """Hold the lock file ``name`` of a folder; says so once when another process works on ``what``, and waits.

    Raises StoreError where the file is a link, OSError.
    """
    is_new = not folder.exists(name)
    descriptor = folder.open(name, os.O_RDWR | os.O_CREAT)
    try:
        if is_new:
            folder.adopt(name)
        with suppress(NoLocks):  # Ollama has none either
            if not lock(descriptor, waits=False):
                progress(Progress(f"waiting for another modelsmith to finish with {what}", is_notice=True))
                lock(descriptor, waits=True)
        yield
    finally:
        os.close(descriptor)
