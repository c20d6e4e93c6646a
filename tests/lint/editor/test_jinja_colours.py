"""Colours of Jinja templates: what each word is, whole or half written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelsmith.lint.editor.colours import TYPES
from modelsmith.lint.editor.jinja_colours import jinja_coloured


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a{{ b }}c", "{{:operator b:variable }}:operator"),
        ("{%- if not (m.role == 'user') -%}", "{%-:operator if:keyword not:keyword m:variable role:property ==:operator 'user':string -%}:operator"),
        ("{{ x | trim }}", "{{:operator x:variable |:operator trim:function }}:operator"),
        ("{{ m.get('a', 1.5) }}", "{{:operator m:variable get:function 'a':string 1.5:number }}:operator"),
        ("{# {{ b }} #}{{ c", "{# {{ b }} #}:comment {{:operator c:variable"),
        ("{{ {'a': {'b': 1}} }}", "{{:operator 'a':string 'b':string 1:number }}:operator"),
        ("{{ '}}' }}x{% set y", "{{:operator '}}':string }}:operator {%:operator set:keyword y:variable"),
        ("{# open", "{# open:comment"),
    ],
)  # fmt: skip
def test_what_each_word_is(text: str, expected: str) -> None:
    assert " ".join(f"{text[mark.span.start : mark.span.end]}:{mark.type}" for mark in jinja_coloured(text)) == expected


@given(
    st.lists(
        st.sampled_from(["{{", "}}", "{%-", "%}", "{#", "#}", "'", '"', "a", ".", "|", "(", " ", "1", "é", "=="])
    ).map("".join)
)
def test_words_stand_in_order_and_do_not_overlap(text: str) -> None:
    end = 0
    for mark in jinja_coloured(text):
        assert end <= mark.span.start < mark.span.end <= len(text)
        assert mark.type in TYPES
        end = mark.span.end
