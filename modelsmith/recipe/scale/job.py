"""One model to make: all that whoever makes it needs to know; and what came of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from modelsmith.about import __version__
from modelsmith.errors import Unsupported
from modelsmith.name import ModelName
from modelsmith.recipe.read.load import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.progress import Progress, ProgressSink


@dataclass(frozen=True, slots=True)
class Job:
    """One model: ``label`` is how people know it, ``recipe`` the JSON of a recipe with values for its inputs.

    ``ollama`` is the version that will serve it, ``base`` what was sent to the exchange for it ("": nothing had to be), and
    ``secrets`` what must not be shown. Neither recipe nor secrets are in its ``repr``, which schedulers log.
    """

    label: str
    name: str
    recipe: str = field(repr=False)
    ollama: str | None = None
    as_is: bool = False
    base: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    version: str = __version__

    @classmethod
    def of(
        cls,
        recipe: Recipe,
        label: str,
        *,
        ollama: str | None = None,
        as_is: bool = False,
        secrets: Sequence[str] = (),
    ) -> Job:
        """Return the job that makes what a recipe says."""
        name = ModelName.strict(recipe.create).short
        text = recipe.model_dump_json(exclude_unset=True)
        return cls(label or name, name, text, ollama, as_is, secrets=tuple(secrets))

    def with_base(self, spec: str, adapters: Sequence[str], base: str) -> Job:
        """Return the job that starts from what was sent elsewhere."""
        recipe = self.to_recipe().model_copy(update={"from_": spec, "adapters": tuple(adapters)})
        return replace(self, recipe=recipe.model_dump_json(exclude_unset=True), base=base)

    def to_recipe(self) -> Recipe:
        """Return the recipe."""
        return Recipe.model_validate(_tuples(json.loads(self.recipe)))

    @property
    def key(self) -> str:
        """What tells it from others: equal keys make equal models."""
        parts = [self.version, self.name, self.recipe, self.ollama, self.as_is, self.base]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]

    def check_version(self) -> None:
        """Raise Unsupported where this modelsmith is not the one that asked."""
        if self.version != __version__:
            raise Unsupported(
                f"this worker is modelsmith {__version__}, and {self.version} asks: they could make different models",
                hint=f"install modelsmith=={self.version} there",
            )


def _tuples(value: Any) -> Any:
    """Return what JSON says as reading YAML would give it: lists are tuples."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Made:
    """A model that was made: the digest of its manifest, whether anything was written, and who made it."""

    digest: str
    changed: bool
    size: int = 0
    worker: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended: ``made``, or the ``error`` (with the way out) that it ended with; ``attempts`` is how often it was begun."""

    job: Job
    made: Made | None
    error: str = ""
    hint: str = ""
    attempts: int = 1
    seconds: float = 0.0


Work = Callable[[Job, "ProgressSink"], Made]
"""What makes a model of a job. It can be pickled, and raises ModelsmithError."""

Told = Callable[[Job, str, "Progress"], None]
"""What hears of progress: the job, who works on it, and how far that is."""


class Executor(Protocol):
    """Runs jobs, each once, however often it has to be begun anew."""

    def run(self, work: Work, jobs: Sequence[Job], told: Told) -> Iterator[Outcome]:
        """Yield how the jobs end, as they end. Closing the iterator cancels what is not ended."""
