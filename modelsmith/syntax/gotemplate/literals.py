"""Go's literals: strings and numbers read as Go reads them, strings written as Go quotes them.

A Go string is a row of bytes. Here it is a ``str`` in which a byte that is no UTF-8 stands as the lone surrogate U+DC80 to
U+DCFF that Python's ``surrogateescape`` gives it. Source of the rules: Go, ``strconv`` and ``text/template/parse/node.go``.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TypeAlias

from modelsmith.patterns import regex

Number: TypeAlias = int | float | complex

SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"

_ESCAPE = regex(
    r"""\\(?:(?P<simple>[abfnrtv\\"'])|(?P<octal>[0-7]{3})|x(?P<byte>[0-9a-fA-F]{2})
    |(?:u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8}))|(?P<bad>))""",
    re.VERBOSE,
)
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_WRITTEN = {char: f"\\{letter}" for letter, char in _SIMPLE.items()} | {"\\": "\\\\"}
_SIMPLY_QUOTED = regex(r"[ !#-\[\]-~]*")
_SURROGATE = regex("[\ud800-\udfff]")
_INTEGER = regex(r"[+-]?(?:0[bB][01_]+|0[oO][0-7_]+|0[xX][0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)\Z")
_DECIMAL = regex(r"[+-]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|_*\.[0-9_]*)(?:[eE][+-]?[0-9][0-9_]*)?\Z")
_HEXADECIMAL = regex(r"([+-]?)0[xX]([0-9a-fA-F_]*)(?:\.([0-9a-fA-F_]*))?[pP]([+-]?[0-9][0-9_]*)\Z")
_LOOSE_UNDERSCORE = regex("(?<![0-9])_|_(?![0-9])")
_LOOSE_UNDERSCORE_HEX = regex("(?<![0-9a-fA-F])_|_(?![0-9a-fA-F])")
_COMPLEX = regex(r"(.*[^eEpP])([+-].*)i\Z")
_LARGEST, _SMALLEST, _LARGEST_UNSIGNED = 2**63 - 1, -(2**63), 2**64 - 1


def encode(text: str) -> bytes:
    """Return the bytes of a Go string."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return b"".join(_encode_odd(char) for char in text)


def _encode_odd(char: str) -> bytes:
    if "\udc80" <= char <= "\udcff":
        return bytes((ord(char) - 0xDC00,))
    return char.encode("utf-8", "surrogatepass")


def decode(data: bytes) -> str:
    """Return the Go string of these bytes."""
    return data.decode("utf-8", "surrogateescape")


def normal(text: str) -> str:
    """Join bytes that came in pieces: after it, equal bytes are equal texts."""
    return text if _is_unicode(text) else decode(encode(text))


def visible(text: str) -> str:
    """Return the text with U+FFFD for every byte that is no UTF-8, as JSON shows it."""
    return text if _is_unicode(text) else _SURROGATE.sub("\ufffd", decode(encode(text)))


def _is_unicode(text: str) -> bool:
    """Say whether there is no lone surrogate; the codec looks ten times as fast as a regular expression."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def unquote(quoted: str) -> str:
    """Return the text of a string literal, ``"…"`` or a raw one; ValueError where Go calls the syntax invalid."""
    inner = quoted[1:-1]
    if quoted[0] == "`":
        return inner.replace("\r", "")
    if "\\" not in inner:
        return _SURROGATE.sub("\ufffd", inner)
    return normal(_ESCAPE.sub(lambda match: _unescape(match, '"'), _SURROGATE.sub("\ufffd", inner)))


def _unescape(match: re.Match[str], quote: str) -> str:
    kind, value = match.lastgroup, match[match.lastgroup or 0]
    if kind == "simple":
        if value in "\"'" and value != quote:
            raise ValueError("invalid syntax")
        return _SIMPLE.get(value, value)
    if kind in ("octal", "byte"):
        number = int(value, 8 if kind == "octal" else 16)
        if number > 255:
            raise ValueError("invalid syntax")
        return chr(number) if number < 128 else chr(0xDC00 + number)
    if kind in ("short", "long"):
        number = int(value, 16)
        if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
            raise ValueError("invalid syntax")
        return chr(number)
    raise ValueError("invalid syntax")


def rune(literal: str) -> int:
    """Return the code point of a character constant like ``'a'``; ValueError with Go's words where it is wrong."""
    escape = _ESCAPE.match(literal, 1)
    if escape is None:
        end, char = 2, literal[1]
        if char == "'":
            raise ValueError("invalid syntax")
        value = 0xFFFD if "\ud800" <= char <= "\udfff" else ord(char)
    else:
        end, char = escape.end(), _unescape(escape, "'")
        value = ord(char) - 0xDC00 if "\udc80" <= char <= "\udcff" else ord(char)
    if literal[end:] != "'":
        raise ValueError(f"malformed character constant: {literal}")
    return value


