"""Step ``convert-jinja``: the Jinja template inside the GGUF as TEMPLATE, where that is proven to be the same."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from modelsmith.errors import ConversionError, UnquotableValue
from modelsmith.recipe.parts.fields import Part

if TYPE_CHECKING:
    from modelsmith.models.draft import Draft
    from modelsmith.template.convert.conversion import Conversion


class Options(Part):
    """Give the model a TEMPLATE that renders every conversation as the Jinja template inside its GGUF does.

    So an Ollama before 0.30 shows it the same prompts. Where that cannot be proven, the template is left to the GGUF; the plan says why.
    """


def edit(draft: Draft, *options: Options) -> Draft:
    """Return the draft with the converted template, or the same one with a note that says why not."""
    del options
    from modelsmith.template.go.template import Template

    chat_template = draft.chat_template
    if chat_template is None:
        return _left(draft, "the GGUF has none, or it cannot be read here")
    if draft.modelfile.template or (draft.inherited.stored and draft.inherited.template is not None):
        return _left(draft, "the base has a TEMPLATE of its own")
    before = draft.effective
    if before.source in {"renderer", "harmony"}:
        return _left(draft, f"no template of this model runs: {before.reason}")
    try:
        conversion = _converted(chat_template.text, draft.inherited.ends["eos_token"])
    except ConversionError as error:
        return _left(draft, error.message)
    if not conversion.proven:
        difference = conversion.counterexample
        named = (
            f"the nearest one differs for {difference.name}" if difference else "not all conversations can be compared"
        )
        return _left(draft, named)
    try:
        edited = draft.with_template(Template.parse(conversion.template.text))
    except UnquotableValue as error:
        return _left(draft, error.message)
    if missing := sorted(before.capabilities - edited.effective.capabilities):
        return _left(draft, f"the model would lose {', '.join(missing)}")
    return edited.with_note(
        "convert-jinja: the GGUF's Jinja template became the TEMPLATE: proven equal in all conversations"
    )


@lru_cache(maxsize=8)
def _converted(text: str, eos_token: str) -> Conversion:
    """Convert once for a plan and for its carrying out, which plans again when a download is here."""
    from modelsmith.template.convert.to_go.convert import to_go
    from modelsmith.template.jinja.template import ChatTemplate

    return to_go(ChatTemplate.parse(text), eos_token=eos_token)


def _left(draft: Draft, reason: str) -> Draft:
    return draft.with_note(f"convert-jinja: the chat template is left to the GGUF: {reason}")
