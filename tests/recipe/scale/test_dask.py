"""Jobs on a cluster while they run: what they say comes at once, and what is called back ends at its next step."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

import pytest

from modelsmith.progress import Progress, ProgressSink
from modelsmith.recipe.read.load import parse_recipe
from modelsmith.recipe.scale.dask_cluster import DaskCluster
from modelsmith.recipe.scale.job import Job, Made

distributed = pytest.importorskip("distributed")
PATIENCE = 600.0


@dataclass(frozen=True)
class Stepping:
    """Work that goes on in steps until it is told that that is enough, or called back."""

    enough: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def __call__(self, job: Job, progress: ProgressSink) -> Made:
        try:
            while not self.enough.wait(0.01):
                progress(Progress(f"making {job.label}"))
        finally:
            self.ended.set()
        return Made("0" * 64, changed=True, size=1, worker="here")


WORK = Stepping()


def stepping(job: Job, progress: ProgressSink) -> Made:
    """Do the work of this process: what crosses to a worker is the function's name."""
    return WORK(job, progress)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[DaskCluster]:
    monkeypatch.setitem(globals(), "WORK", Stepping())
    with (
        distributed.LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            processes=False,
            protocol="tcp",
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # without it all schedulers of a machine want 8787
        ) as made,
        closing(DaskCluster(made.scheduler_address.replace("tcp", "dask"))) as found,
    ):
        yield found
        WORK.enough.set()


def job(label: str) -> Job:
    recipe = parse_recipe(f"name: r\nfrom: m\ncreate: {label}\n").resolve({})
    return Job.of(recipe, label, ollama=None, as_is=False)


def test_what_a_worker_says_comes_while_it_works(cluster: DaskCluster) -> None:
    told: list[str] = []

    def tell(of: Job, worker: str, step: Progress) -> None:
        del worker
        told.append(f"{of.label}: {step.status}")
        WORK.enough.set()  # the job ends only because it was heard before

    (outcome,) = cluster.run(stepping, [job("one")], tell)
    assert outcome.made is not None
    assert told[0] == "one: making one"


def test_what_is_called_back_ends(cluster: DaskCluster) -> None:
    def interrupted(of: Job, worker: str, step: Progress) -> None:
        del of, worker, step
        raise KeyboardInterrupt

    running = cluster.run(stepping, [job("one"), job("two")], interrupted)
    with pytest.raises(KeyboardInterrupt):
        next(running)
    assert WORK.ended.wait(PATIENCE), "the worker goes on"
    assert not WORK.enough.is_set()


def test_jobs_that_end_are_told_once_each(cluster: DaskCluster) -> None:
    WORK.enough.set()
    jobs = [job(name) for name in ("one", "two", "three")]
    outcomes = list(cluster.run(stepping, jobs, lambda *_: None))
    assert sorted(each.job.label for each in outcomes) == ["one", "three", "two"]
    assert all(each.made is not None for each in outcomes)
