"""What can be done with a text. Letters are ASCII letters, characters are bytes.

Source: llama.cpp, common/jinja/value.cpp (``value_string_t::get_builtins``) and string.cpp.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.patterns import regex
from modelsmith.template.jinja.engine.budget import POINTER, SMALL
from modelsmith.template.jinja.engine.failures import Failure, Unimplemented
from modelsmith.template.jinja.engine.functions.arguments import INTEGER, STRING, Arguments, ArgumentType
from modelsmith.template.jinja.engine.functions.builtins import tojson
from modelsmith.template.jinja.engine.values.model import UNDEFINED, Parts, Undefined, Value, parts_of, type_name
from modelsmith.template.jinja.engine.values.printing import to_text
from modelsmith.template.jinja.engine.values.texts import WHITE, lower, upper

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.template.jinja.engine.functions.builtins import Builtin

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_FLOAT = regex(
    r"[ \t\n\v\f\r]*([+-]?(?:[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|inf(?:inity)?|nan))", re.I
)
_INTEGER = regex(r"[ \t\n\v\f\r]*([+-]?)(0[xX](?=[0-9a-fA-F]))?([0-9A-Za-z]*)")
_WORD = re.compile(r"([ \t\n\v\f\r]*)([^ \t\n\v\f\r])([^ \t\n\v\f\r]*)")


def default_value(arguments: Arguments) -> Value:
    """Give another value for what is undefined or none, and with ``boolean`` for all that is false."""
    arguments.count(2, 3)
    value = arguments.values[0]
    if arguments.named_or_at("boolean", 2):
        return value or arguments.values[1]
    return arguments.values[1] if value is None or isinstance(value, Undefined) else value


def _subject(arguments: Arguments, name: str) -> str:
    value = arguments.at(0)
    if not isinstance(value, str):
        raise Failure(f"{name}() first argument must be a string")
    return value


def _for_each_part(arguments: Arguments, change: Callable[[str], str]) -> str:
    value = arguments.demand(STRING)[0]
    arguments.run.spend(len(value))
    changed = [change(part) for part in parts_of(value)]
    return changed[0] if len(changed) == 1 else Parts.of(*changed)


def _upper(arguments: Arguments) -> Value:
    return _for_each_part(arguments, upper)


def _lower(arguments: Arguments) -> Value:
    return _for_each_part(arguments, lower)


def _capitalize(arguments: Arguments) -> Value:
    return _for_each_part(arguments, lambda part: upper(part[:1]) + lower(part[1:]))


def _title(arguments: Arguments) -> Value:
    def titled(part: str) -> str:
        return _WORD.sub(lambda match: match[1] + upper(match[2]) + lower(match[3]), part)

    return _for_each_part(arguments, titled)


def _stripping(name: str, *, left: bool, right: bool) -> Builtin:
    def strip(arguments: Arguments) -> Value:
        value = _subject(arguments, name) if name == "strip" else arguments.demand(STRING)[0]
        arguments.run.spend(len(value))
        given = arguments.named_or_at("chars", 1)
        chars = WHITE if isinstance(given, Undefined) else to_text(given)
        if not isinstance(value, Parts):
            return value.strip(chars) if left and right else value.lstrip(chars) if left else value.rstrip(chars)
        parts = [*value.parts]
        while left and parts and not (stripped := parts[0].lstrip(chars)):
            del parts[0]
        if left and parts:
            parts[0] = stripped
        while right and parts and not (stripped := parts[-1].rstrip(chars)):
            del parts[-1]
        if right and parts:
            parts[-1] = stripped
        return Parts.of(*parts)

    return strip


def _length(arguments: Arguments) -> Value:
    return len(arguments.demand(STRING)[0])


def _startswith(arguments: Arguments) -> Value:
    value, prefix = arguments.demand(STRING, STRING)[:2]
    return value.startswith(prefix)


def _endswith(arguments: Arguments) -> Value:
    value, suffix = arguments.demand(STRING, STRING)[:2]
    return value.endswith(suffix)


def _splitting(name: str) -> Builtin:
    def split(arguments: Arguments) -> Value:
        count = arguments.count(1, 3)
        value = _subject(arguments, name)
        between = to_text(arguments.values[1]) if count > 1 else " "
        if not between:
            raise Failure("empty separator")
        most = whole(arguments.values[2]) if count > 2 else -1
        arguments.run.spend(len(value) + SMALL * (value.count(between) + 1))
        return value.rsplit(between, most) if name == "rsplit" else value.split(between, most)

    return split


def whole(value: Value) -> int:
    """Return a number as an integer; a float loses what is behind its point."""
    if isinstance(value, (int, float)):
        return int(value) if value - value == 0 else 0
    raise Failure(f"{type_name(value)} is not an int value")


def _replace(arguments: Arguments) -> Value:
    value, old, new = arguments.demand(STRING, STRING, STRING)[:3]
    if len(arguments.values) > 3 and whole(arguments.values[3]) > 0:
        raise Unimplemented("String replace with count argument not implemented")
    times = value.count(old) if old else len(value) + 1
    arguments.run.spend(len(value) + times * max(len(new) - len(old), 0))
    return str(value).replace(old, new)


def _format(arguments: Arguments) -> Value:
    value = _subject(arguments, "format")
    parts: list[str] = []
    for place, text in enumerate(value.split("{")):
        if place:
            if not text.startswith("}"):
                raise Unimplemented("format() only supports simple '{}' placeholders")
            parts += parts_of(to_text(arguments.at(place)))
            text = text[1:]  # noqa: PLW2901 - the closing brace is read
        if text:
            parts.append(text)
    arguments.run.spend(sum(map(len, parts)))
    return Parts.of(*parts)


def _int(arguments: Arguments) -> Value:
    value = arguments.at(0)
    default = arguments.named_or_at("default", 1)
    given = arguments.named_or_at("base", 2)
    base = 10 if isinstance(given, Undefined) else whole(given)
    if base != 0 and not 2 <= base <= 36:
        raise Failure("int() base must be 0 or between 2 and 36")
    if not isinstance(value, str):
        raise Failure("int() first argument must be a string")
    number = _read_integer(value, base)
    if number is None:
        return 0 if isinstance(default, Undefined) else whole(default)
    return number


def _read_integer(text: str, base: int) -> int | None:
    """Read the number at the beginning of a text as C's ``strtol`` does; None where there is none, or more than 32 bits."""
    match = _INTEGER.match(text)
    if not match:
        return None
    sign, prefix, digits = match.groups()
    if prefix and base not in {0, 16}:
        digits = "0"
    elif base == 0:
        base = 16 if prefix else 8 if digits.startswith("0") else 10
    known = _DIGITS[:base]
    size = next((place for place, digit in enumerate(digits.lower()) if digit not in known), len(digits))
    if not size or len(digits[:size].lstrip("0")) > 32:
        return None
    number = int(digits[:size], base) * (-1 if sign == "-" else 1)
    return number if -(2**31) <= number < 2**31 else None


