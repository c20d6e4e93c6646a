"""PARAMETER texts as typed values."""

from __future__ import annotations

import math

import pytest

from modelsmith.errors import InvalidParameter
from modelsmith.parameters import DEPRECATED, PARAMETERS, ParameterKind, typed_parameters


def test_each_kind_of_value() -> None:
    texts = {"num_ctx": ["4096"], "temperature": ["0.123456789"], "use_mmap": ["T"], "stop": ["a", "", "b"]}
    assert typed_parameters(texts) == {
        "num_ctx": 4096,
        "temperature": 0.12345679,
        "use_mmap": True,
        "stop": ["a", "", "b"],
    }


def test_the_first_text_of_a_scalar_counts() -> None:
    assert typed_parameters({"top_k": ["1", "x"]}) == {"top_k": 1}


@pytest.mark.parametrize(
    ("name", "texts", "message"),
    [
        ("temprature", ["1"], "unknown parameter 'temprature'"),
        ("TEMPERATURE", ["1"], "unknown parameter 'TEMPERATURE'"),
        ("", ["1"], "unknown parameter ''"),
        ("mirostat", ["1"], "unknown parameter 'mirostat'"),
        ("num_ctx", ["4k", "2"], "invalid int value [4k 2]"),
        ("temperature", ["0,7"], "invalid float value [0,7]"),
        ("use_mmap", ["yes"], "invalid bool value [yes]"),
    ],
)
def test_ollamas_words_for_what_it_refuses(name: str, texts: list[str], message: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        typed_parameters({name: texts})
    assert str(caught.value) == message


def test_the_way_out() -> None:
    with pytest.raises(InvalidParameter) as caught:
        typed_parameters({"temprature": ["1"]})
    assert caught.value.hint == 'did you mean "temperature"?'
    with pytest.raises(InvalidParameter) as caught:
        typed_parameters({"num_ctx": ["4k"]})
    assert "4096" in caught.value.hint


def test_no_text_is_no_value() -> None:
    with pytest.raises(InvalidParameter, match="has no value"):
        typed_parameters({"num_ctx": []})
    assert typed_parameters({"stop": []}) == {"stop": []}


def test_infinity_is_accepted_here_as_by_ollama() -> None:
    assert typed_parameters({"temperature": ["-Inf"]}) == {"temperature": -math.inf}


def test_the_table_is_sound() -> None:
    assert len(PARAMETERS) == 20
    assert not DEPRECATED & PARAMETERS.keys()
    for name, row in PARAMETERS.items():
        assert row.name == name
        assert row.is_list == (row.kind is ParameterKind.STRINGS) == (name == "stop")
        if row.default is not None:
            assert typed_parameters({name: [str(row.default)]}) == {name: row.default}
