"""Declaring thinking tags: Ollama infers them, history stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from example_templates import LEGACY_CHATML, MESSAGES, MISTRAL_PLAIN, QWEN, R1_NEW, R1_OLD

from modelsmith.errors import InjectionError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.named import NAMED
from modelsmith.template.edit.go.declare import declare_thinking
from modelsmith.template.edit.go.replace_token import replace_token
from modelsmith.template.edit.go.strip_system import strip_system
from modelsmith.template.go.template import Template

TAGS = ("<think>", "</think>")
BLOCK = "{{ if and $last .Thinking }}<think>\n{{ .Thinking }}\n</think>\n\n{{ end }}"


@pytest.mark.parametrize("name", MESSAGES)
def test_the_tags_are_inferred_and_only_the_last_answer_changes(name: str) -> None:
    before = Template.parse(MESSAGES[name])
    after = declare_thinking(before)
    assert after.thinking_tags == TAGS
    for conversation in NAMED.values():
        last = conversation.turns[-1] if conversation.turns else None
        if last and last.role == "assistant" and last.thinking:
            continue
        for think in (None, True, False):
            assert after.render(conversation, think) == before.render(conversation, think)


def test_the_block_shows_what_the_model_shall_go_on_with() -> None:
    begun = Conversation.from_dict(
        {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "thinking": "hm"}]}
    )
    for text, place in ((R1_OLD, '"assistant" }}<｜Assistant｜>'), (QWEN, '"assistant" }}<|im_start|>assistant\n')):
        after = declare_thinking(Template.parse(text))
        assert after.text == text.replace(place, place + BLOCK)
        assert "<think>\nhm\n</think>\n\na" in after.render(begun)


def test_a_template_that_has_the_tags_is_returned_as_it_is() -> None:
    template = Template.parse(R1_NEW)
    assert declare_thinking(template) is template


def test_a_loop_without_an_index_gets_one() -> None:
    after = declare_thinking(Template.parse(MISTRAL_PLAIN))
    assert "{{ range $i, $_ := .Messages }}" in after.text
    assert "{{ if and .Thinking (eq (len (slice $.Messages $i)) 1) }}<think>" in after.text


def test_thinking_that_is_shown_already_is_not_shown_twice() -> None:
    text = (
        "{{ range .Messages }}{{ .Role }}: {{ with .Thinking }}({{ . }}) {{ end }}{{ .Content }}\n{{ end }}assistant:"
    )
    after = declare_thinking(Template.parse(text))
    assert after.thinking_tags == TAGS
    assert "{{ if false }}<think>{{ .Thinking }}</think>{{ end }}" in after.text
    for conversation in NAMED.values():
        assert after.render(conversation) == Template.parse(text).render(conversation)


def test_a_loop_that_ollama_does_not_look_into_gets_a_dead_one_beside_it() -> None:
    text = "{{ range $.Messages }}{{ .Role }}: {{ .Content }}\n{{ end }}assistant:"
    after = declare_thinking(Template.parse(text), "<thought>", "</thought>")
    assert after.thinking_tags == ("<thought>", "</thought>")
    assert after.text.startswith(text)


def test_a_legacy_template_cannot() -> None:
    with pytest.raises(InjectionError, match="old style") as caught:
        declare_thinking(Template.parse(LEGACY_CHATML))
    assert "PARSER" in caught.value.hint


def test_other_tags_are_not_replaced() -> None:
    with pytest.raises(InjectionError, match="declares other thinking tags"):
        declare_thinking(Template.parse(R1_NEW), "<reason>", "</reason>")


@pytest.mark.parametrize("tag", ["", " <think>", "{{ x }}"])
def test_a_tag_is_a_text_without_white_space_around_it(tag: str) -> None:
    with pytest.raises(InjectionError, match="is no thinking tag"):
        declare_thinking(Template.parse(R1_OLD), tag, "</think>")


@pytest.mark.parametrize("edit", [declare_thinking, strip_system, partial(replace_token, old="A", new="B")])
def test_where_nothing_renders_nothing_is_proven(edit: Callable[[Template], Template]) -> None:
    with pytest.raises(InjectionError, match="renders no conversation"):
        edit(Template.parse("{{ range .Messages }}A{{ .Nope.X }}{{ end }}"))
