from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared import corpus, needs_shared

from modelsmith.errors import TemplateSyntaxError
from modelsmith.template.jinja.tokens import constructs, tokens


def assert_tiles(text: str) -> None:
    found = tokens(text)
    assert "".join(token.value for token in found) == text
    for parts in (found, constructs(text)):
        assert [part.span.start for part in parts] == [0, *(part.span.end for part in parts[:-1])][: len(parts)]
        assert (parts[-1].span.end if parts else 0) == len(text)


def test_shows_what_is_trimmed() -> None:
    text = "a \n  {%- if x -%}\n y{# c #}\n{{ '}}' }}\n  {% endif %}\nz\n"
    assert_tiles(text)
    assert [(piece.kind, piece.span.of(text)) for piece in constructs(text)] == [
        ("text", "a"),
        ("trimmed", " \n  "),
        ("statement", "{%- if x -%}"),
        ("trimmed", "\n "),
        ("text", "y"),
        ("comment", "{# c #}"),
        ("trimmed", "\n"),
        ("output", "{{ '}}' }}"),
        ("text", "\n"),
        ("trimmed", "  "),
        ("statement", "{% endif %}"),
        ("trimmed", "\n"),
        ("text", "z"),
        ("trimmed", "\n"),
    ]


def test_knows_keyword_inner_and_tokens_of_a_construct() -> None:
    text = "{%- for m in messages -%}{{ m.role }}{% raw %} {{ {% endraw %}"
    loop, output, raw = constructs(text)
    assert (loop.keyword, loop.inner.of(text)) == ("for", " for m in messages ")
    assert [token.value for token in loop.tokens] == ["for", "m", "in", "messages"]
    assert (output.keyword, [(token.kind, token.value) for token in output.tokens]) == (
        "",
        [("name", "m"), ("operator", "."), ("name", "role")],
    )
    assert (raw.kind, raw.inner.of(text)) == ("raw", " {{ ")


@pytest.mark.parametrize(
    "text", ["", "plain", "\n", "a\r\nb\r\n", "{{ 'a\r\nb' }}\r\n\r\n  {% set x = 1 %}\r\nc", "\r{# \r\n #}\r"]
)
def test_line_ends_keep_their_places(text: str) -> None:
    assert_tiles(text)


def test_names_the_line_of_what_cannot_be_lexed() -> None:
    with pytest.raises(TemplateSyntaxError, match="line 2") as caught:
        tokens("a\r\n{{ ? }}")
    assert (caught.value.line, caught.value.offset) == (2, 3)


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "{{",
                "}}",
                "{%",
                "{%-",
                "-%}",
                "+%}",
                "%}",
                "{#",
                "#}",
                " ",
                "\n",
                "\r\n",
                "\r",
                "x",
                "'",
                "1.5",
                "raw",
                "endraw",
            ]
        ),
        max_size=20,
    )
)
def test_tiles_whatever_can_be_lexed(parts: list[str]) -> None:
    text = "".join(parts)
    try:
        constructs(text)
    except TemplateSyntaxError:
        return
    assert_tiles(text)


def test_names_what_is_never_closed() -> None:
    with pytest.raises(TemplateSyntaxError, match=r"the output is never closed \(line 2\)") as caught:
        constructs("a\n{{ x")
    assert caught.value.offset == 2


@needs_shared
def test_tiles_every_real_template() -> None:
    rows = [json.loads(line) for line in corpus("templates", "library.jsonl").read_text("utf-8").splitlines()]
    for text in sorted({row["jinja"] for row in rows if row["jinja"]}):
        assert_tiles(text.replace("\n", "\r\n", 9))
