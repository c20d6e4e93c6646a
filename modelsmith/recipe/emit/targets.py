"""The tools that a recipe can be written down for: one row and one module each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from modelsmith.errors import ModelNotFound, Unsupported, VerificationFailed
from modelsmith.files.replacing import write
from modelsmith.progress import Progress, ProgressSink, silent
from modelsmith.recipe.emit import compose, llama_preset, lmstudio, modelfile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from modelsmith.recipe.emit.subject import Emitted, Subject
    from modelsmith.recipe.plan.plan import Plan
    from modelsmith.store.model import BlobSource


class Target(NamedTuple):
    """A tool: what is written for it, how the file is called there, and what writes it."""

    title: str
    file: str
    emit: Callable[[Subject], Emitted]


TARGETS = {
    "modelfile": Target(modelfile.TITLE, modelfile.FILE, modelfile.emit),
    "llama-preset": Target(llama_preset.TITLE, llama_preset.FILE, llama_preset.emit),
    "compose": Target(compose.TITLE, compose.FILE, compose.emit),
    "lmstudio": Target(lmstudio.TITLE, lmstudio.FILE, lmstudio.emit),
}


def check_holds(plan: Plan) -> None:
    """Raise VerificationFailed where a promise of the recipe does not hold: no other tool would check it again."""
    for checked in plan.checked:
        if not checked.holds:
            raise VerificationFailed(
                f"nothing was written: {checked.promise}, but {checked.detail}",
                hint="`modelsmith plan` shows every promise and the prompts",
            )


def write_weights(plan: Plan, path: Path, progress: ProgressSink = silent) -> None:
    """Write the model's GGUF to a file, changed as the recipe says; raises Unsupported where it cannot be read here."""
    source = weights_source(plan)
    progress(Progress(f"writing {path.name}", total=source.size))
    write(path, source.chunks(), hint="name another place with --weights")


def weights_source(plan: Plan) -> BlobSource:
    """Return the bytes of the model's GGUF; raises Unsupported where they cannot be read here."""
    from modelsmith.weights.blobs.blob import FileBlob

    weights = plan.after.inherited.weights
    if plan.missing:
        raise ModelNotFound(f"there are no weights to write: {plan.missing}", hint="leave --weights out")
    if weights is None:
        raise Unsupported(
            f"the weights of {plan.recipe.from_} cannot be read from here", hint="run it on the server's machine"
        )
    for source in plan.request.files.values():
        if source.path == weights:
            return source
    return FileBlob(weights)
