"""What Ollama does to past answers before any template sees them: for some models it takes the reasoning out.

Source: Ollama server/routes.go (filterThinkTags, since 0.6.7; only /api/chat calls it) and thinking/parser.go.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from modelsmith.name import ModelName
from modelsmith.template.conversation.thinking_split import split_thinking
from modelsmith.versions import resolve

if TYPE_CHECKING:
    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.versions import Version

SINCE = "0.6.7"
_MODEL, _FAMILY = "deepseek-r1", "qwen3"
_TAGS = ("<think>", "</think>")


def drops_reasoning(*, name: str = "", family: str = "", version: str | Version | None = None) -> bool:
    """Say whether Ollama takes reasoning out of past answers: of a model named deepseek-r1, or of the family qwen3."""
    known = resolve(version).has(SINCE)
    return known and (family == _FAMILY or bool(name and ModelName.parse(name).model == _MODEL))


def without_reasoning(talk: Conversation) -> Conversation:
    """Return the conversation with what stands between think tags taken out of the answers before the last user's message.

    An answer that opens a tag and never closes it is lost whole, as in Ollama.
    """
    users = [number for number, message in enumerate(talk.messages) if message.role == "user"]
    if not users:
        return talk
    messages = tuple(
        replace(message, content=split_thinking(message.content, *_TAGS)[1])
        if message.role == "assistant" and number < users[-1]
        else message
        for number, message in enumerate(talk.messages)
    )
    return talk if messages == talk.messages else replace(talk, messages=messages)
