"""One verb's flags, and how simple values look under them. Source of the rules: Go, ``fmt/format.go`` and ``strconv``."""

from __future__ import annotations

import math
from dataclasses import dataclass

from modelsmith.syntax.gotemplate.literals import code_point, encode, is_print, quote

_BASES = {"d": 10, "v": 10, "b": 2, "o": 8, "O": 8, "x": 16, "X": 16}
_DIGITS = {10: "d", 2: "b", 8: "o", 16: "x"}
MAX_RUNE = 0x10FFFF


@dataclass(slots=True)
class Flags:
    """The flags, width and precision of one verb; ``plus_v`` and ``sharp_v`` are those of ``%+v`` and ``%#v``."""

    minus: bool = False
    plus: bool = False
    sharp: bool = False
    space: bool = False
    zero: bool = False
    plus_v: bool = False
    sharp_v: bool = False
    width: int | None = None
    precision: int | None = None

    def pad(self, text: str, *, zero: bool | None = None) -> str:
        """Fill up to the width, on the left unless ``-``; zeros only go to the left."""
        missing = (self.width or 0) - len(text)
        if missing <= 0:
            return text
        if self.minus:
            return text + " " * missing
        return ("0" if (self.zero if zero is None else zero) else " ") * missing + text

    def cut(self, text: str) -> str:
        """Shorten to the precision."""
        return text if self.precision is None else text[: self.precision]

    def string(self, text: str, verb: str) -> str | None:
        """Return a string under a verb, None if the verb is not for strings."""
        if verb == "s" or (verb == "v" and not self.sharp_v):
            return self.pad(self.cut(text))
        if verb in "xX":
            return self.hexadecimal(encode(text), verb)
        if verb in "qv":
            text = self.cut(text)
            # %#q may be a raw string; in %#v the flag is called sharp_v
            if self.sharp and not any(
                char in "`\x7f\ufeff" or (char < " " and char != "\t") or "\ud800" <= char <= "\udfff" for char in text
            ):
                return self.pad(f"`{text}`")
            return self.pad(quote(text, ascii_only=self.plus))
        return None

    def hexadecimal(self, data: bytes, verb: str) -> str:
        """Return bytes as ``%x`` or ``%X``."""
        data = data if self.precision is None else data[: self.precision]
        if not data:
            return self.pad("") if self.width else ""
        prefix = f"0{verb}" if self.sharp else ""
        digits = data.hex() if verb == "x" else data.hex().upper()
        if self.space:
            return self.pad(" ".join(prefix + digits[at : at + 2] for at in range(0, len(digits), 2)))
        return self.pad(prefix + digits)

    def integer(self, value: int, verb: str, *, signed: bool = True) -> str | None:
        """Return an integer under a verb, None if the verb is not for integers."""
        if verb in _BASES:
            if verb == "v" and self.sharp_v and not signed:
                return self.unsigned_hexadecimal(value)
            return self._digits(value, _BASES[verb], verb)
        unsigned = value & 0xFFFFFFFFFFFFFFFF
        char = chr(unsigned) if unsigned <= MAX_RUNE and not 0xD800 <= unsigned <= 0xDFFF else "\ufffd"
        if verb == "c":
            return self.pad(char)
        if verb == "q":
            return self.pad(quote(char, ascii_only=self.plus, mark="'"))
        if verb == "U":
            text = f"U+{unsigned:0{max(4, self.precision or 0)}X}"
            if self.sharp and unsigned <= MAX_RUNE and is_print(char):
                text += f" '{code_point(char)[-2]}'"
            return self.pad(text, zero=False)
        return None

    def unsigned_hexadecimal(self, value: int, *, prefix: bool = True) -> str:
        """Return a byte or an address."""
        sharp, self.sharp = self.sharp, prefix
        text = self._digits(value, 16, "v")
        self.sharp = sharp
        return text

    def _digits(self, value: int, base: int, verb: str) -> str:
        length = 0
        if self.precision is not None:
            if self.precision == 0 and value == 0:
                return " " * (self.width or 0)
            length = self.precision
        elif self.zero and not self.minus and self.width is not None:
            length = self.width - (value < 0 or self.plus or self.space)
        digits = format(abs(value), _DIGITS[base]).rjust(length, "0")
        if verb == "X":
            digits = digits.upper()
        if self.sharp:
            if base == 2:
                digits = "0b" + digits
            elif base == 8 and digits[0] != "0":
                digits = "0" + digits
            elif base == 16:
                digits = ("0X" if verb == "X" else "0x") + digits
        if verb == "O":
            digits = "0o" + digits
        return self.pad(self.sign(value < 0) + digits, zero=False)

    def sign(self, negative: bool) -> str:
        """Return the sign that the flags ask for."""
        return "-" if negative else "+" if self.plus else " " if self.space else ""

    def float(self, value: float, verb: str) -> str | None:
        """Return a float64 under a verb, None if the verb is not for floats."""
        if verb not in "vbgGxXfeEF":
            return None
        style, precision = {"v": ("g", None), "F": ("f", 6), "f": ("f", 6), "e": ("e", 6), "E": ("E", 6)}.get(
            verb, (verb, None)
        )
        precision = precision if self.precision is None else self.precision
        negative = math.copysign(1, value) < 0
        digits = float_digits(abs(value), style, precision)
        if self.sharp and verb != "b":
            digits = _with_point(digits, verb, precision)
        sign = self.sign(negative)
        if self.zero and not self.minus and self.width is not None and sign:
            return sign + digits.rjust(self.width - 1, "0")
        return self.pad(sign + digits)


