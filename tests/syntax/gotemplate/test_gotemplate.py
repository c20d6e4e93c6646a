"""Go templates as trees: what is accepted and how it nests, what is refused and in which words, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import lark
import pytest
from gotemplate_fragments import templates
from gotemplate_outline import outline
from hypothesis import given, settings
from hypothesis import strategies as st

from modelsmith.errors import TemplateSyntaxError
from modelsmith.resources import GRAMMARS
from modelsmith.syntax.gotemplate import parser as gotemplate_parser
from modelsmith.syntax.gotemplate.lexer import lex
from modelsmith.syntax.gotemplate.nodes import If, Range, Text
from modelsmith.syntax.gotemplate.printed import go_text
from modelsmith.syntax.gotemplate.tokens import MAX_DEPTH
from modelsmith.syntax.gotemplate.tree import parse, tiles, walk
from modelsmith.template.go.template import Template

CASES = Path(__file__).parent


def cases(kind: str) -> list[Path]:
    return sorted((CASES / kind).glob("*.gotmpl"))


def read(path: Path) -> str:
    return path.read_bytes().decode()


@pytest.mark.parametrize("path", cases("ok"), ids=lambda path: path.stem)
def test_accepted(path: Path) -> None:
    text = read(path)
    assert outline(parse(text).root, text) == read(path.with_suffix(".txt"))


@pytest.mark.parametrize("path", cases("err"), ids=lambda path: path.stem)
def test_refused_in_the_words_of_go(path: Path) -> None:
    with pytest.raises(TemplateSyntaxError) as caught:
        Template.parse(read(path))
    message = read(path.with_suffix(".txt")).removesuffix("\n")
    assert str(caught.value) == message
    assert caught.value.offset is not None
    if message.startswith("template: "):
        assert message.startswith(f"template: :{caught.value.line}: ")


def test_the_grammar_has_no_ambiguity() -> None:
    pytest.importorskip("interegular")
    text = (GRAMMARS / "gotemplate.lark").read_text("utf-8")
    lark.Lark(text, parser="lalr", lexer=gotemplate_parser._Lexer, maybe_placeholders=False, strict=True)


@given(templates | st.text())
@settings(max_examples=300, deadline=None)
def test_the_tree_tiles_the_text(text: str) -> None:
    try:
        tree = parse(text)
    except TemplateSyntaxError:
        return
    spans = list(tiles(tree.root))
    assert "".join(span.of(text) for span in spans) == text
    assert [span.start for span in spans[1:]] == [span.end for span in spans[:-1]]
    for node in walk(tree.root):
        assert 0 <= node.start <= node.end <= len(text)
        if isinstance(node, Text):
            assert node.value in node.span.of(text)


@given(templates | st.text())
@settings(max_examples=200, deadline=None)
def test_tokens_go_from_left_to_right(text: str) -> None:
    end = 0
    for token in lex(text):
        assert end <= token.start <= token.end <= len(text)
        # between tokens there is only what Go skips: spaces inside of actions
        assert not text[end : token.start].strip(" \t\r\n") or token.kind == "ERROR"
        end = token.end


def test_a_definition_of_the_root_counts_if_the_root_is_empty() -> None:
    tree = parse('{{ define "" }}x{{ end }} {{/* nothing */}}')
    assert [node.value for node in tree.templates[""].nodes if isinstance(node, Text)] == ["x"]


def test_an_empty_definition_replaces_no_other() -> None:
    tree = parse('{{ define "a" }} {{ end }}{{ define "a" }}x{{ end }}{{ define "a" }}\n{{ end }}')
    assert [node.value for node in tree.templates["a"].nodes if isinstance(node, Text)] == ["x"]


def test_spans_are_places_in_the_text() -> None:
    text = "é{{ range .A }}b{{ if .C }}d{{ else if .E }}f{{ end }}{{ end }}"
    loop = next(node for node in walk(parse(text).root) if isinstance(node, Range))
    first, second = (node for node in walk(loop.body) if isinstance(node, If))
    assert loop.opening.of(text) == "{{ range .A }}"
    assert loop.span.of(text) == text[1:]
    assert loop.body.span.of(text) == "b{{ if .C }}d{{ else if .E }}f{{ end }}"
    assert first.closing is not None
    assert first.closing.of(text) == "{{ end }}"
    assert first.else_tag is None
    assert second.closing is None
    assert second.span.of(text) == "{{ else if .E }}f"
    assert second.pipeline.span.of(text) == ".E"


@pytest.mark.parametrize("opening", ["{{ if .A }}", "{{ range .A }}", "{{ with .A }}{{ else }}"])
def test_tags_nest_deep(opening: str) -> None:
    text = opening * MAX_DEPTH + "{{ end }}" * MAX_DEPTH
    root = parse(text).root
    assert sum(1 for _ in walk(root)) == MAX_DEPTH
    assert "".join(span.of(text) for span in tiles(root)) == text
    with pytest.raises(TemplateSyntaxError, match="more than 10000 tags, one in the other"):
        parse(opening * (MAX_DEPTH + 1) + "{{ end }}" * (MAX_DEPTH + 1))


def test_parentheses_nest_as_deep_as_in_go() -> None:
    (action,) = parse("{{ " + "(" * MAX_DEPTH + "1" + ")" * MAX_DEPTH + " }}").root.nodes
    assert go_text(action) == "{{" + "(" * MAX_DEPTH + "1" + ")" * MAX_DEPTH + "}}"
    with pytest.raises(TemplateSyntaxError, match="template: :1: max expression depth exceeded"):
        parse("{{ " + "(" * (MAX_DEPTH + 1) + "1" + ")" * (MAX_DEPTH + 1) + " }}")


@pytest.mark.parametrize("tag", ["if", "with"])
def test_a_chain_of_else_has_no_end(tag: str) -> None:
    links = MAX_DEPTH + 1
    tree = Template.parse(f"{{{{ {tag} .A }}}}" + f"{{{{ else {tag} .B }}}}" * links + "{{ end }}").tree
    assert sum(1 for _ in walk(tree.root)) == 1 + links


def test_long_texts_take_no_long_time() -> None:
    for text in (
        "x" * 1_000_000,
        "{{/*" + "x" * 1_000_000 + "*/}}",
        "{{ print" + " " * 100_000 + "-}}",
        "{{ 1 }}" * 500,
    ):
        parse(text)
    for text in ('{{ "' * 20_000, "{{" * 50_000, "{{" + " " * 500_000, "{{ 1" + "0" * 100_000 + " }}"):
        with pytest.raises(TemplateSyntaxError):
            parse(text)
