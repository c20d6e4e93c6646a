"""Make a model of a job in a store that this machine can reach."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.recipe.plan.apply import apply
from modelsmith.recipe.plan.plan import plan
from modelsmith.recipe.scale.job import Made
from modelsmith.store.open import open_store

if TYPE_CHECKING:
    from modelsmith.progress import ProgressSink
    from modelsmith.recipe.scale.job import Job


@dataclass(frozen=True, slots=True)
class MakeHere:
    """Plans and applies a job in the store at ``location``."""

    location: str

    def __call__(self, job: Job, progress: ProgressSink) -> Made:
        """Make the model; nothing is written where it is there as it should be."""
        store = open_store(self.location)
        planned = plan(job.to_recipe(), store, version=job.ollama, as_is=job.as_is)
        applied = apply(planned, progress=progress)
        if applied.model is None:
            raise AssertionError("a job without a model was applied")
        return Made(applied.model.digest, applied.changed, applied.model.size, f"process {os.getpid()}")
