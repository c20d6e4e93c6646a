"""The template that a conversion follows, as a function."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think

    Reference = Callable[[Conversation, Think, datetime], str]
    """What the Jinja template makes of a conversation at a time; raises TemplateRenderError where it refuses."""
