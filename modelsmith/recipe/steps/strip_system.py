"""Step ``strip-system``: a Go template that shows no system prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import InjectionError
from modelsmith.recipe.parts.fields import Part

if TYPE_CHECKING:
    from modelsmith.models.draft import Draft


class Options(Part):
    """Let the Go template show no system prompt, neither SYSTEM nor a message; an inherited SYSTEM cannot be unset otherwise."""


def edit(draft: Draft, *options: Options) -> Draft:
    """Return the draft whose Go template renders conversations with a system prompt as it does those without.

    Raises InjectionError without a Go template, and without proof.
    """
    from modelsmith.template.edit.go.strip_system import strip_system

    template = draft.template
    if template is None:
        raise InjectionError(
            "there is no Go template that a system prompt could be taken out of",
            hint="give the recipe a template, or leave strip-system out",
        )
    return draft.with_go_edit(strip_system(template), "strip-system") if options else draft
