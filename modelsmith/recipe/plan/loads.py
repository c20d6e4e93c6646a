"""What would keep llama.cpp from loading a plan's weights: told by plan and apply, which go on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from modelsmith.errors import ModelsmithError
from modelsmith.weights.gguf.edit.edit import edit
from modelsmith.weights.gguf.file import GGUFFile
from modelsmith.weights.gguf.verify.loads import refusals

if TYPE_CHECKING:
    from modelsmith.models.draft import Draft

_MOST = 3


def loading_faults(draft: Draft) -> tuple[str, ...]:
    """Return why llama.cpp would refuse the draft's weights or misread them, in sentences; as they are after its edits."""
    weights = draft.inherited.weights
    if weights is None:
        return ()
    try:
        with GGUFFile.open(weights) as gguf:
            after = replace(gguf, metadata=edit(gguf, draft.gguf).metadata) if draft.gguf else gguf
            found = refusals(after)
    except ModelsmithError:  # a file that cannot be read is told by the steps that need it
        return ()
    told = [f"{weights.name}: {fault.message}; {fault.hint}" for fault in found[:_MOST]]
    if len(found) > _MOST:
        told.append(f"{weights.name}: {len(found) - _MOST} more of this kind; see modelsmith gguf verify")
    return tuple(told)
