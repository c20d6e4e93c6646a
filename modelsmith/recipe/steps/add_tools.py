"""Step ``add-tools``: let the Go template show tools, the model's calls and their results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import InjectionError
from modelsmith.recipe.parts.fields import Part

if TYPE_CHECKING:
    from modelsmith.models.draft import Draft


class Options(Part):
    """Let the Go template show tools, calls and results in the format of its family; other conversations stay as they are."""


def edit(draft: Draft, *options: Options) -> Draft:
    """Return the draft whose Go template handles tools, in the format of the Jinja template inside the GGUF if that does.

    A template that handles them already stays as it is. Raises InjectionError without a Go template, for a family whose
    format is not known, and without proof.
    """
    from modelsmith.template.edit.tools.tools import add_tools

    template = draft.template
    if template is None:
        raise InjectionError(
            "there is no Go template that tools could be added to",
            hint="give the recipe a template, or leave add-tools out",
        )
    return draft.with_template(add_tools(template, draft.chat_template)) if options else draft
