"""Step ``inject``: put a text into the prompt: where the assistant's turn opens, beside messages, or at the start."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from modelsmith.errors import InjectionError
from modelsmith.recipe.parts.fields import At, Part, Text, When

if TYPE_CHECKING:
    from modelsmith.models.draft import Draft


class Options(Part):
    """Put a text into the prompt: where the assistant's turn opens, beside messages, or at the start."""

    text: Text
    """The text. In double quotes `\\n` is a line break."""

    at: At = "generation-prompt"
    """Where. `generation-prompt`: behind the tail that opens the assistant's turn; past turns stay as they are. `start`: at the
    beginning of the prompt, behind a BOS token that the template prints itself. `before-…` and `after-…`: right before or behind
    the text of messages, inside their turn: of `system`, of every `user` message or only the `last-user` one, of the `assistant`
    (its past answers)."""

    when: When = "always"
    """For which requests: `thinking` means unless a request says `think: false`, `not-thinking` only when it does."""


def edit(draft: Draft, *options: Options) -> Draft:
    """Return the draft whose Go template puts the texts where they shall stand; raises InjectionError without proof.

    Steps in a row share one place in the template. Prompts that have their text there already stay as they are. Without a
    Go template the texts are remembered for the Jinja template, which ``make-effective`` edits.
    """
    from modelsmith.models.draft import Injection
    from modelsmith.template.edit.go.ensure import ensure_many

    injections = tuple(Injection(each.text, each.when, each.at) for each in options)
    draft = replace(draft, injections=(*draft.injections, *injections))
    template = draft.template
    if template is None and draft.chat_template is None:
        raise InjectionError(
            "the model has no template at all, neither a TEMPLATE nor one inside its GGUF: nothing opens the assistant's turn",
            hint="give the recipe a whole template (template: |-) in the format that the model was trained on",
        )
    if template is None:
        return draft
    for at, group in groupby(options, key=lambda each: each.at):
        template = ensure_many(template, [(each.text, each.when) for each in group], at)
    return draft.with_template(template)
