"""Who printed what: the nodes behind the pieces of a rendering."""

from __future__ import annotations

from gotemplate_fragments import templates
from hypothesis import given, settings

from modelsmith.errors import TemplateRenderError, TemplateSyntaxError
from modelsmith.syntax.gotemplate.nodes import Action, Text
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.go.template import Template

TURNS = Conversation.from_dict(
    {
        "messages": [
            {"role": "user", "content": "U1"},
            {"role": "assistant", "content": "A1"},
            {"role": "user", "content": "U2"},
        ]
    }
)


def test_pieces_know_their_nodes() -> None:
    text = "<{{ range .Messages }}{{ .Role }}{{ if .Content }}: {{ .Content -}} !{{ end }}{{ end }}"
    pieces = Template.parse(text).trace(TURNS)
    assert [(piece.text, piece.node_span.of(text), piece.pass_index) for piece in pieces[:5] if piece.node_span] == [
        ("<", "<", 0),
        ("user", "{{ .Role }}", 0),
        (": ", ": ", 0),
        ("U1", "{{ .Content -}}", 0),
        ("!", " !", 0),
    ]
    assert isinstance(pieces[0].node, Text)
    assert isinstance(pieces[1].node, Action)


def test_nodes_are_those_of_the_tree() -> None:
    template = Template.parse("a{{ .Messages | len }}")
    nodes = [piece.node for piece in template.trace(TURNS)]
    assert all(node is own for node, own in zip(nodes, template.tree.root.nodes, strict=True))


def test_a_legacy_template_is_rendered_turn_by_turn() -> None:
    pieces = Template.parse("[{{ .Prompt }}]").trace(TURNS)
    assert [(piece.text, piece.pass_index) for piece in pieces] == [
        ("[", 0),
        ("U1", 0),
        ("]", 0),
        ("A1", 0),
        ("[", 1),
        ("U2", 1),
        ("]", 1),
        ("", 1),
    ]
    assert [piece.node is None for piece in pieces] == [False, False, False, True] * 2
    assert pieces[3].node_span is None


def test_the_last_turn_keeps_the_nodes_that_are_not_cut() -> None:
    template = Template.parse("{{ .Prompt }}|{{ .Response }}<end>")
    pieces = template.trace(TURNS)
    assert [piece.text for piece in pieces if piece.pass_index == 1] == ["U2", "|", ""]
    assert [piece.node for piece in pieces if piece.pass_index == 1] == list(template.tree.root.nodes[:3])


@given(templates)
@settings(max_examples=200, deadline=None)
def test_the_pieces_are_the_prompt(text: str) -> None:
    try:
        template = Template.parse(text)
        prompt = template.render(TURNS)
    except (TemplateSyntaxError, TemplateRenderError):
        return
    pieces = template.trace(TURNS)
    assert "".join(piece.text for piece in pieces) == prompt or "\ufffd" in prompt
