"""``html``, ``js`` and ``urlquery``. Source of the rules: Go, ``text/template/funcs.go`` and ``net/url``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from modelsmith.syntax.gotemplate.literals import encode, is_print, normal
from modelsmith.template.go.functions import printf
from modelsmith.template.go.values.values import NIL, NO_VALUE, Pointer

if TYPE_CHECKING:
    from modelsmith.template.go.state import State

_HTML = str.maketrans({'"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;", "\0": "\ufffd"})
_JS_MARKS = {"\\": "\\\\", "'": "\\'", '"': '\\"', "<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "=": "\\u003D"}


def printable(value: Any) -> Any:
    """Return what an action prints of a value: what a pointer points at, ``<no value>`` for nothing."""
    if value is NO_VALUE or value is NIL:
        return "<no value>"
    return value.target if isinstance(value, Pointer) and value.target is not None else value


def _joined(state: State, values: list[Any]) -> str:
    if len(values) == 1 and type(values[0]) is str:
        return normal(values[0])
    return normal(printf.sprint([printable(value) for value in values], state.room))


def html(state: State, values: list[Any]) -> str:
    """Escape for HTML."""
    return _joined(state, values).translate(_HTML)


def js(state: State, values: list[Any]) -> str:
    """Escape for a string of JavaScript."""
    return _joined(state, values).translate(_JS)


class _JSEscapes(dict[int, str]):
    """What ``js`` makes of characters: those of ASCII are known, any other is looked at when it comes."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if 0xD800 <= code <= 0xDFFF:  # Go takes the byte for U+FFFD, which prints, and keeps the byte
            return char
        return char if is_print(char) else f"\\u{code:04X}"


_JS = _JSEscapes(
    {code: chr(code) for code in range(128)}
    | {code: f"\\u{code:04X}" for code in range(32)}
    | {ord(char): mark for char, mark in _JS_MARKS.items()}
)


def urlquery(state: State, values: list[Any]) -> str:
    """Escape for the query of a URL."""
    return quote_plus(encode(_joined(state, values)), safe="~")
