"""Numbers as Go reads them."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelsmith.gonumber import read_bool, read_float, read_int


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (".5", 0.5),
        ("5.", 5.0),
        ("1_000", 1000.0),
        ("1e-3", 0.001),
        ("0x1p-2", 0.25),
        ("0x_1.8p1", 3.0),
        ("0.1", 0.1),
        ("16777217", 16777216.0),
        ("3.4028235e38", 3.4028235e38),
        ("1e-400", 0.0),
        ("1" + "0" * 5000, None),
        ("0." + "0" * 5000 + "1", 0.0),
        ("1e999999999999", None),
        ("3.4028236e38", None),
        ("1_", None),
        ("1__0", None),
        ("1_e1", None),
        ("0x1", None),
        ("+nan", None),
        ("", None),
        (".", None),
        (" 1", None),
        ("1,5", None),
        ("\u0661", None),
    ],
)
def test_floats(text: str, value: float | None) -> None:
    assert read_float(text) == value


def test_special_floats() -> None:
    assert math.isnan(read_float("NaN") or 0.0)
    assert read_float("+Infinity") == math.inf
    assert str(read_float("-0")) == "-0.0"


def test_rounding_twice_does_not_tip_a_tie() -> None:
    # exactly halfway between two float32 is 1.000000059604644775390625: ties go to the even one
    assert read_float("1.000000059604644775390625") == 1.0
    assert read_float("1.0000000596046447753906250000000000000001") == 1.0000001


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_every_float32_is_read_back(number: float) -> None:
    value = read_float(repr(number))
    assert value is not None
    assert struct.pack("<f", value) == struct.pack("<f", number)
    assert significant_digits(value) <= significant_digits(number)


def test_fewer_digits_may_be_a_longer_text() -> None:
    value = read_float("999999995904.0")
    assert value == 1e12
    assert significant_digits(value) == 1
    assert len(repr(value)) > len("999999995904.0")


def significant_digits(number: float) -> int:
    """Return how many digits a float's shortest decimal has, zeros at both ends aside."""
    return len(repr(number).partition("e")[0].replace(".", "").strip("-0"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("+5", 5),
        ("-1", -1),
        ("007", 7),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", None),
        ("-9223372036854775808", -(2**63)),
        ("0" * 50 + "1", 1),
        ("1" * 10_000, None),
        ("4096.0", None),
        ("1_000", None),
        ("0x10", None),
        ("", None),
        ("\u0661", None),
    ],
)
def test_ints(text: str, value: int | None) -> None:
    assert read_int(text) == value


def test_bools() -> None:
    assert [read_bool(text) for text in ("1", "t", "TRUE", "0", "F", "False", "yes", "tRUE", "")] == [
        True, True, True, False, False, False, None, None, None,
    ]  # fmt: skip
