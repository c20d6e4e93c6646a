"""What a chat template can take, and how messages are bent to fit it.

llama-server tries every template out when it loads a model, and changes the messages of each request to suit what it
found: a system message that would be dropped goes in front of the next one, contents become texts or lists of parts,
arguments of calls become objects.

Source: llama.cpp common/jinja/caps.cpp (the trials) and common/chat.cpp (the workarounds).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelsmith.template.jinja.messages import Message, with_object_arguments, with_text_content, with_typed_content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import SupportsIndex

_MARK = "a text to look for"
_TOOL: Message = {
    "type": "function",
    "function": {
        "name": "look",
        "description": "Look something up",
        "parameters": {
            "type": "object",
            "required": ["what"],
            "properties": {"what": {"type": "string", "description": "It"}},
        },
    },
}
_CALL: Message = {"type": "function", "function": {"name": "look", "arguments": {"what": _MARK}}, "id": "call00001"}


@dataclass(frozen=True, slots=True)
class Accepts:
    """What a template takes: contents that are texts, lists of parts, a system message, arguments that are objects."""

    text: bool
    parts: bool
    system: bool
    objects: bool


class _WatchedText(str):
    """A content that notices when it is taken for a list of parts; llama.cpp does not loop over texts."""

    is_indexed = False

    def __iter__(self) -> Iterator[str]:
        self.is_indexed = True
        raise TypeError("a text is not a list of parts")

    def __getitem__(self, key: SupportsIndex | slice) -> str:
        self.is_indexed = self.is_indexed or not isinstance(key, slice)
        return super().__getitem__(key)


class _WatchedMessage(dict[str, Any]):
    """A message that notices when its content is read."""

    is_read = False

    def __getitem__(self, key: str) -> Any:
        self.is_read = self.is_read or key == "content"
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.is_read = self.is_read or key == "content"
        return super().get(key, default)

    def items(self) -> Any:
        self.is_read = True
        return super().items()


def try_out(render: Callable[[Sequence[Message], Sequence[Message]], str | None]) -> Accepts:
    """Find out what a template takes; ``render`` gets messages and tools and returns None where the template fails."""
    content = _WatchedText("hello")
    user: Message = {"role": "user", "content": content}
    takes_text = render([user], []) is not None
    takes_parts = content.is_indexed
    system = _WatchedMessage(role="system", content=_WatchedText("Be brief."))
    render([system, user], [])
    calling: Message = {"role": "assistant", "content": _WatchedText(), "tool_calls": [_CALL]}
    result: Message = {"role": "tool", "content": _WatchedText("found"), "name": "look", "tool_call_id": "call00001"}
    called = render([user, calling, result, {"role": "assistant", "content": _WatchedText("There.")}, user], [_TOOL])
    return Accepts(takes_text, takes_parts, system.is_read, called is not None and _MARK in called)


def bend(messages: Sequence[Message], accepts: Accepts, *, developer: bool) -> list[Message]:
    """Return the messages as a template that accepts this can take them; ``developer`` keeps that role's name."""
    bent = list(messages)
    if accepts.text and not accepts.parts:
        bent = [with_text_content(message) for message in bent]
    elif accepts.parts and not accepts.text:
        bent = [with_typed_content(message) for message in bent]
    if not developer:
        bent = [{**message, "role": "system"} if message["role"] == "developer" else message for message in bent]
    if bent and bent[0]["role"] == "system" and not accepts.system:
        system, *bent = bent
        if bent:
            contents = (with_text_content(message)["content"] for message in (system, bent[0]))
            bent[0] = {**bent[0], "content": "\n".join(contents)}
    return [with_object_arguments(message) for message in bent] if accepts.objects else bent
