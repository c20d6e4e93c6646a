"""Step ``declare-thinking``: let Ollama see with which tags the model thinks."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING

from modelsmith.errors import InjectionError
from modelsmith.recipe.parts.fields import Part, Text

if TYPE_CHECKING:
    from modelsmith.models.draft import Draft


class Options(Part):
    """Make Ollama separate reasoning from the answer: its tags stand around `.Thinking` in the template."""

    opening: str = ""
    """The tag that opens the reasoning; left out or empty: the one that is found in the model's templates, else `<think>`."""

    closing: str = ""
    """The tag that closes the reasoning; left out or empty: the one that is found, else `</think>`."""

    parser: Text | None = None
    """A PARSER to add when the template cannot declare tags: one that renders turn by turn (`.Prompt`) cannot."""


def edit(draft: Draft, *options: Options) -> Draft:
    """Return the draft whose Go template declares the tags; raises InjectionError where it cannot and no parser is given.

    The Jinja template inside the GGUF declares them by the step ``make-effective``, where that one runs.
    """
    return reduce(_edit, options, draft)


def _edit(draft: Draft, options: Options) -> Draft:
    from modelsmith.models.reasoning import go_texts
    from modelsmith.template.edit.go.declare import declare_thinking

    draft = replace(draft, declared=(options.opening, options.closing))
    template = draft.template
    if template is None or draft.parser:
        return draft
    opening, closing = go_texts(draft, options.opening, options.closing).tags
    try:
        return draft.with_template(declare_thinking(template, opening, closing))
    except InjectionError as error:
        if options.parser is None:
            raise
        edited = replace(draft, modelfile=draft.modelfile.set_parser(options.parser))
        return edited.with_note(f"PARSER {options.parser} separates reasoning, because {error.message}")
