"""What a Jinja chat template makes of conversations, with the assistant's turn opened and without."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from modelsmith.template.outcomes import Outcomes

if TYPE_CHECKING:
    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think
    from modelsmith.template.jinja.template import ChatTemplate

SWITCHES = (True, False)
"""What a proof asks a Jinja template with: what an unset ``think`` becomes is the server's business, not the template's."""


class ChatRenderings:
    """The outcomes of a chat template, each made once: where the turn is to be ``opened``, and where it is left ``closed``."""

    def __init__(self, template: ChatTemplate, bos_token: str = "") -> None:
        self.template = template
        self.opened = Outcomes(partial(self._render, bos_token=bos_token, opens=True))
        self.closed = Outcomes(partial(self._render, bos_token=bos_token, opens=False))

    def _render(self, conversation: Conversation, think: Think, *, bos_token: str, opens: bool) -> str:
        return self.template.render(conversation, think, bos_token=bos_token, add_generation_prompt=opens)
