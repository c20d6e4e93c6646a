"""``html``, ``js`` and ``urlquery``. Source of the rules: Go, ``text/template/funcs.go`` and ``net/url``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from modelsmith.syntax.gotemplate_literals import encode, is_print, normal
from modelsmith.template import gofmt
from modelsmith.template.values import NIL, NO_VALUE, Pointer

if TYPE_CHECKING:
    from modelsmith.template.evaluate_state import State

_HTML = str.maketrans({'"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;", "\0": "\ufffd"})
_JS = re.compile(r"""[\\'"<>&=\x00-\x1f]|[^\x00-\x7f]""")
_JS_MARKS = {"\\": "\\\\", "'": "\\'", '"': '\\"', "<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "=": "\\u003D"}


def printable(value: Any) -> Any:
    """Return what an action prints of a value: what a pointer points at, ``<no value>`` for nothing."""
    if value is NO_VALUE or value is NIL:
        return "<no value>"
    return value.target if isinstance(value, Pointer) and value.target is not None else value


def _joined(state: State, values: list[Any]) -> str:
    if len(values) == 1 and type(values[0]) is str:
        return normal(values[0])
    return normal(gofmt.sprint([printable(value) for value in values], state.room))


def html(state: State, values: list[Any]) -> str:
    """Escape for HTML."""
    return _joined(state, values).translate(_HTML)


def js(state: State, values: list[Any]) -> str:
    """Escape for a string of JavaScript."""
    return _JS.sub(_js_char, _joined(state, values))


def _js_char(match: re.Match[str]) -> str:
    char = match[0]
    if char in _JS_MARKS:
        return _JS_MARKS[char]
    if char < " ":
        return f"\\u{ord(char):04X}"
    if "\ud800" <= char <= "\udfff":  # Go takes the byte for U+FFFD, which prints, and keeps the byte
        return char
    return char if is_print(char) else f"\\u{ord(char):04X}"


def urlquery(state: State, values: list[Any]) -> str:
    """Escape for the query of a URL."""
    return quote_plus(encode(_joined(state, values)), safe="~")
