"""Legacy templates, which Ollama renders once a turn: only the last rendering opens the assistant's."""

from __future__ import annotations

import pytest
from example_templates import LEGACY, LEGACY_CHATML

from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.edit.go.generation import opens_turn, pending
from modelsmith.template.edit.go.inject import inject, inject_many
from modelsmith.template.go.template import Template

OPEN = "<think>\n"


def chat(*turns: tuple[str, str]) -> Conversation:
    return Conversation.from_dict({"messages": [{"role": role, "content": content} for role, content in turns]})


PAST_TURN_WITHOUT_ANSWER = chat(("user", "one"), ("system", "Be brief."), ("user", "two"))


@pytest.mark.parametrize("name", LEGACY)
def test_a_past_turn_without_an_answer_stays_as_it_was(name: str) -> None:
    before = Template.parse(LEGACY[name])
    after = inject(before, OPEN)
    assert after.render(PAST_TURN_WITHOUT_ANSWER) == before.render(PAST_TURN_WITHOUT_ANSWER) + OPEN


@pytest.mark.parametrize("name", LEGACY)
def test_a_begun_answer_goes_on(name: str) -> None:
    before = Template.parse(LEGACY[name])
    begun = chat(
        ("user", "one"), ("assistant", "two"), ("user", "three"), ("assistant", "a longer answer than the text")
    )
    assert inject(before, OPEN).render(begun) == before.render(begun)


def test_the_edit_stands_where_the_response_does() -> None:
    after = inject(Template.parse(LEGACY_CHATML), OPEN).text
    start, end = after.index("{{ $.Response }}"), after.index("<|im_end|>\n", after.index("$.Response"))
    assert after[:start] + "{{ .Response }}" + after[end:] == LEGACY_CHATML
    assert '{{ slice "<think>\\n" (len .Response) 0 }}' in after[start:end]


def test_conditions_are_decided_before_the_cut() -> None:
    before = Template.parse(LEGACY_CHATML)
    after = inject_many(before, [("no", "not-thinking"), ("yes", "thinking")])
    question = chat(("system", "s"), ("user", "u"))
    for think, text in ((None, "yes"), (True, "yes"), (False, "no")):
        assert after.render(question, think) == before.render(question, think) + text


def test_what_ollama_drops_is_not_seen() -> None:
    template = Template.parse(LEGACY_CHATML)
    call = [{"function": {"name": "f", "arguments": {}}}]
    dropped = Conversation.from_dict(
        {"messages": [{"role": "user", "content": "u"}, {"role": "assistant", "content": "", "tool_calls": call}]}
    )
    assert pending(dropped) == ("", "u", "")
    assert opens_turn(template, dropped)
    assert not opens_turn(template, chat(("system", "s")))
    assert not opens_turn(template, chat(("user", "u"), ("assistant", "a")))


def test_the_template_stays_of_the_old_style() -> None:
    assert inject(Template.parse(LEGACY_CHATML), OPEN).is_legacy
