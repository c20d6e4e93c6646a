"""Step ``inject``: put a text where the assistant's turn opens."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from modelsmith.errors import InjectionError
from modelsmith.recipe.fields import Part, Text, When

if TYPE_CHECKING:
    from modelsmith.recipe.draft import Draft


class Options(Part):
    """Put a text into the prompt, right where the assistant's turn opens."""

    text: Text
    """The text. In double quotes `\\n` is a line break."""

    at: Literal["generation-prompt"] = "generation-prompt"
    """Where: after the generation prompt, the tail that opens the assistant's turn. Turns of the history stay as they are."""

    when: When = "always"
    """For which requests: `thinking` means unless a request says `think: false`, `not-thinking` only when it does."""


def edit(draft: Draft, *options: Options) -> Draft:
    """Return the draft whose Go template puts the texts after its generation prompt; raises InjectionError without proof.

    Steps in a row share one place in the template. Prompts that end with their text already stay as they are. Without a
    Go template the texts are remembered for the Jinja template, which ``make-effective`` edits.
    """
    from modelsmith.recipe.draft import Injection
    from modelsmith.template.inject_ensure import ensure_many

    injections = tuple(Injection(each.text, each.when) for each in options)
    draft = replace(draft, injections=(*draft.injections, *injections))
    template = draft.template
    if template is None and draft.chat_template is None:
        raise InjectionError(
            "the model has no template at all, neither a TEMPLATE nor one inside its GGUF: nothing opens the assistant's turn",
            hint="give the recipe a whole template (template: |-) in the format that the model was trained on",
        )
    if template is None:
        return draft
    return draft.with_template(ensure_many(template, [(each.text, each.when) for each in options]))
