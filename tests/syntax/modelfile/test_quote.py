"""The three ways to write a value, checked against every short text of the characters that matter."""

from __future__ import annotations

from itertools import product

import pytest

from modelsmith.errors import UnquotableValue
from modelsmith.syntax.modelfile.modelfile import Modelfile
from modelsmith.syntax.modelfile.quote import is_quote_safe, is_raw_safe, is_triple_safe, quote


@pytest.mark.parametrize("length", range(5))
def test_predicates_are_exact(length: int) -> None:
    for value in map("".join, product('a" \t\r\n', repeat=length)):
        for mark, is_safe in (("", is_raw_safe), ('"', is_quote_safe), ('"""', is_triple_safe)):
            reading = Modelfile.parse(f"FROM m\nSYSTEM {mark}{value}{mark}\nLICENSE x\n").as_ollama()
            survives = reading.commands == (("model", "m"), ("system", value), ("license", "x"))
            assert survives == is_safe(value), (mark, value)


@pytest.mark.parametrize(
    ("value", "prefer", "written"),
    [
        ("a", "", "a"),
        ("a", '"', '"a"'),
        ("a", '"""', '"""a"""'),
        ("", "", '""'),
        (" a", "", '" a"'),
        ('"', "", '"""""""'),
        ("a\nb", "", '"""a\nb"""'),
        ("a\nb", '"', '"""a\nb"""'),
        ('a"""\nb', "", None),
        ('a"\nb', '"', '"""a"\nb"""'),
        ("a\r", "", '"""a\r"""'),
    ],
)
def test_choice_of_quotes(value: str, prefer: str, written: str | None) -> None:
    if written is None:
        with pytest.raises(UnquotableValue):
            quote(value, prefer)
    else:
        assert quote(value, prefer) == written
