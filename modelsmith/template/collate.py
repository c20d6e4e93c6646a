"""Merge what one role says in a row. Source: Ollama, ``template/template.go`` (collate)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.template.conversation import Message


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
