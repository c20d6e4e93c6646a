"""Roll a model out: every blob to every host first, in parallel, then one host after the other, each checked; back where one fails.

What stood under the name is kept as ``NAME:before-rollout-DIGEST`` until the end, so that it can be put back whatever ends the
roll-out, by the next one or by hand.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from modelsmith.errors import ModelNotFound, ModelsmithError, RollOutFailed, VerificationFailed, system_errors
from modelsmith.files.unfinished import scratch_folder
from modelsmith.progress import Progress, ProgressSink, silent
from modelsmith.recipe.emit.targets import weights_source
from modelsmith.recipe.fleet.health import Health, promised_there
from modelsmith.recipe.plan.apply import apply
from modelsmith.recipe.plan.compile import taken_from
from modelsmith.recipe.plan.quantization import remember
from modelsmith.weights.blobs.blob import FileBlob

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from modelsmith.name import ModelName
    from modelsmith.recipe.plan.plan import Plan
    from modelsmith.store.model import CreateRequest

_MOST_UPLOADS: Final = 8
_BEFORE: Final = "before-rollout-"


@dataclass(frozen=True, slots=True)
class RolledOut:
    """What happened on one host: whether it changed, the digest of the model there, and what its check found."""

    location: str
    changed: bool
    digest: str
    health: str


def roll_out(
    plans: Sequence[Plan], *, health: Health = promised_there, progress: ProgressSink = silent
) -> tuple[RolledOut, ...]:
    """Carry out the plans of one recipe, one for each host, in their order.

    Nothing is created anywhere before every host has every blob. Raises VerificationFailed before anything is sent where a
    promise does not hold, RollOutFailed where a host fails: then every host has what it had before, or the message says which not.
    """
    for plan in plans:
        _check(plan)
    with _one_file([plan.fetched(progress) for plan in plans], progress) as ready:
        _upload(ready, progress)
        done: list[_Step] = []
        try:
            rolled = tuple(_roll(plan, health, done, progress) for plan in ready)
        except (ModelsmithError, OSError, KeyboardInterrupt) as error:
            failed = done[-1].plan.store.location if done else ready[0].store.location
            raise _rolled_back(error, failed, done, progress) from error
        finally:
            for step in done:
                step.forget()
        for plan in ready:
            _remove_leftovers(plan)
        return rolled


def _check(plan: Plan) -> None:
    if broken := next((promise for promise in plan.checked if not promise.holds), None):
        raise VerificationFailed(
            f"nothing was sent: {broken.promise}, but {broken.detail}", hint="`modelsmith plan` shows every promise"
        )
    if plan.missing:
        raise ModelNotFound(f"nothing was sent: {plan.store.location} lacks the base: {plan.missing}")


@contextmanager
@system_errors()
def _one_file(plans: Sequence[Plan], progress: ProgressSink) -> Iterator[tuple[Plan, ...]]:
    """Make weights that change once, in a file that every host is sent from, and hash every file once."""
    first = plans[0]
    with scratch_folder() as folder:
        gguf: Path | None = None
        if len(plans) > 1 and first.after.changes_weights and any(plan.preview.changes for plan in plans):
            gguf = folder / "model.gguf"
            source = weights_source(first)
            progress(Progress(f"making the weights of {first.name.short}", total=source.size))
            with gguf.open("wb") as file:
                for chunk in source.chunks():
                    file.write(chunk)
            remember(first.request, gguf)
        yield tuple(
            replace(plan, request=taken_from(plan.request, plan.after, gguf)) if gguf is not None else plan
            for plan in plans
        )


def _upload(plans: Sequence[Plan], progress: ProgressSink) -> None:
    """Send every host the blobs that it lacks, several hosts at a time; the first failure ends it, and nothing was created."""
    hashed = _Hashed()
    with ThreadPoolExecutor(min(_MOST_UPLOADS, len(plans)), "modelsmith-fleet") as pool:
        futures = [pool.submit(_send, plan, hashed, progress) for plan in plans if plan.preview.changes]
        for future in futures:
            future.result()


class _Hashed:
    """The digests of files, each found out once for all hosts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[Path, FileBlob] = {}

    def of(self, request: CreateRequest, progress: ProgressSink) -> None:
        """Let every file of a request know its digest."""
        with self._lock:
            for group in (request.files, request.draft_files, request.adapters):
                for source in group.values():
                    if not isinstance(source, FileBlob):
                        continue
                    if source.path in self._known:
                        source.remember(self._known[source.path].digest())
                    else:
                        source.digest(progress)
                        self._known[source.path] = source


