"""How values become text: printed, written into another text, or as JSON.

Source: llama.cpp, common/jinja/value.h (``as_string``), value.cpp (``value_to_json``, ``value_to_string_repr``), runtime.h
(``gather_string_parts``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.patterns import regex
from modelsmith.template.jinja.engine.failures import Failure
from modelsmith.template.jinja.engine.values.model import UNBOUND, Function, Named, Parts, Undefined, Value, type_name
from modelsmith.template.jinja.engine.values.weight import LISTS, check_weight

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

_ESCAPED = regex(r'["\\\x00-\x1f]')
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_WIDE = regex(r"[\x80-\xff]+")


def to_text(value: Value) -> str:
    """Return a value as it is added to a text; raises Failure for what is none: something undefined, a function."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if isinstance(value, str):
        return value if isinstance(value, Parts) else str.__str__(value)
    if isinstance(value, (Undefined, Function, Named)):
        raise Failure(f"{type_name(value)} is not a string value")
    check_weight(value)
    return _text(value)


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        text = f"{value:f}".rstrip("0") or "0"
        return text + "0" if text.endswith(".") else text
    if value is None:
        return "None"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_shown(key)}: {_shown(item)}" for key, item in value.items()) + "}"
    inner = ", ".join(map(_shown, value))
    if isinstance(value, tuple):
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return f"[{inner}]"


def _shown(value: Value) -> str:
    """Return a value as an array or an object that holds it is printed."""
    if isinstance(value, str):
        return to_json(value) if "'" in value else f"'{value}'"
    if isinstance(value, Undefined):
        return type_name(value)
    if isinstance(value, Function):
        subject = "" if value.subject is UNBOUND else _bound(value.subject)
        return f"Function<{value.name}>({subject})"
    return "KwArg" if isinstance(value, Named) else _text(value)


def _bound(value: Value) -> str:
    return f"TMPL:  {value}\n" if isinstance(value, str) else _shown(value)


def gather(value: Value, texts: list[str]) -> None:
    """Add what a template prints for a value: texts, numbers and all that is in lists; nothing for other values."""
    check_weight(value, LISTS)
    _gather(value, texts)


def _gather(value: Value, texts: list[str]) -> None:
    if isinstance(value, str):
        texts.append(value)
    elif isinstance(value, (int, float)):
        texts.append(_text(value))
    elif isinstance(value, (list, tuple)):
        for item in value:
            _gather(item, texts)


def to_json(value: Value, indent: int = -1, between: str = ", ", after_key: str = ": ") -> str:
    """Return a value as ``tojson`` writes it: in the order of its keys, null for what JSON has not."""
    check_weight(value)
    parts: list[str] = []
    _write_json(value, parts.append, 0, indent, between, after_key)
    return "".join(parts)


def _write_json(value: Value, write: Callable[[str], None], level: int, indent: int, between: str, after: str) -> None:
    if isinstance(value, str):
        write('"' + _ESCAPED.sub(_escape, value) + '"')
    elif isinstance(value, bool):
        write("true" if value else "false")
    elif isinstance(value, int):
        write(str(value))
    elif isinstance(value, float):
        write(f"{value:g}")
    elif isinstance(value, (list, tuple, dict)):
        is_object = isinstance(value, dict)
        opening, closing = "{}" if is_object else "[]"
        write(opening)
        if value:
            line = "\n" if indent >= 0 else ""
            margin = " " * (indent * level) if indent > 0 else ""
            inner = margin + " " * max(indent, 0)
            write(line)
            for number, item in enumerate(value):
                write((between if number else "") + (line if number else "") + inner)
                if is_object:
                    _write_json(to_text(item), write, level + 1, indent, between, after)
                    write(after)
                    item = value[item]  # noqa: PLW2901 - the key is written, the value comes
                _write_json(item, write, level + 1, indent, between, after)
            write(line + margin)
        write(closing)
    else:
        write("null")


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    return _ESCAPES.get(char) or f"\\u{ord(char):04x}"


def as_ascii(text: str) -> str:
    r"""Write all but ASCII in JSON as ``\uXXXX``, as ``ensure_ascii`` does."""
    return _WIDE.sub(_escape_wide, text)


def _escape_wide(match: re.Match[str]) -> str:
    wide = match[0].encode("latin-1").decode("utf-8", "replace").encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{wide[place] << 8 | wide[place + 1]:04x}" for place in range(0, len(wide), 2))
