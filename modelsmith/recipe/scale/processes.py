"""Jobs in processes of this machine: each has its own, so that one that dies takes no other with it."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

from modelsmith.errors import ModelsmithError
from modelsmith.hidden import hide, hiding, unseen
from modelsmith.recipe.scale.job import Job, Made, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.process import BaseProcess

    from modelsmith.progress import Progress
    from modelsmith.recipe.scale.job import Told, Work

ATTEMPTS = 3
"""How often a job is begun whose process dies."""
_END_SECONDS = 5.0


@dataclass(slots=True)
class _Running:
    job: Job
    process: BaseProcess
    attempt: int
    began: float


class LocalProcesses:
    """Runs up to ``jobs`` processes at a time."""

    def __init__(self, jobs: int) -> None:
        self._jobs = max(1, jobs)
        # a fresh interpreter: a fork would inherit connections, locks and threads
        self._context = multiprocessing.get_context("spawn")

    def run(self, work: Work, jobs: Sequence[Job], told: Told) -> Iterator[Outcome]:
        """Yield how the jobs end, as they end; what runs when the iterator is closed is ended."""
        waiting = deque((job, 1) for job in jobs)
        running: dict[Connection, _Running] = {}
        try:
            while waiting or running:
                while waiting and len(running) < self._jobs:
                    job, attempt = waiting.popleft()
                    receiver, started = self._start(work, job, attempt)
                    running[receiver] = started
                for ready in wait(list(running)):
                    if not isinstance(ready, Connection):
                        continue
                    one = running[ready]
                    said = _received(ready)
                    if said is not None and said[0] == "progress":
                        told(one.job, f"process {one.process.pid}", said[1])
                        continue
                    del running[ready]
                    ready.close()
                    one.process.join()
                    outcome = _outcome(one, said)
                    if outcome is None:
                        waiting.append((one.job, one.attempt + 1))
                    else:
                        yield outcome
        finally:
            for receiver, one in running.items():
                _end(one.process)
                receiver.close()

    def _start(self, work: Work, job: Job, attempt: int) -> tuple[Connection, _Running]:
        receiver, sender = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_child, args=(sender, work, job), daemon=True)
        with _deaf_to_interrupts():
            process.start()
        sender.close()  # so that the end of the process is the end of what it says
        return receiver, _Running(job, process, attempt, time.monotonic())


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Let processes that begin now never see Ctrl-C, which a terminal sends to all of them: this one ends them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _received(connection: Connection) -> tuple[str, Any] | None:
    """Return what a process says; None where it ended without a word."""
    try:
        said: tuple[str, Any] = connection.recv()
    except (EOFError, OSError):
        return None
    return said


def _outcome(one: _Running, said: tuple[str, Any] | None) -> Outcome | None:
    """Return how a job ended; None where its process died and it shall be begun anew."""
    seconds = time.monotonic() - one.began
    match said:
        case ("made", Made() as made):
            return Outcome(one.job, made, attempts=one.attempt, seconds=seconds)
        case ("failed", (str() as error, str() as hint)):
            return Outcome(one.job, None, error, hint, one.attempt, seconds)
    if one.attempt < ATTEMPTS:
        return None
    error = f"its process died {one.attempt} times (exit code {one.process.exitcode})"
    return Outcome(one.job, None, error, "is there enough memory?", one.attempt, seconds)


def _end(process: BaseProcess) -> None:
    process.terminate()
    process.join(_END_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()


def _child(sender: Connection, work: Work, job: Job) -> None:
    """Do one job and say how it ended."""

    def tell(progress: Progress) -> None:
        sender.send(("progress", progress))

    with hiding():
        for secret in job.secrets:
            hide(secret)
        try:
            job.check_version()
            sender.send(("made", work(job, tell)))
        except ModelsmithError as error:
            sender.send(("failed", (error.message, error.hint)))
        except OSError as error:
            sender.send(("failed", (unseen(str(error)), "")))
    sender.close()
