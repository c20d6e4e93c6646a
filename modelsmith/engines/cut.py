"""What does not fit into the context: Ollama leaves the oldest messages out, without a word.

Source: Ollama ``server/prompt.go`` (chatPrompt): system messages stay, the last message always does, and messages go one by one
from the oldest on until the rest fits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.engines.protocol import Prompt, Request


@dataclass(frozen=True, slots=True)
class Fitted:
    """A request that fits: how many tokens the whole prompt has and how many are left of it, which messages went (from 1).

    ``too_long`` says that even the last message alone does not fit; counts are None where tokens cannot be counted.
    """

    request: Request
    whole: int | None
    left: int | None
    gone: tuple[int, ...] = ()
    too_long: bool = False


def fitted(request: Request, context: int | None, prompt: Callable[[Request], Prompt]) -> Fitted:
    """Return the request without the messages that Ollama would leave out for a context of so many tokens."""
    whole = prompt(request).tokens if context else None
    if whole is None or context is None or whole <= context:
        return Fitted(request, whole, whole)
    messages = request.conversation.messages
    shorter, left = request, whole
    gone: tuple[int, ...] = ()
    for first in range(1, len(messages)):
        if messages[first - 1].role == "system":
            continue
        kept = tuple(message for message in messages[:first] if message.role == "system")
        gone = tuple(number for number, message in enumerate(messages[:first], 1) if message.role != "system")
        shorter = replace(request, conversation=replace(request.conversation, messages=(*kept, *messages[first:])))
        left = prompt(shorter).tokens or 0
        if left <= context:
            return Fitted(shorter, whole, left, gone)
    return Fitted(shorter, whole, left, gone, too_long=True)
