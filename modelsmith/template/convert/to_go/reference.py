"""The template that a conversion follows, as a function."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think
    from modelsmith.template.outcomes import Outcome

    Reference = Callable[[Conversation, Think, datetime], Outcome]
    """What the Jinja template makes of a conversation at a time, the error where it refuses."""
