"""The class Template: what it says of itself, and rendering as the world sees it."""

from __future__ import annotations

import datetime as dt

import pytest

from modelsmith.errors import TemplateRenderError, TemplateSyntaxError, UsageError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.go.functions.ollama import today_is
from modelsmith.template.go.template import Template

HELLO = Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]})
MESSAGES = "{{ range .Messages }}{{ .Role }}: {{ .Content }}\n{{ end }}"


def render(text: str, conversation: Conversation = HELLO, think: bool | str | None = None) -> str:
    return Template.parse(text).render(conversation, think)


def test_it_is_its_text() -> None:
    text = "{{- .Prompt -}} \n é{{/* c */}}"
    template = Template.parse(text)
    assert str(template) == template.text == text
    assert template == Template.parse(text) != Template.parse("x")
    assert len({template, Template.parse(text)}) == 1
    assert repr(template) == f"Template({text!r})"


def test_variables_are_small_sorted_and_single() -> None:
    template = Template.parse(
        "{{ .System }}{{ range $i, $m := .Messages }}{{ $m.Content }}{{ .ROLE }}{{ $.system }}{{ end }}"
    )
    assert template.variables == ("$", "$m", "content", "messages", "role", "system")
    assert not template.is_legacy


def test_variables_behind_parentheses_are_not_seen() -> None:
    assert Template.parse("{{ range (.).Messages }}{{ end }}").variables == ("response",)
    assert Template.parse("{{ print (index .Messages 0).Content }}").variables == ("response",)


def test_a_template_without_response_is_given_one() -> None:
    assert Template.parse("{{ .Prompt }}").variables == ("prompt", "response")
    assert Template.parse("{{ .Prompt }}").is_legacy
    prefilled = Conversation.from_dict({"messages": [{"role": "assistant", "content": "I"}]})
    assert render("A:", prefilled) == "A:I"


def test_a_call_without_an_argument_is_refused_with_the_way_out() -> None:
    with pytest.raises(TemplateSyntaxError, match="undefined template specified") as caught:
        Template.parse('a{{ if .A }}{{ template "x" }}{{ end }}')
    assert caught.value.hint == 'give it an argument: {{ template "x" . }}'
    assert caught.value.offset == 12


def test_errors_are_those_of_go() -> None:
    with pytest.raises(TemplateRenderError) as caught:
        render("é\né{{ range .Messages }}{{ .Role.X }}{{ end }}")
    assert str(caught.value) == 'template: :2:31: executing "" at <.Role.X>: can\'t evaluate field X in type string'


def test_a_panic_of_the_server_is_told() -> None:
    with pytest.raises(TemplateRenderError, match="the server panics: interface conversion") as caught:
        render("{{ if .Response }}{{ .Response }}{{ else }}x{{ end }}")
    assert "else" in caught.value.hint


@pytest.mark.parametrize(
    ("think", "expected"),
    [
        (None, "false//false"),
        (True, "true/medium/true"),
        (False, "false//true"),
        ("low", "true/low/true"),
        ("max", "true/max/true"),
    ],
)
def test_think(think: bool | str | None, expected: str) -> None:
    assert render("{{ .Think }}/{{ .ThinkLevel }}/{{ .IsThinkSet }}", think=think) == expected


def test_think_is_checked() -> None:
    with pytest.raises(UsageError, match='think is "maybe", not true, false or one of low, medium, high, max'):
        render("x", think="maybe")


def test_dates_can_be_set() -> None:
    text = '{{ currentDate "2006" }} {{ yesterdayDate }}{{ with .Messages }}{{ end }}'
    with today_is(dt.date(2026, 3, 1)):
        assert render(text) == "2026-03-01 2026-02-28"
    today, yesterday = map(dt.date.fromisoformat, render(text).split())
    assert (today - yesterday).days in (1, 0)  # midnight may come between


def test_bytes_that_are_no_text_become_the_replacement_character() -> None:
    assert render('{{ "\\xff" }}{{ slice "é" 1 }}{{ slice "é" 0 1 }}') == "\ufffd\ufffd\ufffd"
    assert render('{{ slice "é" 0 1 }}{{ slice "é" 1 }}') == "é"
    assert render('{{ print (slice "é" 0 1) (slice "é" 1) | len }}{{ eq (print "\\xc3" "\\xa9") "é" }}') == "2true"


def test_lone_surrogates_do_no_harm() -> None:
    assert render("\ud800{{ print `\udc80` `\ud83d` }}") == "\ufffd" * 7


def test_parsing_the_same_text_again_costs_nothing() -> None:
    assert Template.parse(MESSAGES) is Template.parse(MESSAGES)


def test_rendering_does_not_change_what_it_is_given() -> None:
    template = Template.parse("{{ $x := .Messages }}{{ range .Messages }}{{ $x = . }}{{ end }}{{ $x.Content }}")
    assert [template.render(HELLO) for _ in range(2)] == ["hello", "hello"]
