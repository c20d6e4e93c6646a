"""A Modelfile for ``ollama create NAME -f Modelfile``: it says all of the model but its weights, which FROM names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.recipe.emit.subject import Emitted, Unsaid
from modelsmith.recipe.plan.compile import written_modelfile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.recipe.emit.subject import Subject

TITLE = "a Modelfile"
FILE = "Modelfile"


def emit(subject: Subject) -> Emitted:
    """Return the Modelfile; changes of the weights are unsaid unless a file has them."""
    draft = subject.draft
    written = written_modelfile(draft, gguf=subject.weights if draft.changes_weights else None)
    if subject.hub is not None and not draft.changes_weights:
        written = written.set_from(subject.hub.ollama_name)
    text = str(written)
    return Emitted(text if text.endswith("\n") else f"{text}\n", tuple(_unsaid(subject)))


def _unsaid(subject: Subject) -> Iterator[Unsaid]:
    draft, hub = subject.draft, subject.hub
    if hub is not None and not draft.changes_weights and (hub.revision or hub.file):
        yield Unsaid(
            f"{hub.file or hub.repo}@{hub.revision or 'main'}", "FROM names a repository and a quantization only"
        )
    if subject.weights is not None or not draft.changes_weights:
        return
    why = "no instruction changes weights; write the changed file with --weights FILE, and FROM names it"
    if draft.gguf:
        yield Unsaid(f"gguf ({', '.join(sorted(draft.gguf))})", why)
    if draft.quantize is not None:
        yield Unsaid("quantize", why)
    if draft.adapters:
        yield Unsaid("adapters", why)
    if draft.merge_shards:
        yield Unsaid("merge-shards", why)
    if draft.base.inherited.checkpoint:
        yield Unsaid("import of Safetensors", why)
