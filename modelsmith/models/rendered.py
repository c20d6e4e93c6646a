"""What a model makes of a conversation: the prompt, or the error."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from modelsmith.template.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.models.draft import Draft
    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think


def rendered(draft: Draft, conversation: Conversation, think: Think, *, jinja: bool | None = None) -> Outcome:
    """Render with the template that runs, or the one that ``jinja`` asks for; an error is part of the answer."""
    return Outcome.of(partial(draft.render, jinja=jinja), conversation, think)


def renderings(draft: Draft, *, jinja: bool | None = None) -> Callable[[Conversation, Think], Outcome]:
    """Return what :func:`rendered` does, for one draft."""
    return partial(rendered, draft, jinja=jinja)
