"""JSON as Go's ``encoding/json`` writes it, byte for byte.

Ollama's manifests, configs and parameter layers, and the ``json`` function of its templates, are this text; their digests
depend on every byte. Source of the rules: Go, ``encoding/json/encode.go``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modelsmith.patterns import regex

if TYPE_CHECKING:
    import re

_SPECIAL = regex(r'[\x00-\x1f"\\<>&\u2028\u2029\ud800-\udfff]')
_SHORT = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}


class GoStruct(dict[str, Any]):
    """A JSON object whose keys keep their order, as the fields of a Go struct do; plain mappings are sorted."""


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    if char in _SHORT:
        return _SHORT[char]
    return "\\ufffd" if "\ud800" <= char <= "\udfff" else f"\\u{ord(char):04x}"


def encode_string(text: str) -> str:
    """Return ``text`` as a JSON string with Go's escapes (``<``, ``>`` and ``&`` included; lone surrogates become U+FFFD)."""
    return f'"{_SPECIAL.sub(_escape, text)}"'


def encode_float(number: float) -> str:
    """Return the shortest decimal digits of a float64: plain unless below 1e-6 or from 1e21 on.

    Raises ValueError for infinities and NaN, which Go refuses too.
    """
    if not math.isfinite(number):
        raise ValueError(f"unsupported value: {'NaN' if math.isnan(number) else '+Inf' if number > 0 else '-Inf'}")
    mantissa, _, exponent = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction.rstrip("0") if fraction.strip("0") else whole).lstrip("0")
    sign = "-" if math.copysign(1.0, number) < 0 else ""
    if not digits:
        return sign + "0"
    # point: position of the decimal point counted from the first significant digit
    leading = len(fraction) - len(fraction.lstrip("0")) if whole == "0" else -len(whole)
    point = -leading + int(exponent or 0)
    digits = digits.rstrip("0") or "0"
    if not 1e-6 <= abs(number) < 1e21:
        rest = f".{digits[1:]}" if len(digits) > 1 else ""
        power = point - 1
        return f"{sign}{digits[0]}{rest}e{'-' if power < 0 else '+'}{abs(power):d}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if point >= len(digits):
        return sign + digits.ljust(point, "0")
    return f"{sign}{digits[:point]}.{digits[point:]}"


def encode(value: object) -> str:
    """Return ``value`` as Go's ``json.Marshal`` would: no spaces, keys of mappings sorted bytewise, bytes as base64.

    Raises TypeError for other types and ValueError for infinities and NaN.
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return encode_string(value)
        case int():
            return str(value)
        case float():
            return encode_float(value)
        case bytes():
            import base64

            return f'"{base64.b64encode(value).decode()}"'
        case GoStruct():
            return "{" + ",".join(f"{encode_string(key)}:{encode(item)}" for key, item in value.items()) + "}"
        case Mapping():
            keys = sorted(value, key=lambda key: str(key).encode("utf-8", "surrogatepass"))
            return "{" + ",".join(f"{encode_string(key)}:{encode(value[key])}" for key in keys) + "}"
        case Sequence():
            return "[" + ",".join(encode(item) for item in value) + "]"
    raise TypeError(f"unsupported type: {type(value).__name__}")
