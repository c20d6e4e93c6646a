"""Read the JSON of a request as Go does: keys in any case, null for empty, and an error with its path for a wrong type.

Source of the shapes: Ollama, ``api/types.go``.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from modelsmith.errors import ModelsmithError
from modelsmith.patterns import regex
from modelsmith.syntax.gotemplate.literals import lower

if TYPE_CHECKING:
    from modelsmith.template.conversation.message import Message

MAX_DEPTH = 100  # of lists and objects in a tool or its arguments; Go stops at 10000
_BASE64 = regex("(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\\Z")
_SURROGATE = regex("[\ud800-\udfff]")
_KINDS = {type(None): "null", bool: "true or false", str: "a text", int: "a number", float: "a number", list: "a list"}


def refuse(path: str, value: object, wanted: str) -> NoReturn:
    """Raise the error for a value of the wrong type at ``path``."""
    kind = "an object" if isinstance(value, Mapping) else _KINDS.get(type(value), f"a Python {type(value).__name__}")
    raise ModelsmithError(
        f"{path} is {kind}, not {wanted}", hint="the shapes are those of Ollama's /api/chat and /api/generate"
    )


class Given:
    """A JSON object and the path to it."""

    def __init__(self, entries: Mapping[str, Any], path: str) -> None:
        # Go takes a key in any case, and the last one wins
        self.entries = {str(key).lower(): value for key, value in entries.items()}
        self.path = path

    @classmethod
    def of(cls, value: object, path: str) -> Given:
        """Take an object, or null for an empty one."""
        if value is None:
            return cls({}, path)
        if not isinstance(value, Mapping):
            refuse(path, value, "an object")
        return cls(value, path)

    def at(self, key: str) -> str:
        """Return the path to an entry."""
        return key if self.path == "conversation" else f"{self.path}.{key}"

    def get(self, key: str) -> Any:
        """Return an entry, None if it is null or missing."""
        return self.entries.get(key.lower())

    def text(self, key: str) -> str:
        """Return a text, empty if it is null or missing."""
        value = self.get(key)
        return "" if value is None else as_text(value, self.at(key))

    def items(self, key: str) -> list[Any] | None:
        """Return a list, None if it is null or missing."""
        return as_list(self.get(key), self.at(key))

    def texts(self, key: str) -> list[str] | None:
        """Return a list of texts, None if it is null or missing."""
        values = self.items(key)
        if values is None:
            return None
        return [
            "" if value is None else as_text(value, f"{self.at(key)}[{index}]") for index, value in enumerate(values)
        ]

    def object(self, key: str) -> Given:
        """Return an object."""
        return Given.of(self.get(key), self.at(key))


def as_text(value: object, path: str) -> str:
    """Check that a value is a text and return it, without lone surrogates."""
    if not isinstance(value, str):
        refuse(path, value, "a text")
    return _SURROGATE.sub("\ufffd", value) if _SURROGATE.search(value) else value


def as_list(value: object, path: str) -> list[Any] | None:
    """Check that a value is a list and return it, None for null."""
    if value is None:
        return None
    if not isinstance(value, list | tuple):
        refuse(path, value, "a list")
    return list(value)


def any_value(value: object, path: str, depth: int = 0) -> Any:
    """Check any JSON value and return it, its texts without lone surrogates."""
    if depth > MAX_DEPTH:
        raise ModelsmithError(f"{path} is nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, str):
        return as_text(value, path)
    if isinstance(value, Mapping):
        return {as_text(key, path): any_value(item, f"{path}.{key}", depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [any_value(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)]
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            finite = math.isfinite(value)
        except OverflowError:
            finite = False
        if not finite:
            raise ModelsmithError(f"{path} is a number beyond the range of a float64")
        return value
    if value is None or isinstance(value, bool):
        return value
    return refuse(path, value, "a JSON value")


def read_messages(value: object) -> list[dict[str, Any]]:
    """Read ``messages``; each comes as the fields of a Message, its tool calls as those of a ToolCall."""
    messages = as_list(value, "messages") or []
    return [_message(Given.of(message, f"messages[{index}]")) for index, message in enumerate(messages)]


def _message(given: Given) -> dict[str, Any]:
    images = given.items("images")
    calls = given.items("tool_calls") or []
    content = given.get("content")
    if isinstance(content, list):
        raise ModelsmithError(
            f"{given.at('content')} is a list, not a text", hint="join the texts; images go to `images`, as base64"
        )
    return {
        "role": lower(given.text("role")),
        "content": given.text("content"),
        "thinking": given.text("thinking"),
        "images": None
        if images is None
        else tuple(_image(image, f"{given.at('images')}[{index}]") for index, image in enumerate(images)),
        "tool_calls": [_call(Given.of(call, f"{given.at('tool_calls')}[{index}]")) for index, call in enumerate(calls)],
        "tool_name": given.text("tool_name"),
        "tool_call_id": given.text("tool_call_id"),
    }


def _image(value: object, path: str) -> bytes | None:
    if value is None or isinstance(value, bytes):
        return value
    # Go's decoder skips line breaks and nothing else
    text = as_text(value, path).replace("\n", "").replace("\r", "")
    if not _BASE64.match(text):
        raise ModelsmithError(f"{path} is not base64", hint="an image is the bytes of its file, as base64 with padding")
    return base64.b64decode(text)


def _call(given: Given) -> dict[str, Any]:
    function = given.object("function")
    index = function.get("index")
    if index is not None and (not isinstance(index, int) or isinstance(index, bool)):
        refuse(function.at("index"), index, "a whole number")
    return {
        "id": given.text("id"),
        "index": index or 0,
        "name": function.text("name"),
        "arguments": _object(function, "arguments"),
    }


def _object(given: Given, key: str) -> dict[str, Any] | None:
    """Read an object, None if it is null or missing."""
    value = given.get(key)
    if value is None:
        return None
    if not isinstance(value, Mapping):
        refuse(given.at(key), value, "an object")
    checked: dict[str, Any] = any_value(value, given.at(key))
    return checked


def message_to_dict(message: Message) -> dict[str, Any]:
    """Return a message in the shape of the API, fields that are empty left out."""
    fields: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.thinking:
        fields["thinking"] = message.thinking
    if message.images is not None:
        fields["images"] = [image if image is None else base64.b64encode(image).decode() for image in message.images]
    if message.tool_calls:
        fields["tool_calls"] = [
            ({"id": call.id} if call.id else {})
            | {
                "function": ({"index": call.index} if call.index else {})
                | {"name": call.name}
                | ({"arguments": dict(call.arguments)} if call.arguments is not None else {})
            }
            for call in message.tool_calls
        ]
    if message.tool_name:
        fields["tool_name"] = message.tool_name
    if message.tool_call_id:
        fields["tool_call_id"] = message.tool_call_id
    return fields
