"""Numbers and truth values as Go reads them.

Sources: Go ``strconv/atoi.go``, ``strconv/atob.go``, ``strconv/atof.go``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.patterns import regex

if TYPE_CHECKING:
    from fractions import Fraction

_INT = regex(r"[+-]?[0-9]+")
_SHORT = regex(r"(?=.{1,7}\Z)[+-]?[0-9]+(?:\.[0-9]+)?")
"""So few digits are the shortest for their float32."""
_FLOAT = regex(
    r"""(?P<sign>[+-]?)(?:
    0[xX](?P<hex>(?=[_.]*[0-9a-fA-F])(?P<hex_whole>[0-9a-fA-F_]*)(?:\.(?P<hex_rest>[0-9a-fA-F_]*))?)[pP](?P<binary>[+-]?[0-9][0-9_]*)
    | (?=[_.]*[0-9])(?P<whole>[0-9_]*)(?:\.(?P<rest>[0-9_]*))?(?:[eE](?P<decimal>[+-]?[0-9][0-9_]*))?
    )""",
    re.VERBOSE,
)
_STRAY_UNDERSCORE = {10: regex(r"(?<![0-9])_|_(?![0-9])"), 16: regex(r"(?<![0-9a-fA-FxX])_|_(?![0-9a-fA-F])")}
_SPECIAL = regex(r"[+-]?inf(?:inity)?|nan", re.IGNORECASE)
_ENOUGH_DIGITS = 160
"""More significant digits than any float32, or any point halfway between two, has."""


def read_int(text: str) -> int | None:
    """Read a signed 64-bit decimal number, None where Go's ``ParseInt(text, 10, 64)`` fails."""
    if not _INT.fullmatch(text) or len(text.lstrip("+-").lstrip("0")) > 19:
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None


def read_bool(text: str) -> bool | None:
    """Read one of the words of Go's ``ParseBool``, None for any other."""
    if text in {"1", "t", "T", "TRUE", "true", "True"}:
        return True
    return False if text in {"0", "f", "F", "FALSE", "false", "False"} else None


def read_float(text: str) -> float | None:
    """Read a float32 as Go's ``ParseFloat(text, 32)`` does, None where it fails.

    The result is the float64 with the shortest digits that name the float32: "0.123456789" is 0.12345679.
    """
    if _SPECIAL.fullmatch(text):
        return float(text)
    if _SHORT.fullmatch(text):
        return float(text)
    from fractions import Fraction

    match = _FLOAT.fullmatch(text)
    if match is None or _STRAY_UNDERSCORE[10 if match["hex"] is None else 16].search(text):
        return None
    base, whole, rest, power = (
        (10, match["whole"], match["rest"], match["decimal"])
        if match["hex"] is None
        else (16, match["hex_whole"], match["hex_rest"], match["binary"])
    )
    whole, rest = whole.replace("_", ""), (rest or "").replace("_", "")
    exponent = _bounded(power or "0")
    digits = (whole + rest).lstrip("0")
    shift = -len(rest)
    if len(digits) > _ENOUGH_DIGITS:
        shift += len(digits) - _ENOUGH_DIGITS - 1
        digits = digits[:_ENOUGH_DIGITS] + "1"  # what was cut can only tip a tie; a last 1 does the same
    size = len(digits) + shift + (exponent if base == 10 else exponent // 4)
    if not digits or size < -60:
        number = 0.0
    elif size > 60:
        return None
    else:
        scale = Fraction(10) ** (shift + exponent) if base == 10 else Fraction(16) ** shift * Fraction(2) ** exponent
        rounded = _round32(int(digits, base) * scale)
        if rounded is None:
            return None
        number = _shortest(rounded) if rounded else rounded
    return -number if match["sign"] == "-" else number


def _bounded(power: str) -> int:
    sign = -1 if power.startswith("-") else 1
    return sign * min(int(power.replace("_", "").lstrip("+-").lstrip("0")[:7] or "0"), 100_000)


def _round32(number: Fraction) -> float | None:
    """Round a positive number to the nearest float32, ties to even; None beyond the largest."""
    from fractions import Fraction

    exponent = number.numerator.bit_length() - number.denominator.bit_length()
    if number < Fraction(2) ** exponent:
        exponent -= 1
    unit = Fraction(2) ** (max(exponent, -126) - 23)
    rounded = round(number / unit) * unit
    return float(rounded) if rounded < 2**128 else None


def _shortest(number: float) -> float:
    """Return the float64 with the fewest digits that name the same float32."""
    from fractions import Fraction

    for digits in range(1, 9):
        candidate = float(f"{number:.{digits}g}")
        if _round32(Fraction(candidate)) == number:
            return candidate
    return float(f"{number:.9g}")