def _float(arguments: Arguments) -> Value:
    value = arguments.demand(STRING)[0]
    default = arguments.named_or_at("default", 1)
    match = _FLOAT.match(value)
    number = float(match[1]) if match else None
    if number is None or (number in {float("inf"), float("-inf")} and "n" not in (match[1] if match else "").lower()):
        if isinstance(default, Undefined):
            return 0.0
        if isinstance(default, (int, float)) and not isinstance(default, bool):
            return float(default)
        raise Failure(f"{type_name(default)} is not a float value")
    return number


def _string(arguments: Arguments) -> Value:
    return to_text(arguments.demand(STRING)[0])


def _slice(arguments: Arguments) -> Value:
    return sliced(arguments, STRING)


def sliced(arguments: Arguments, kind: ArgumentType) -> Value:
    """Take a slice of a text or an array; both ends and the step must be given."""
    count = arguments.count(1, 4)
    value, first = arguments.demand(kind, INTEGER)[:2]
    last = whole(arguments.values[2] if count > 2 else UNDEFINED)
    step = whole(arguments.values[3] if count > 3 else UNDEFINED)
    if step == 0:
        raise Failure("slice step cannot be zero")
    arguments.run.spend(len(value) if isinstance(value, str) else len(value) * POINTER)
    return cut(value, first, last, step)


def cut(value: Value, first: int, last: int, step: int) -> Value:
    """Return ``value[first:last:step]``; for a negative step a last of -1 is the place before the beginning."""
    size = len(value)
    start = max(size + first, 0) if first < 0 else min(first, size if step > 0 else size - 1)
    if step > 0:
        stop = max(size + last, 0) if last < 0 else min(last, size)
    else:
        stop = max(size + last, -1) if last < -1 else min(last, size - 1)
    return value[start : None if stop < 0 else stop : step] if start >= 0 else value[:0]


def _safe(arguments: Arguments) -> Value:
    return arguments.demand(STRING)[0]


def _indent(arguments: Arguments) -> Value:
    arguments.count(1, 4)
    value = _subject(arguments, "indent")
    width = arguments.named_or_at("width", 1)
    first = bool(arguments.named_or_at("first", 2))
    blank = bool(arguments.named_or_at("blank", 3))
    if INTEGER.holds(width):
        if width < 0:
            raise Failure("basic_string::_M_replace_aux")
        arguments.run.spend(width)
        margin = " " * width
    else:
        margin = str(width) if isinstance(width, str) else "    "
    lines = str(value).split("\n")
    arguments.run.spend(len(value) + len(lines) * len(margin))
    parts: list[str] = []
    size = 0
    for line in lines if lines[-1] else lines[:-1]:
        if size:
            parts.append("\n")
            size += 1
        if (line or blank) if size else first:  # llama.cpp takes a line for the first one as long as nothing is written
            parts.append(margin)
            size += len(margin)
        parts.append(line)
        size += len(line)
    if value.endswith("\n"):
        parts.append("\n" + (margin if blank else ""))
    return "".join(parts)


def _join(_: Arguments) -> Value:
    raise Unimplemented("String join builtin not implemented")


TEXT_METHODS: dict[str, Builtin] = {
    "default": default_value,
    "upper": _upper,
    "lower": _lower,
    "strip": _stripping("strip", left=True, right=True),
    "rstrip": _stripping("rstrip", left=False, right=True),
    "lstrip": _stripping("lstrip", left=True, right=False),
    "title": _title,
    "capitalize": _capitalize,
    "length": _length,
    "startswith": _startswith,
    "endswith": _endswith,
    "split": _splitting("split"),
    "rsplit": _splitting("rsplit"),
    "replace": _replace,
    "format": _format,
    "int": _int,
    "float": _float,
    "string": _string,
    "slice": _slice,
    "safe": _safe,
    "tojson": tojson,
    "indent": _indent,
    "join": _join,
}
