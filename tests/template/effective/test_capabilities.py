from __future__ import annotations

import pytest
from conformance_checks import meaning
from shared import needs_shared

from modelsmith.errors import TemplateSyntaxError
from modelsmith.template.effective.capabilities import (
    capabilities,
    chat_capabilities,
    chat_tool_round_trip,
    go_capabilities,
    go_tool_round_trip,
    prefer_chat_template,
)
from modelsmith.template.go.template import Template
from modelsmith.template.jinja.template import ChatTemplate

PLAIN = "{{ range .Messages }}{{ .Role }}: {{ .Content }}\n{{ end }}"
THINKING = "{{ range .Messages }}{{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}{{ .Content }}{{ end }}"
TOOLS = "{{ .Tools }}{{ range .Messages }}{{ .Content }}{{ end }}"
ROUND_TRIP = '{{ .Tools }}{{ range .Messages }}{{ .ToolCalls }}{{ if eq .Role "tool" }}{{ .Content }}{{ end }}{{ end }}'
JINJA_BOTH = "{{ tools }}<think></think>"
JINJA_ROUND_TRIP = "{{ tools }}{% if m['role'] == 'tool' %}{{ m.tool_calls }}{% endif %}"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (PLAIN, set()),
        (THINKING, {"thinking"}),
        (TOOLS, {"tools"}),
        ("{{ .Prompt }}{{ .Suffix }}", {"insert"}),
        ("{{ .tools }}{{ .Prompt }}", {"tools"}),
        ("{{ if false }}{{ .Suffix }}{{ .Tools }}{{ end }}" + THINKING, {"insert", "tools", "thinking"}),
        ("{{ range .Messages }}{{ .Thinking }}{{ end }}", set()),
    ],
)
def test_of_go_templates(template: str, expected: set[str]) -> None:
    assert go_capabilities(template) == go_capabilities(Template.parse(template)) == expected
    assert capabilities(template) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ messages }}", set()),
        ("{{ tools }}", {"tools"}),
        ("{{ message.tool_calls }}", {"tools"}),
        ("<think> and </think>", {"thinking"}),
        ("<think>", set()),
        ("{{ content.split('</think>')[-1] }}", {"thinking"}),
        ('{{ content.split("</think>")[-1] }}', {"thinking"}),
        ("{{ content.split('</think>')[-1] }}{{ reasoning_content }}", set()),
        ("{{ content.split('</think>')[-1] }}<SPECIAL_12>", set()),
    ],
)
def test_of_jinja_templates(template: str, expected: set[str]) -> None:
    assert chat_capabilities(template) == chat_capabilities(ChatTemplate(template)) == expected
    assert capabilities(chat_template=template) == expected


def test_of_nothing() -> None:
    assert capabilities() == frozenset()
    assert capabilities(chat_template="") == frozenset()


def test_tool_round_trips() -> None:
    assert go_tool_round_trip(ROUND_TRIP)
    assert go_tool_round_trip("{{ .Tools }}{{ .ToolCalls }}TOOL_RESULTS{{ .Response }}")
    assert not go_tool_round_trip(TOOLS)
    assert chat_tool_round_trip(JINJA_ROUND_TRIP)
    assert chat_tool_round_trip("assistant_tool_call ipython")
    assert not chat_tool_round_trip("tool_calls")
    assert not chat_tool_round_trip("ipython")


@pytest.mark.parametrize(
    ("go", "jinja", "version", "preferred"),
    [
        (PLAIN, "{{ messages }}", None, False),
        (PLAIN, "", None, False),
        (PLAIN, "{{ tools }}", None, True),
        (THINKING, JINJA_BOTH, None, True),
        (THINKING, "<think></think>", None, False),
        (THINKING, "{{ tools }}", None, False),
        (ROUND_TRIP, JINJA_BOTH, None, False),
        (ROUND_TRIP, JINJA_ROUND_TRIP + "<think></think>", None, True),
        (TOOLS, JINJA_ROUND_TRIP, None, True),
        (TOOLS, JINJA_ROUND_TRIP, "0.30.11", True),
        (TOOLS, JINJA_ROUND_TRIP, "0.30.10", False),
        (ROUND_TRIP, JINJA_ROUND_TRIP, None, False),
        (THINKING, JINJA_BOTH, "0.29.9", False),
        (THINKING, JINJA_BOTH, "0.30.0-rc3", True),
    ],
)
def test_which_template_ollama_prefers(go: str, jinja: str, version: str | None, preferred: bool) -> None:
    assert prefer_chat_template(go, jinja, version=version) is preferred
    expected = chat_capabilities(jinja) if preferred else go_capabilities(go)
    assert capabilities(go, jinja, version=version) == expected


def test_a_template_that_ollama_cannot_load_has_none() -> None:
    with pytest.raises(TemplateSyntaxError):
        go_capabilities("{{ end }}")


@needs_shared
def test_agrees_with_the_recorded_answers() -> None:
    agree, total, differences = meaning.templates()
    assert (differences[:3], agree) == ([], total)
    assert total == 129
