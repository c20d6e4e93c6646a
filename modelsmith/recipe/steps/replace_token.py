"""Step ``replace-token``: write another token into the Go template, e.g. instead of its look-alike in ASCII."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from pydantic import Field

from modelsmith.errors import InjectionError
from modelsmith.recipe.parts.fields import Part, Text

if TYPE_CHECKING:
    from modelsmith.models.draft import Draft


class Options(Part):
    """Replace a token in the texts that the Go template prints, and nowhere else: not in code, not in messages."""

    from_: Text = Field(alias="from")
    """The token as the template has it, e.g. `<|User|>`."""

    to: str
    """The token as the tokenizer has it, e.g. `<｜User｜>`; an empty text removes it."""


def edit(draft: Draft, *options: Options) -> Draft:
    """Return the draft whose Go template prints the other tokens; raises InjectionError without one, or without proof."""
    return reduce(_edit, options, draft)


def _edit(draft: Draft, options: Options) -> Draft:
    from modelsmith.template.edit.go.replace_token import replace_token

    template = draft.template
    if template is None:
        raise InjectionError(
            "there is no Go template that a token could be replaced in",
            hint="give the recipe a template, or leave replace-token out",
        )
    return draft.with_go_edit(replace_token(template, options.from_, options.to), "replace-token")
