"""The pieces of a chat template tile its text, and are those that jinja2's own lexer finds in real templates."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment
from shared import corpus, needs_shared

from modelsmith.errors import TemplateSyntaxError
from modelsmith.template.jinja.pieces import pieces


def assert_tiles(text: str) -> None:
    found = pieces(text)
    assert "".join(piece.span.of(text) for piece in found) == text
    assert [piece.span.start for piece in found] == [0, *(piece.span.end for piece in found[:-1])][: len(found)]


def test_shows_what_is_trimmed() -> None:
    text = "a \n  {%- if x -%}\n y{# c #}\n{{ '}}' }}\n  {% endif %}\nz\n"
    assert_tiles(text)
    assert [(piece.kind, piece.span.of(text)) for piece in pieces(text)] == [
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


def test_knows_the_keyword_and_the_words_of_a_piece() -> None:
    text = "{%- for m in messages -%}{{ m['role'] }}{# if #}"
    loop, output, comment = pieces(text)
    assert (loop.keyword, loop.words) == ("for", ("for", "m", "in", "messages"))
    assert (output.keyword, output.words) == ("", ("m", "[", "", "]"))
    assert (comment.keyword, comment.words) == ("", ())


def test_a_line_break_behind_a_statement_goes_once() -> None:
    text = "{% if x %}\n\n{{ y }}{% endif %}"
    assert [(piece.kind, piece.span.of(text)) for piece in pieces(text)][1:3] == [("trimmed", "\n"), ("text", "\n")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "\n",
        "é{{ x }}ü\r\n漢{% set y = 'ß' %}\r\n",
        "a\r\nb\r\n",
        "{{ 'a\r\nb' }}\r\n\r\n  {% set x = 1 %}\r\nc",
        "\r{# \r\n #}\r",
    ],
)
def test_line_ends_and_long_characters_keep_their_places(text: str) -> None:
    assert_tiles(text)
    for piece in pieces(text):
        if piece.kind in {"output", "statement", "comment"}:
            assert piece.span.of(text)[0] + piece.span.of(text)[-1] == "{}"


def test_names_the_line_of_what_cannot_be_cut() -> None:
    with pytest.raises(TemplateSyntaxError, match="line 2") as caught:
        pieces("é\r\n{{ ? }}")
    assert (caught.value.line, caught.value.offset) == (2, 6)


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
                "%}",
                "{#",
                "#}",
                " ",
                "\n",
                "\r\n",
                "\r",
                "x",
                "é",
                "'",
                "1.5",
                "{",
                "}",
                "-",
            ]
        ),
        max_size=20,
    )
)
def test_tiles_whatever_can_be_cut(parts: list[str]) -> None:
    text = "".join(parts)
    try:
        pieces(text)
    except TemplateSyntaxError:
        return
    assert_tiles(text)


@pytest.mark.parametrize(("text", "kind"), [("a\n{{ x", "output"), ("a\n{% if x }}", "statement")])
def test_names_what_is_never_closed(text: str, kind: str) -> None:
    with pytest.raises(TemplateSyntaxError, match=rf"the {kind} is never closed \(line 2\)") as caught:
        pieces(text)
    assert caught.value.offset == 2


@needs_shared
def test_cuts_real_templates_as_jinja2_does() -> None:
    lexer = Environment(trim_blocks=True, lstrip_blocks=True).lexer
    rows = [json.loads(line) for line in corpus("templates", "library.jsonl").read_text("utf-8").splitlines()]
    for text in sorted({row["jinja"] for row in rows if row["jinja"]}):
        assert_tiles(text.replace("\n", "\r\n", 9))
        shown = [piece.span.of(text) for piece in pieces(text) if piece.kind == "text"]
        assert shown == [value for _, kind, value in lexer.tokeniter(text, None) if kind == "data"]