def number(text: str) -> Number | None:
    """Return the value of a number literal, None for an integer beyond 63 bits (an error only when it is used).

    ValueError, with Go's words, where Go refuses it when it parses.
    """
    if len(text) < 18 and text.isascii() and text.isdecimal() and text[0] != "0":
        return int(text)
    if text.endswith("i"):
        return _imaginary(text)
    # Go looks for these letters in the text, and does not take a hexadecimal number with a sign for one
    looks_float = any(char in ".eEpP" for char in text) and not (
        text[:2] in ("0x", "0X") and not re.search("[pP]", text)
    )
    integer = _integer(text)
    if integer is not None and _SMALLEST <= integer <= _LARGEST:
        return float(integer) if looks_float else integer
    if integer is not None and integer <= _LARGEST_UNSIGNED and text[0] not in "+-":
        return float(integer) if looks_float else None
    value = _float(text)
    if value is None:
        raise ValueError(f"illegal number syntax: {quote(text)}")
    if not any(char in ".eEpP" for char in text):
        raise ValueError(f"integer overflow: {quote(text)}")
    if looks_float:
        return value
    return int(value) if value == int(value) and _SMALLEST <= value <= _LARGEST else None


def _imaginary(text: str) -> complex:
    pair = _COMPLEX.match(text)
    real, imaginary = _float(pair[1] if pair else "0"), _float(pair[2] if pair else text[:-1])
    if pair is None and imaginary is None:
        raise ValueError(f"illegal number syntax: {quote(text)}")
    if pair is not None and pair[2] in "+-":
        raise ValueError("syntax error scanning complex number")
    if real is None or imaginary is None:
        wrong = text[:-1] if pair is None else pair[1 if real is None else 2]
        raise ValueError(f"strconv.ParseFloat: parsing {quote(wrong)}: invalid syntax")
    return complex(real, imaginary)


def _integer(text: str) -> int | None:
    if not _INTEGER.match(text) or ("_" in text and _has_loose_underscore(text)):
        return None
    digits = text.lstrip("+-").replace("_", "")
    base = {"b": 2, "o": 8, "x": 16}.get(digits[1:2].lower(), 8 if digits[0] == "0" else 10)
    # a number of many thousand digits is beyond 64 bits, whatever it is
    value = (
        int(digits, 0 if digits[1:2].lower() in tuple("box") else base) if len(digits) < 70 else _LARGEST_UNSIGNED + 1
    )
    return -value if text[0] == "-" else value


def _has_loose_underscore(text: str) -> bool:
    """Say whether an underscore is not between digits; the prefix of a base counts as one."""
    digits = text.lstrip("+-")
    base = digits[:2].lower()
    loose = _LOOSE_UNDERSCORE_HEX if base == "0x" else _LOOSE_UNDERSCORE
    return bool(loose.search(f"0{digits[2:]}" if base in ("0b", "0o", "0x") else digits))


def _float(text: str) -> float | None:
    if "_" in text and _has_loose_underscore(text):
        return None
    plain = text.replace("_", "")
    try:
        if _DECIMAL.match(text):
            value = float(plain)
        elif (parts := _HEXADECIMAL.match(plain)) and (parts[2] or parts[3]):
            value = float.fromhex(f"{parts[1]}0x{parts[2]}.{parts[3] or ''}p{parts[4]}")
        else:
            return None
    except (ValueError, OverflowError):
        return None
    return None if value in (float("inf"), float("-inf")) else value


def lower(text: str) -> str:
    """Return the text in small letters, each character on its own, as Go does it."""
    return text.lower() if text.isascii() else "".join(char.lower()[0] for char in text)


def is_print(char: str) -> bool:
    """Say whether Go prints this character as it is: letters, marks, numbers, punctuation, symbols and the plain space."""
    return " " <= char <= "~" if char < "\x7f" else unicodedata.category(char)[0] in "LMNPS"


def quote(text: str, *, ascii_only: bool = False, mark: str = '"') -> str:
    """Return the text as a Go literal, as ``%q`` writes it."""
    if mark == '"' and _SIMPLY_QUOTED.fullmatch(text):
        return f'"{text}"'
    return f"{mark}{''.join(_quote_char(char, mark, ascii_only) for char in text)}{mark}"


def _quote_char(char: str, mark: str, ascii_only: bool) -> str:
    code = ord(char)
    if char in (mark, "\\"):
        return f"\\{char}"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 127 or not ascii_only:
        if is_print(char):
            return char
        if char in _WRITTEN:
            return _WRITTEN[char]
    if code < 32 or code == 127:
        return f"\\x{code:02x}"
    if 0xD800 <= code <= 0xDFFF:
        return "\\ufffd"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def code_point(char: str) -> str:
    """Return a character as ``%#U`` writes it: ``U+2603 '☃'``."""
    char = "\ufffd" if "\ud800" <= char <= "\udfff" else char
    return f"U+{ord(char):04X}" + (f" '{char}'" if is_print(char) else "")
