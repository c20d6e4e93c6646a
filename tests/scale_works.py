"""What the processes of tests do with jobs; a fresh interpreter finds it by its name."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from modelsmith.errors import Unsupported
from modelsmith.progress import Progress, ProgressSink
from modelsmith.recipe.scale.job import Job, Made


@dataclass(frozen=True)
class Scripted:
    """Notes each beginning in a folder, and does what the job's name says."""

    folder: Path

    def __call__(self, job: Job, progress: ProgressSink) -> Made:
        begun = len(list(self.folder.glob(f"{job.name}-*")))
        note = self.folder / f"{job.name}-{begun}"
        note.with_name(f".{note.name}").write_text(str(os.getpid()))
        note.with_name(f".{note.name}").rename(note)
        progress(Progress("working", "", 1, 2))
        if job.name.startswith("dies") and begun < int(job.name[4]):
            os.kill(os.getpid(), signal.SIGKILL)
        if job.name.startswith("fails"):
            raise Unsupported(f"it cannot be: {job.secrets}", hint="leave it")
        if job.name.startswith("interrupted"):
            os.kill(os.getpid(), signal.SIGINT)
        if job.name.startswith("waits"):
            threading.Event().wait()
        while job.name.startswith("after-waits") and not list(self.folder.glob("waits-*")):
            time.sleep(0.01)
        return Made(f"digest of {job.name}", changed=True)
