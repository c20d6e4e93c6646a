"""Whether a growing chat stays a prefix of itself."""

from __future__ import annotations

import datetime as dt

from example_templates import CHATML, LLAMA3, R1_NEW, R1_OLD
from hypothesis import given, settings
from hypothesis import strategies as st

from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.effective.cache import PLACES, CacheCheck, check_cache
from modelsmith.template.go.functions.ollama import today_is
from modelsmith.template.go.template import Template
from modelsmith.template.jinja.template import ChatTemplate

DAY = dt.date(2026, 2, 28)
THINK = ("<think>", "</think>")


def checked(text: str, tags: tuple[str, str] = ("", ""), *, tools: bool = False) -> CacheCheck:
    template = Template.parse(text)

    def render(conversation: Conversation, think: bool | str | None, day: dt.date) -> str:
        with today_is(day):
            return template.render(conversation, think)

    return check_cache(render, thinking_tags=tags, tools=tools, today=DAY)


def checked_jinja(text: str) -> CacheCheck:
    template = ChatTemplate.parse(text)
    return check_cache(
        lambda conversation, think, day: template.render(
            conversation, think, now=dt.datetime.combine(day, dt.time(12)).astimezone()
        ),
        today=DAY,
    )


def test_templates_that_only_append_keep_the_cache() -> None:
    for text in (CHATML, LLAMA3, R1_OLD):
        check = checked(text)
        assert check.holds, check.breaks
        assert check.talks == ("chat", "chat with a system prompt")


def test_a_date_breaks_it_once_a_day() -> None:
    (found,) = checked("It is {{ currentDate }}." + CHATML).breaks
    assert (found.place, found.cause) == ("date", "the prompt has the date in it")
    assert found.before.endswith("2026-0")
    assert (found.had[:4], found.now[:4]) == ("2-28", "3-01")


def test_a_date_in_a_jinja_template_is_seen_too() -> None:
    text = "{{ strftime_now('%d %B') }}{% for m in messages %}|{{ m.role }}|{{ m.content }}{% endfor %}|assistant|"
    assert [found.place for found in checked_jinja(text).breaks] == ["date"]


def test_reasoning_that_the_history_leaves_out() -> None:
    check = checked(R1_NEW, THINK)
    assert "chat with reasoning" in check.talks
    (found,) = check.breaks
    assert (found.talk, found.turn, found.place) == ("chat with reasoning", 2, "answer")
    assert "without the reasoning" in found.cause
    assert found.had.startswith("<think>\nThey ask for directions.")
    assert found.now.startswith("Down the hill")


def test_reasoning_that_the_history_keeps_holds_where_the_client_sends_it_back() -> None:
    text = (
        "{{ range $i, $m := .Messages }}<{{ .Role }}>{{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}"
        "{{ .Content }}{{ end }}<assistant>"
    )
    (found,) = checked(text, THINK).breaks
    assert found.talk == "chat with reasoning, not sent back"
    assert "the client does not send it back" in found.cause


def test_an_opening_tag_that_the_history_does_not_repeat() -> None:
    text = "{{ range .Messages }}<{{ .Role }}>{{ .Content }}{{ end }}<assistant><think>\n"
    (found,) = checked(text).breaks
    assert found.place == "generation-prompt"
    assert found.had.startswith("<think>")
    assert found.now.startswith("Down the hill")


def test_a_system_prompt_that_moves_along() -> None:
    text = (
        "{{ range $i, $m := .Messages }}{{ if eq .Role `user` }}"
        "{{ if and $.System (eq (len (slice $.Messages $i)) 1) }}{{ $.System }}\n{{ end }}[INST] {{ .Content }} [/INST]"
        "{{ else if eq .Role `assistant` }}{{ .Content }}{{ end }}{{ end }}"
    )
    (found,) = checked(text).breaks
    assert (found.talk, found.place) == ("chat with a system prompt", "history")
    assert found.cause == "the system prompt moves along with the last question"


def test_messages_that_are_dropped() -> None:
    text = "{{ range $i, $m := .Messages }}{{ if le (len (slice $.Messages $i)) 2 }}<{{ .Role }}>{{ .Content }}{{ end }}{{ end }}"
    causes = [found.cause for found in checked(text).breaks]
    assert "an earlier message is dropped: user 'Which way to the harbour?'" in causes


def test_tools_that_move_along_with_the_last_question() -> None:
    text = (
        "{{ range $i, $m := .Messages }}{{ if and $.Tools (eq (len (slice $.Messages $i)) 1) }}TOOLS{{ $.Tools }}{{ end }}"
        "<{{ .Role }}>{{ .Content }}{{ end }}<assistant>"
    )
    (found,) = checked(text, tools=True).breaks
    assert (found.talk, found.place) == ("chat with a tool call", "history")


def test_a_refused_conversation_is_told_and_the_others_are_checked() -> None:
    check = checked("{{ if .System }}{{ index .Messages 99 }}{{ end }}" + CHATML)
    assert check.talks == ("chat",)
    assert check.holds
    (failure,) = check.failures
    assert failure.startswith("chat with a system prompt: ")


@given(st.text("ab<>|\n ", max_size=6), st.text("ab<>|\n ", max_size=6), st.text("ab<>|\n ", max_size=6))
@settings(max_examples=40, deadline=None)
def test_what_only_appends_always_holds(before: str, between: str, after: str) -> None:
    def render(conversation: Conversation, _think: bool | str | None, _day: dt.date) -> str:
        said = [f"{before}{message.role}{between}{message.content}{after}" for message in conversation.turns]
        return "".join(said) + f"{before}assistant{between}"

    assert check_cache(render, today=DAY).holds


@given(st.integers(0, 3))
def test_the_difference_is_where_both_part(dropped: int) -> None:
    def render(conversation: Conversation, _think: bool | str | None, _day: dt.date) -> str:
        return "".join(message.content for message in conversation.turns[dropped:])

    for found in check_cache(render, today=DAY).breaks:
        assert found.place in PLACES
        assert found.had[:1] != found.now[:1]
