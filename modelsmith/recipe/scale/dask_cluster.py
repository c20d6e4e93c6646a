"""Jobs on a cluster of dask.distributed: ``dask://SCHEDULER:8786``. The one door to it.

Sources: distributed ``client.py`` (run, submit, subscribe_topic, Future.add_done_callback), ``scheduler.py`` (a task whose worker dies is begun anew
elsewhere, up to ``allowed-failures`` times).
"""

from __future__ import annotations

import queue
import time
import uuid
from typing import TYPE_CHECKING, Any, Final

from modelsmith.about import __version__
from modelsmith.errors import ModelsmithError, ServerError, Unsupported, UsageError
from modelsmith.hidden import hide, hiding, unseen
from modelsmith.progress import Progress
from modelsmith.recipe.scale.job import Job, Made, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.recipe.scale.job import Told, Work

_SCHEMES: Final = {"dask": "tcp", "dask+tls": "tls"}
_WAIT_SECONDS: Final = 30
_RETRIES: Final = 2
"""How often a job is begun anew after a failure that may pass, such as a registry that did not answer."""
_TOLD_SECONDS: Final = 0.5


def check_address(address: str) -> None:
    """Raise UsageError for what is not the address of a scheduler."""
    scheme, separator, place = address.partition("://")
    if not separator or scheme not in _SCHEMES or not place:
        raise UsageError(
            f"{address!r:.120} is no scheduler",
            hint="write it as dask://HOST:8786; without --executor the models are made here, --jobs N at a time",
        )


class DaskCluster:
    """The workers of one scheduler. Close it."""

    def __init__(self, address: str) -> None:
        check_address(address)
        scheme, _, place = address.partition("://")
        try:
            import distributed
        except ImportError as error:
            raise Unsupported("dask.distributed is not installed", hint="pip install 'modelsmith[scale]'") from error
        self._address = address
        try:
            connect: Any = distributed.Client
            self._client: Any = connect(f"{_SCHEMES[scheme]}://{place}", set_as_default=False, timeout=_WAIT_SECONDS)
        except (OSError, TimeoutError, ValueError) as error:
            raise ServerError(
                f"no scheduler answers at {address}: {error}", hint="start one: dask scheduler"
            ) from error

    def close(self) -> None:
        """Let go of the scheduler."""
        self._client.close()

    def check(self) -> int:
        """Return how many workers there are; raises Unsupported where one is of another version, ServerError where none comes."""
        try:
            self._client.wait_for_workers(1, timeout=_WAIT_SECONDS)
        except TimeoutError as error:
            raise ServerError(
                f"{self._address} has no workers", hint="start some: dask worker SCHEDULER:8786"
            ) from error
        try:
            versions: dict[str, str] = self._client.run(version_here)
        except (ImportError, AttributeError) as error:
            raise Unsupported(
                f"a worker of {self._address} has no modelsmith, or a much older one: {error}",
                hint=f"install modelsmith=={__version__} on every worker",
            ) from error
        if others := {worker: version for worker, version in versions.items() if version != __version__}:
            worker, version = next(iter(others.items()))
            raise Unsupported(
                f"{len(others)} of {len(versions)} workers are of another version: {worker} is modelsmith {version}, this is {__version__}",
                hint=f"install modelsmith=={__version__} there; others could make different models",
            )
        return len(versions)

    def run(self, work: Work, jobs: Sequence[Job], told: Told) -> Iterator[Outcome]:
        """Yield how the jobs end, as they end; what runs when the iterator is closed is cancelled."""
        import distributed

        self.check()
        topic = f"modelsmith-{uuid.uuid4().hex}"
        events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._client.subscribe_topic(topic, lambda event: events.put(event[1]))
        began = time.monotonic()
        by_key = {job.key: job for job in jobs}
        futures = {
            self._client.submit(_worked, work, job, topic, key=f"{topic}-{job.key}", retries=_RETRIES, pure=False): job
            for job in by_key.values()
        }
        for future in futures:
            future.add_done_callback(events.put)
        left = len(futures)
        try:
            while left:
                event = (
                    events.get()
                )  # what workers say and how jobs end come in one line, so that neither waits for the other
                if isinstance(event, distributed.Future):
                    left -= 1
                    yield _outcome(futures[event], event, time.monotonic() - began)
                else:
                    _tell(event, by_key, told)
        finally:
            self._client.cancel([future for future in futures if not future.done()], force=True)
            self._client.unsubscribe_topic(topic)


def version_here() -> str:
    """Return the version of this modelsmith; asked of every worker."""
    return __version__


def _tell(event: tuple[str, str, dict[str, Any]], jobs: dict[str, Job], told: Told) -> None:
    key, worker, said = event
    if key in jobs:
        told(jobs[key], worker, Progress(**said))


class _Cancelled(Exception):
    """Nobody waits for the job any more."""


def _worked(work: Work, job: Job, topic: str) -> tuple[Made | None, str, str]:
    """Do one job on a worker; what cannot work is an answer, what may work another time is raised."""
    from distributed import get_worker

    worker: Any = get_worker()
    task: str = worker.get_current_task()
    last: dict[str, float] = {}

    def tell(progress: Progress) -> None:
        if _is_cancelled(worker, task):
            raise _Cancelled  # a thread cannot be ended from outside
        now = time.monotonic()
        key = progress.status + progress.digest
        if progress.total and progress.completed < progress.total and now - last.get(key, 0.0) < _TOLD_SECONDS:
            return
        last[key] = now
        said = {"status": progress.status, "completed": progress.completed, "total": progress.total}
        worker.log_event(topic, (job.key, worker.address, said | {"digest": progress.digest}))

    with hiding():
        for secret in job.secrets:
            hide(secret)
        try:
            job.check_version()
            made = work(job, tell)
        except _Cancelled:
            return None, "it was cancelled", ""
        except ServerError:
            raise  # it may answer another time: the scheduler tries again
        except ModelsmithError as error:
            return None, error.message, error.hint
        except OSError as error:
            return None, unseen(str(error)), ""
    return Made(made.digest, made.changed, made.size, f"{worker.address} ({made.worker})"), "", ""


def _is_cancelled(worker: Any, task: str) -> bool:
    """Say whether the scheduler has called a task back. Source: distributed ``worker_state_machine.py`` (``TaskStateState``)."""
    found = worker.state.tasks.get(task)
    return found is None or found.state == "cancelled"


def _outcome(job: Job, future: Any, seconds: float) -> Outcome:
    if future.status == "finished":
        made, error, hint = future.result()
        return Outcome(job, made, error, hint, seconds=seconds)
    if future.status == "cancelled":
        return Outcome(job, None, "it was cancelled", seconds=seconds)
    error = future.exception()
    hint = getattr(error, "hint", "") or "the workers' logs say more"
    return Outcome(job, None, unseen(f"{type(error).__name__}: {error}"), str(hint), seconds=seconds)