def _send(plan: Plan, hashed: _Hashed, progress: ProgressSink) -> None:
    from modelsmith.store.ollama.ollama import OllamaStore

    store = plan.store
    if not isinstance(store, OllamaStore):
        return  # a folder takes its blobs when the model is created, all or nothing

    def told(step: Progress) -> None:
        progress(replace(step, status=f"{store.location}: {step.status}", digest=f"{store.location}{step.digest}"))

    hashed.of(plan.request, told)
    store.prepare(plan.request, told)


class _Step:
    """One host in the middle of a roll-out."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.before = plan.replaces
        self.kept: ModelName | None = None
        self.begun = False

    def keep(self) -> None:
        """Keep what stands under the name by a second one."""
        if self.before is not None:
            name = self.plan.name
            kept = replace(name, tag=f"{_BEFORE}{self.before.digest[:12]}")
            self.plan.store.copy(name, kept)
            self.kept = kept
        self.begun = True

    def put_back(self) -> None:
        """Give the name what it had before; raises ModelsmithError."""
        store, name = self.plan.store, self.plan.name
        if not self.begun:
            return
        if self.kept is not None:
            store.copy(self.kept, name)
            found = store.show(name).digest
            if self.before is not None and found != self.before.digest:
                raise VerificationFailed(f"{name.short} is {found[:12]} there, and was {self.before.digest[:12]}")
            return
        try:
            store.delete(name)
        except ModelNotFound:
            return

    def forget(self) -> None:
        """Remove the second name, unless the first could not be given back."""
        if self.kept is None:
            return
        try:
            self.plan.store.delete(self.kept)
        except ModelsmithError:
            return  # the host is gone; the next roll-out removes it
        self.kept = None


def _roll(plan: Plan, health: Health, done: list[_Step], progress: ProgressSink) -> RolledOut:
    step = _Step(plan)
    done.append(step)
    if not plan.changes:
        return RolledOut(
            plan.store.location, changed=False, digest=plan.store.show(plan.name).digest, health="no changes"
        )
    step.keep()
    applied = apply(plan, progress=progress)
    found = health(plan, progress)
    digest = applied.model.digest if applied.model is not None else ""
    return RolledOut(plan.store.location, changed=applied.changed, digest=digest, health=found)


def _remove_leftovers(plan: Plan) -> None:
    """Remove what a roll-out of this model left behind that was killed; only now is it needed no more."""
    with suppress(ModelsmithError):  # the host is gone; the next roll-out that succeeds removes it
        for name in plan.store.models():
            same = replace(name, tag=plan.name.tag).same_as(plan.name)
            if same and name.tag.startswith(_BEFORE):
                plan.store.delete(name)


def _rolled_back(error: BaseException, failed: str, done: Sequence[_Step], progress: ProgressSink) -> ModelsmithError:
    """Put everything back, the last host first; return the error that says what failed and what could not be put back."""
    lost: list[str] = []
    back: list[str] = []
    for step in reversed(done):
        location = step.plan.store.location
        progress(Progress(f"putting {step.plan.name.short} back on {location}"))
        try:
            step.put_back()
        except ModelsmithError as trouble:
            kept = f"; its model of before is kept there as {step.kept.short}" if step.kept else ""
            lost.append(f"{location}: {trouble.message}{kept}")
            step.kept = None  # so that it stays
        else:
            back += [location] if step.begun else []
    reason = error.message if isinstance(error, ModelsmithError) else str(error) or type(error).__name__
    told = f"{failed}: {reason}"
    told += f"; put back on {', '.join(back)}" if back else ""
    told += f"; NOT put back on {'; '.join(lost)}" if lost else "; every host has what it had before"
    hint = "see to these hosts first, then run it again" if lost else "mend it, then run it again: nothing is lost"
    return RollOutFailed(told, hint=hint)
