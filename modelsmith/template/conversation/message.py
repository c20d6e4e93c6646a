"""Messages and tool calls as Ollama reads them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the model asked for; ``arguments`` is None if the field is missing."""

    name: str
    arguments: Mapping[str, Any] | None
    id: str = ""
    index: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """One message; ``images`` are the decoded bytes (None for null), or None if the field is missing."""

    role: str
    content: str = ""
    thinking: str = ""
    images: tuple[bytes | None, ...] | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_name: str = ""
    tool_call_id: str = ""


def collate(messages: Sequence[Message]) -> tuple[str, tuple[Message, ...]]:
    """Return all system texts, joined by an empty line, and the messages with neighbours of one role merged.

    Only contents are merged: thinking, tool calls and images of the later one are lost. Messages of tools stay apart.
    """
    system = "\n\n".join(message.content for message in messages if message.role == "system")
    merged: list[Message] = []
    for message in messages:
        if merged and message.role != "tool" and merged[-1].role == message.role:
            merged[-1] = replace(merged[-1], content=f"{merged[-1].content}\n\n{message.content}")
        else:
            merged.append(message)
    return system, tuple(merged)
