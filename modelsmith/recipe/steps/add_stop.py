"""Step ``add-stop``: more texts that end the answer, beside those that the model has.

Source of the rules: Ollama server/create.go (a list in a Modelfile replaces the inherited one whole).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from modelsmith.recipe.parts.fields import Part, Texts

if TYPE_CHECKING:
    from modelsmith.models.draft import Draft


class Options(Part):
    """Add texts to the PARAMETER stop; those that the model has, inherited ones too, are kept."""

    stop: Annotated[Texts, Field(min_length=1)]
    """The texts at which the answer ends, e.g. the tokenizer's end-of-turn token."""


def edit(draft: Draft, *options: Options) -> Draft:
    """Return the draft that also stops at these texts; one that does so already stays as it is."""
    present = list(draft.parameters.get("stop", ()))
    wanted = dict.fromkeys(text for option in options for text in option.stop)
    missing = [text for text in wanted if text not in present]
    modelfile = draft.modelfile
    if not missing:
        return draft
    if not modelfile.parameters.get("stop"):
        return replace(draft, modelfile=modelfile.set_parameter("stop", *dict.fromkeys(present), *missing))
    for text in missing:
        modelfile = modelfile.append_parameter("stop", text)
    return replace(draft, modelfile=modelfile)
