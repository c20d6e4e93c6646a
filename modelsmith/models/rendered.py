"""A conversation rendered by a model for every think value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import TemplateRenderError
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from modelsmith.models.draft import Draft
    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think


@dataclass(frozen=True, slots=True)
class Rendered:
    """A prompt, or the error that rendering gives."""

    prompt: str = ""
    error: str = ""


def rendered(draft: Draft, conversation: Conversation, think: Think, *, jinja: bool | None = None) -> Rendered:
    """Render with the template that runs, or the one that ``jinja`` asks for; an error is part of the answer."""
    try:
        return Rendered(draft.render(conversation, think, jinja=jinja))
    except TemplateRenderError as error:
        return Rendered(error=error.message)
