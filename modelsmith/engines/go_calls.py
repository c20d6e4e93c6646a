"""Which calls of tools Ollama finds in an answer to a prompt of a Go template.

Behind the template's tag it looks for the name of a tool that was offered, anywhere, and takes the first JSON object that is
complete for its arguments. Whatever else stands behind a tag of words is never shown: calls in another format, such as
``<function=f>``, are lost without a word. Only behind ``{`` and ``[`` is the text given back.
Source: Ollama tools/tools.go (Parser).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from modelsmith.engines.protocol import ToolCall
from modelsmith.patterns import regex
from modelsmith.template.conversation.thinking_split import SPACE

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPECIAL = regex(r'\\(?:[\s\S]|\Z)|["{}\[\]]')
_LONE = regex(r"[\ud800-\udfff]")
_PAIRS = {"{": "}", "[": "]"}
"""Tags that are no words: an answer must begin with them, and what they enclose may be an answer."""
_LARGEST_EXACT = 2**53


@dataclass(slots=True)
class _Scan:
    """How far a text was read: the first JSON object in it, and whether what the tag opens was closed."""

    place: int = 0
    in_string: bool = False
    depth: int = 0
    start: int = -1
    arguments: dict[str, Any] | None = None
    end: int = -1
    open: int = 0
    is_closed: bool = False
    looked: int = 0
    names: dict[int, int] = field(default_factory=dict)


class GoCalls:
    """Takes an answer piece by piece. ``tag`` begins a call, ``names`` are those of the tools, in their order."""

    def __init__(self, tag: str, names: tuple[str, ...]) -> None:
        self._tag = tag
        self._names = names
        self._text = ""
        self._scan = _Scan()
        self._in_call = self._is_over = self._has_called = False

    @property
    def rest(self) -> str:
        """What is shown of the held text when the answer ends here: nothing behind a tag of words."""
        return self._text if self._tag in _PAIRS and not self._has_called else ""

    def feed(self, text: str) -> tuple[str, tuple[ToolCall, ...]]:
        """Take the next part of the answer; return what is shown of it now, and the calls that are complete."""
        if self._is_over:
            return text, ()
        self._text += text
        shown = ""
        if not self._in_call:
            shown = self._before_tag()
            if self._tag in _PAIRS and shown.strip(SPACE):
                self._is_over = True
                return shown + self._text, ()  # and Ollama says the end of it again as its last piece: see rest
            if not self._in_call:
                return shown, ()
        calls = tuple(self._complete())
        if self._scanned().is_closed:
            self._is_over = True
            shown, self._text = self._text, ""
        return shown, calls

    def _before_tag(self) -> str:
        """Cut off and return what stands before the tag, or before what may become one."""
        before, tag, after = self._text.partition(self._tag)
        if tag:
            self._in_call = True
            self._text = tag + after
            return before
        size = min(len(self._text), len(self._tag))
        while size and not self._text.endswith(self._tag[:size]):
            size -= 1
        cut = len(self._text) - size
        before, self._text = self._text[:cut], self._text[cut:]
        return before

    def _complete(self) -> Iterator[ToolCall]:
        """Take the calls off the held text."""
        while (named := self._first_name()) is not None:
            name, end = named
            scan = self._scanned()
            if scan.arguments is None:
                return
            found = _arguments(scan.arguments, name)
            arguments = scan.arguments if found is _NOTHING else found
            if not isinstance(arguments, dict):
                return
            self._has_called = True
            self._text = self._text[max(end, scan.end) :]
            self._scan = _Scan()
            yield ToolCall(name, arguments, json.dumps(arguments, ensure_ascii=False))

    def _first_name(self) -> tuple[str, int] | None:
        """Return the tool that is named first, and where its name ends; none while the text may end within a name."""
        text, scan = self._text, self._scan
        if not text or any(
            text.endswith(name[:size]) for name in self._names for size in range(1, min(len(name), len(text) + 1))
        ):
            return None
        for number, name in enumerate(self._names):
            if number not in scan.names and (place := text.find(name, max(0, scan.looked - len(name)))) >= 0:
                scan.names[number] = place
        scan.looked = len(text)
        if not scan.names:
            return None
        number = min(scan.names, key=lambda one: (scan.names[one], -len(self._names[one]), one))
        return self._names[number], scan.names[number] + len(self._names[number])

    def _scanned(self) -> _Scan:
        """Read on in the held text."""
        scan, text = self._scan, self._text
        opening, closing = self._tag, _PAIRS.get(self._tag, "")
        place = len(text)
        for match in _SPECIAL.finditer(text, scan.place):
            char = match[0]
            if char == "\\":
                place = match.start()  # what it escapes has not come yet
            elif char == '"':
                scan.in_string = not scan.in_string
            elif scan.in_string or len(char) > 1:
                continue
            else:
                if char in "{}" and scan.arguments is None:
                    self._brace(char, match.start())
                if char == opening:
                    scan.open += 1
                elif char == closing:
                    scan.open -= 1
                    scan.is_closed |= scan.open == 0
        scan.place = place
        return scan

    def _brace(self, char: str, place: int) -> None:
        scan = self._scan
        if char == "{":
            scan.start = scan.start if scan.depth else place
            scan.depth += 1
        elif scan.depth:
            scan.depth -= 1
            if not scan.depth:
                scan.arguments, scan.end = _read(self._text[scan.start : place + 1]), place


_NOTHING = object()


def _arguments(value: dict[str, Any], tool: str) -> Any:
    """Return the arguments in an object: None where it names a tool and has none, _NOTHING where it names none."""
    if "name" in value:
        return next(
            (found for key in ("arguments", "parameters") if (found := _mapping(value, key)) is not _NOTHING), None
        )
    if (found := _mapping(value, tool)) is not _NOTHING:
        return found
    for child in value.values():
        for item in child if isinstance(child, list) else (child,):
            if isinstance(item, dict) and (found := _arguments(item, tool)) is not _NOTHING:
                return found
    return _NOTHING


def _mapping(value: dict[str, Any], key: str) -> Any:
    """Return an object, or what the text of one holds; null is no object and yet an answer."""
    found = value.get(key)
    if isinstance(found, str):
        if found.strip(" \t\r\n") == "null":
            return None
        found = _read(found)
    return found if isinstance(found, dict) else _NOTHING


def _read(text: str) -> dict[str, Any] | None:
    """Read a JSON object as Go does, None where it is none: numbers are float64, lone surrogates U+FFFD."""
    try:
        value = json.loads(text, parse_constant=_no_number, parse_float=_number, parse_int=_number)
    except (ValueError, RecursionError):
        return None
    return _without_lone(value) if isinstance(value, dict) else None


def _without_lone(value: Any) -> Any:
    if isinstance(value, str):
        return _LONE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_lone(item) for item in value]
    if isinstance(value, dict):
        return {_without_lone(key): _without_lone(item) for key, item in value.items()}
    return value


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no float64")
    return (
        int(number) if number.is_integer() and abs(number) <= _LARGEST_EXACT and not text.startswith("-0") else number
    )
