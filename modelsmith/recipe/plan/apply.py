"""Carry out a plan: files, then the model, then the proof that what is stored is what was planned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from modelsmith.errors import ModelNotFound, PlanChanged, Unsupported, VerificationFailed, system_errors
from modelsmith.files.outputs import check_output, stands_in_the_way
from modelsmith.files.paths import looks_like_path
from modelsmith.files.replacing import write
from modelsmith.files.unfinished import scratch_folder
from modelsmith.progress import Progress, ProgressSink, silent
from modelsmith.recipe.plan.compile import taken_from
from modelsmith.recipe.plan.metadata import differs
from modelsmith.recipe.plan.plan import stored
from modelsmith.recipe.plan.quantization import remember
from modelsmith.recipe.plan.requires import too_old
from modelsmith.recipe.plan.served import check_served
from modelsmith.store.open import tidied
from modelsmith.syntax.modelfile.table import NOTED

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.recipe.plan.plan import Plan
    from modelsmith.store.model import StoredModel

_DIFFERENT = "the model was created; look at it with `ollama show --modelfile`, and report this with both texts"
_DAMAGED = (
    "a server keeps a damaged file of its store when it makes a model again: on its machine, `modelsmith store fsck --store FOLDER` "
    "names one; then remove that file and apply again, else"
)


@dataclass(frozen=True, slots=True)
class Applied:
    """The outcome: whether anything was written, the model as it is stored now, and what its server says of it.

    ``model`` is None where FROM is not here, and only a Modelfile was written.
    """

    changed: bool
    model: StoredModel | None
    served: tuple[str, ...] = ()


def apply(plan: Plan, *, via: str = "api", overwrite: bool = False, progress: ProgressSink = silent) -> Applied:
    """Carry out a plan; with nothing to change, only verify.

    ``via`` is ``api`` (the store itself) or ``cli`` (exactly ``ollama create NAME -f FILE``, with the Modelfile that
    the plan writes, else with one in a temporary folder). ``overwrite`` lets the Modelfile and the GGUF beside it replace other files, which are kept as
    ``NAME.old``; without it these raise UsageError. Raises VerificationFailed when a promise of the recipe does not hold (before anything is
    written) or the stored model differs from the plan, or from what its server says of it, PlanChanged when the target moved since the plan was made.
    Killed at any moment it leaves the old model or the new one; applying again finishes the work.
    """
    plan = plan.fetched(progress)
    broken = [checked for checked in plan.checked if not checked.holds]
    if broken:
        raise VerificationFailed(
            f"nothing was written: {broken[0].promise}, but {broken[0].detail}",
            hint="`modelsmith plan` shows every promise and the prompts",
        )
    if plan.missing:
        return _modelfile_alone(plan, overwrite=overwrite, progress=progress)
    if not plan.changes:
        model = tidied(plan.store).show(plan.name)
        verify(plan, model)
        return Applied(changed=False, model=model, served=check_served(plan, prompts=False))
    if plan.in_the_way and not overwrite:
        check_output(plan.in_the_way[0], force=False)
    if outdated := too_old(plan.store, plan.after):
        raise Unsupported(
            f"nothing was written: {outdated}",
            hint="update that Ollama, or name another place with --store",
        )
    program = _program(plan) if via == "cli" else ""
    _check_drift(plan)
    if plan.modelfile is not None:
        _write_files(plan, plan.modelfile, progress)
    if program:
        model = _create_by_command(plan, program, progress)
    else:
        request = plan.request if plan.gguf is None else taken_from(plan.request, plan.after, plan.gguf)
        model = plan.store.create(plan.name, request, as_is=plan.as_is, progress=progress)
    remember(plan.request, plan.gguf)
    verify(plan, model)
    served = check_served(plan, progress=progress)
    progress(Progress("verified"))
    return Applied(changed=True, model=model, served=served)


def _modelfile_alone(plan: Plan, *, overwrite: bool, progress: ProgressSink) -> Applied:
    """Write the Modelfile of a plan whose FROM is not here; raises ModelNotFound where none is asked for."""
    if plan.modelfile is None:
        base = plan.after.base
        origin = plan.after.modelfile.from_ or "" if base.missing else base.absent[0].partition(" ")[2]
        way = f"put {origin} there" if looks_like_path(origin) else f"run `ollama pull {origin}`"
        raise ModelNotFound(
            f"{plan.name.short} cannot be created: {plan.missing}",
            hint=f"{way}, or write the Modelfile alone with --modelfile FILE",
        )
    if plan.in_the_way and not overwrite:
        check_output(plan.in_the_way[0], force=False)
    if plan.modelfile_changes:
        _write_files(plan, plan.modelfile, progress)
        return Applied(changed=True, model=None)
    return Applied(changed=False, model=None)


def _program(plan: Plan) -> str:
    from modelsmith.store.ollama.command import find_command

    return find_command(plan.store)


@system_errors()
def _create_by_command(plan: Plan, program: str, progress: ProgressSink) -> StoredModel:
    """Run ``ollama create`` on the Modelfile that was written, or on one that is there for as long as the command runs."""
    from modelsmith.store.ollama.command import create_by_command

    if plan.modelfile is not None:
        create_by_command(program, plan.name, plan.modelfile, plan.store, progress)
    else:
        with scratch_folder() as folder:
            modelfile = folder / "Modelfile"
            _write_files(replace(plan, modelfile=modelfile), modelfile, progress)
            create_by_command(program, plan.name, modelfile, plan.store, progress)
    made = stored(plan.store, plan.name)
    if made is None or (made.digest == _digest(plan.replaces) and not _is_as_planned(plan, made)):
        said = f"`{program} create` says that all went well, and {plan.name.short} is"
        raise VerificationFailed(
            f"{said} {'as it was' if made else 'not there'} on {plan.store.location}",
            hint=f"is {program} really Ollama's own program? leave out --via cli, and modelsmith creates the model itself",
        )
    return made


def _digest(model: StoredModel | None) -> str | None:
    return model.digest if model else None


def _is_as_planned(plan: Plan, model: StoredModel) -> bool:
    try:
        verify(plan, model)
    except VerificationFailed:
        return False
    return True


def verify(plan: Plan, model: StoredModel) -> None:
    """Compare the stored model with the plan; raises VerificationFailed naming the first difference."""
    after = plan.after
    expected: dict[str, tuple[object, object]] = {
        "SYSTEM": (model.system, after.system),
        **{
            keyword: (model.noted.get(command, ""), plan.request.fields.get(command) or after.noted[command])
            for command, keyword in NOTED.items()
        },
        "PARAMETERs": (dict(model.parameters), after.parameters),
    }
    if after.template_text is not None:
        expected["TEMPLATE"] = (model.template, after.template_text)
    if model.chat_template_known:
        chat_template = after.chat_template
        expected["tokenizer.chat_template"] = (model.chat_template, chat_template.text if chat_template else None)
    if model.weights is not None and not after.quantize and (key := differs(after, model.weights)):
        raise VerificationFailed(
            f"{key} in the GGUF of {plan.name.short} in {plan.store.location} is not what was planned",
            hint="the model was created; look at it with `modelsmith gguf get`, and report this",
        )
    for what, (found, planned) in expected.items():
        if found != planned:
            raise VerificationFailed(
                f"{what} of {plan.name.short} in {plan.store.location} is {found!r:.200}, planned was {planned!r:.200}",
                hint=_DIFFERENT if plan.store.ollama_version() is None else f"{_DAMAGED} {_DIFFERENT}",
            )


def _check_drift(plan: Plan) -> None:
    """Stop when the target is another model than the one the plan showed."""
    if _digest(stored(plan.store, plan.name)) != _digest(plan.replaces):
        raise PlanChanged(
            f"{plan.name.short} changed since the plan was made", hint="plan again and look at the difference"
        )


def _write_files(plan: Plan, modelfile: Path, progress: ProgressSink) -> None:
    source = plan.gguf_to_write
    if plan.gguf is not None and source is not None:
        progress(Progress(f"writing {plan.gguf.name}", total=source.size))
        write(plan.gguf, source.chunks())
    if stands_in_the_way(modelfile, plan.modelfile_text) or not modelfile.exists() or not modelfile.stat().st_size:
        write(modelfile, [plan.modelfile_text])
