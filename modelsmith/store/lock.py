"""One writer at a time: a lock between processes, released by the kernel however its holder ends.

Ollama itself takes no locks; beside a running one the store stays whole because blobs come before their manifest and a
manifest is replaced in one step.
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from modelsmith.progress import Progress, ProgressSink, silent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


@contextmanager
def locked(path: Path, progress: ProgressSink = silent) -> Iterator[None]:
    """Hold the lock file ``path``; says so once when another process has it, and waits. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(Progress(f"waiting for another modelsmith to finish with {path.parent.parent}"))
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            # some network file systems have no locks; Ollama has none either
            if error.errno not in _NO_LOCKS:
                raise
        yield
    finally:
        os.close(descriptor)