def _with_point(digits: str, verb: str, precision: int | None) -> str:
    """Give a number the decimal point and the zeros that ``#`` forces."""
    mark = "p" if verb in "xX" else "e"
    at = digits.lower().find(mark)
    mantissa, tail = (digits, "") if at < 0 else (digits[:at], digits[at:])
    wanted = (6 if precision is None else precision) if verb in "vgGx" else 0
    significant = mantissa.replace(".", "").lstrip("0")  # the x of 0x1 is one for Go
    wanted -= len(significant)
    if "." not in mantissa:
        if mantissa == "0":
            wanted -= 1
        mantissa += "."
    return mantissa + "0" * max(0, wanted) + tail


def float_digits(value: float, style: str, precision: int | None) -> str:
    """Return a float64 that is not negative as ``strconv.FormatFloat`` does; no precision is the shortest that reads back."""
    if style in "xX":
        text = _hexadecimal(value, precision)
        return text.upper() if style == "X" else text
    if style == "b":
        mantissa, exponent = math.frexp(value)
        return f"{int(mantissa * 2**53)}p{exponent - 53:+d}" if value else "0p-1074"
    if precision is not None:
        return format(value, f".{max(precision, 1) if style in 'gG' else precision}{style}")
    digits, point = shortest(value)
    exponent = point - 1
    if style == "f":
        return _plain(digits, point)
    if style in "eE" or exponent < -4 or exponent >= 6:
        fraction = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{digits[0]}{fraction}{'E' if style in 'EG' else 'e'}{exponent:+03d}"
    return _plain(digits, point)


def _plain(digits: str, point: int) -> str:
    if point <= 0:
        return f"0.{'0' * -point}{digits}" if digits != "0" else "0"
    if point >= len(digits):
        return digits.ljust(point, "0")
    return f"{digits[:point]}.{digits[point:]}"


def shortest(value: float) -> tuple[str, int]:
    """Return the digits of the shortest decimal that reads back, and where its point is, counted from the first of them."""
    mantissa, _, power = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole.lstrip("0")) or -(len(fraction) - len(fraction.lstrip("0")))
    digits = digits.rstrip("0")
    return (digits, point + int(power or 0)) if digits else ("0", 1)


def _hexadecimal(value: float, precision: int | None) -> str:
    if not value:
        return "0x0" + (f".{'0' * precision}" if precision else "") + "p+00"
    mantissa, exponent = math.frexp(value)
    bits = int(mantissa * 2**53)  # 53 bits, the first of them set
    exponent -= 1
    if precision is not None and precision < 13:
        drop = 52 - 4 * precision
        half, rest = 1 << (drop - 1), bits & ((1 << drop) - 1)
        bits >>= drop
        bits = (bits + (rest > half or (rest == half and bits & 1))) << drop
        if bits >> 53:
            bits, exponent = bits >> 1, exponent + 1
    digits = f"{bits & (2**52 - 1):013x}"
    digits = digits.rstrip("0") if precision is None else digits[:precision].ljust(precision, "0")
    return f"0x1{'.' if digits else ''}{digits}p{exponent:+03d}"
