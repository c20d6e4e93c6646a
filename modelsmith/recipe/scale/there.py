"""Make a model of a job on another machine: what it starts from comes from the exchange, and the model goes there."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.name import ModelName
from modelsmith.recipe.plan.apply import apply
from modelsmith.recipe.plan.plan import plan
from modelsmith.recipe.scale.job import Made

if TYPE_CHECKING:
    from modelsmith.progress import ProgressSink
    from modelsmith.recipe.scale.exchange import Exchange
    from modelsmith.recipe.scale.job import Job


@dataclass(frozen=True, slots=True)
class MakeThere:
    """Plans and applies a job in a store of this worker, and sends the model to ``exchange``."""

    exchange: Exchange

    def __call__(self, job: Job, progress: ProgressSink) -> Made:
        """Make the model, unless somebody did before."""
        worker = socket.gethostname()
        if digest := self.exchange.result(job):
            return Made(digest, changed=False, worker=worker)
        scratch = self.exchange.scratch(job)
        recipe = self.exchange.fetch_base(job, scratch, progress)
        # jobs of several callers may share this store: the name is the job's alone
        own = ModelName.parse(f"jobs/{job.key}")
        recipe = recipe.model_copy(update={"create": own.short})
        applied = apply(plan(recipe, scratch, version=job.ollama, as_is=job.as_is), progress=progress)
        if applied.model is None:
            raise AssertionError("a job without a model was applied")
        self.exchange.send_result(job, scratch, own, progress)
        # it stays in the store of this worker: the next job may need the same weights
        return Made(applied.model.digest, changed=True, size=applied.model.size, worker=worker)
