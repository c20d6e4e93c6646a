"""JSON as Go writes it."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelsmith.gojson import GoStruct, encode, encode_float


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (0.1, "0.1"),
        (-2.5, "-2.5"),
        (1e-5, "0.00001"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.5e-7, "1.5e-7"),
        (1e6, "1000000"),
        (1e16, "10000000000000000"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.25e22, "1.25e+22"),
        (3.4e38, "3.4e+38"),
        (9223372036854775807.0, "9223372036854776000"),
        (5e-324, "5e-324"),
        (123456789.125, "123456789.125"),
    ],
)
def test_floats(number: float, text: str) -> None:
    assert encode_float(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_survive(number: float) -> None:
    assert float(encode_float(number)) == number


@pytest.mark.parametrize(("number", "name"), [(math.inf, r"\+Inf"), (-math.inf, "-Inf"), (math.nan, "NaN")])
def test_infinities_are_refused(number: float, name: str) -> None:
    with pytest.raises(ValueError, match=f"unsupported value: {name}"):
        encode(number)


def test_strings_are_escaped_for_html() -> None:
    assert encode("<a> & 'b' \"c\" \\ \u2028\u2029 é \x7f/\b\f\n\r\t\x01\ud800") == (
        r'"\u003ca\u003e \u0026 ' + "'b'" + r" \"c\" \\ \u2028\u2029 é " + "\x7f" + r'/\b\f\n\r\t\u0001\ufffd"'
    )


def test_mappings_are_sorted_by_bytes_and_structs_are_not() -> None:
    assert encode({"é": 1, "z": [], "A": None}) == '{"A":null,"z":[],"é":1}'
    assert encode(GoStruct(z=1, a=True, b=b"hi")) == '{"z":1,"a":true,"b":"aGk="}'


def test_other_types_are_refused() -> None:
    with pytest.raises(TypeError, match="unsupported type: object"):
        encode(object())


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_what_is_written_reads_back(value: object) -> None:
    text = encode(value)
    assert json.loads(text, parse_int=float) == value  # whole floats are written without a point
    assert not set("<>&\u2028\u2029") & set(text)
