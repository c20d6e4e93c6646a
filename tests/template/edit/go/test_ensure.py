"""Adding only what is missing, so that a recipe can run again."""

from __future__ import annotations

import pytest
from example_templates import ALL, MISTRAL, QWQ, R1_NEW, R1_OLD

from modelsmith.errors import InjectionError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.edit.go.ensure import ensure, ensure_many
from modelsmith.template.go.template import Template

OPEN, CLOSED = "<think>\n", "<think>\n\n</think>\n\n"
FORCE = [(CLOSED, "not-thinking"), (OPEN, "thinking")]
QUESTION = Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]})


def tail(template: Template, think: bool | None) -> str:
    return template.render(QUESTION, think).rpartition("hello")[2]


def test_what_is_there_is_seen_by_rendering() -> None:
    for text, wanted, when in ((R1_OLD, OPEN, "always"), (R1_NEW, CLOSED, "always")):
        template = Template.parse(text)
        assert ensure(template, wanted, when=when) is not template


def test_a_template_that_has_it_is_returned_as_it_is() -> None:
    for text, wanted, when in ((QWQ, OPEN, "always"), (R1_NEW, CLOSED, "not-thinking")):
        template = Template.parse(text)
        assert ensure(template, wanted, when=when) is template


@pytest.mark.parametrize("name", ALL)
def test_twice_is_once(name: str) -> None:
    once = ensure_many(Template.parse(ALL[name]), FORCE)
    assert ensure_many(once, FORCE) is once
    assert ensure(once, OPEN, when="thinking") is once
    assert ensure(once, CLOSED, when="not-thinking") is once


def test_only_the_missing_part_is_added() -> None:
    closed = ensure_many(Template.parse(QWQ), FORCE)
    assert tail(closed, None).endswith(f"<|im_start|>assistant\n{OPEN}")
    assert tail(closed, False).endswith(f"<|im_start|>assistant\n{CLOSED}")
    broken = Template.parse(
        R1_OLD.replace("<｜Assistant｜>{{ end }}\n{{- end }}", "<｜Assistant｜><think>\n{{- end }}\n{{- end }}")
    )
    assert tail(broken, None) == "<｜Assistant｜><think>"
    assert tail(ensure(broken, OPEN), None) == "<｜Assistant｜><think>\n"


def test_other_white_space_in_a_closed_block_will_do() -> None:
    template = Template.parse(R1_NEW.replace("<think>\n\n</think>\n\n", "<think>\n</think>\n\n"))
    assert ensure(template, CLOSED, when="not-thinking") is template


def test_a_tag_that_is_closed_already_is_closed() -> None:
    template = Template.parse(R1_NEW.replace("<think>\n\n</think>\n\n", "</think>"))
    assert ensure(template, CLOSED, when="not-thinking") is template


def test_a_typed_line_break_becomes_a_real_one() -> None:
    typed = R1_OLD.replace("<｜Assistant｜>{{ end }}\n{{- end }}", "<｜Assistant｜><think>\\n{{ end }}\n{{- end }}")
    repaired = ensure(Template.parse(typed), OPEN)
    assert repaired.text == typed.replace("<think>\\n", '{{ "<think>\\n" }}')
    assert tail(repaired, None) == f"<｜Assistant｜>{OPEN}"
    forced = ensure_many(Template.parse(typed), FORCE)
    assert tail(forced, None) == f"<｜Assistant｜>{OPEN}"
    assert tail(forced, False) == f"<｜Assistant｜>{CLOSED}"


def test_a_typed_line_break_that_is_in_the_history_too_is_named() -> None:
    for text in (MISTRAL.replace("[/INST]", "[/INST]<think>\\n"), "Q: {{ .Prompt }}\nA: <think>\\n"):
        with pytest.raises(InjectionError, match="backslash and an n") as caught:
            ensure(Template.parse(text), OPEN)
        assert "<think>\\n" in caught.value.hint


def test_a_template_that_closes_the_tag_is_refused() -> None:
    template = Template.parse(
        R1_OLD.replace("<｜Assistant｜>{{ end }}\n{{- end }}", "<｜Assistant｜></think>{{ end }}\n{{- end }}")
    )
    with pytest.raises(InjectionError, match="closes <think>"):
        ensure(template, OPEN)


def test_turns_that_open_in_different_ways_are_refused() -> None:
    text = R1_OLD.replace(
        "<｜Assistant｜>{{ end }}\n{{- end }}", "<｜Assistant｜>{{ if $.System }}<think>{{ end }}{{ end }}\n{{- end }}"
    )
    with pytest.raises(InjectionError, match="in different ways"):
        ensure(Template.parse(text), OPEN)
