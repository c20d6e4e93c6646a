"""Contents of messages as a template takes them: texts, or lists of parts.

Source: llama.cpp, common/chat.cpp (``messages_inp_normalizer``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelsmith.template.jinja.engine.server.probe import Capabilities

Message = dict[str, Any]


def with_fitting_contents(messages: Sequence[Message], takes: Capabilities) -> list[Message]:
    """Return the messages with contents that the template takes; a template that takes both kinds gets what there is."""
    if takes.string_content == takes.typed_content:
        return list(messages)
    if takes.string_content:
        return [
            message if isinstance(message.get("content"), str) else _with(message, joined(message))
            for message in messages
        ]
    return [_with(message, parted(message)) for message in messages]


def _with(message: Message, content: Any) -> Message:
    return {**message, "content": content} if "content" in message else message


def joined(message: Mapping[str, Any]) -> Any:
    """Return a message's content as one text: a line break between texts, none beside an image."""
    content = message.get("content")
    if not isinstance(content, list):
        return content
    text, after_media = "", False
    for part in content:
        kind = part.get("type", "")
        if kind == "text":
            text += "\n" if text and not after_media else ""
            after_media = False
        elif kind == "media_marker":
            after_media = True
        else:
            continue
        text += part.get("text", "")
    return text


def parted(message: Mapping[str, Any]) -> Any:
    """Return a message's content as a list of parts."""
    content = message.get("content")
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def said(message: Mapping[str, Any]) -> str:
    """Return the text of a message that is to be continued: an empty line between its texts, its images left out."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "\n\n".join(filter(None, [part["text"] for part in content if part["type"] == "text"]))
