"""Hostile templates stop, with an error of ours and not of Python's, and nothing they hold can make rendering crash."""

from __future__ import annotations

import inspect
import sys

import pytest
from gotemplate_fragments import templates
from hypothesis import given, settings
from hypothesis import strategies as st

from modelsmith.errors import TemplateRenderError, TemplateSyntaxError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.go import state as evaluate_state
from modelsmith.template.go.template import Template

TOOL = {
    "type": "function",
    "function": {
        "name": "f",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": ["string", "null"], "enum": [1, None]}, "b": {"properties": {"c": {}}}},
        },
    },
}
RICH = Conversation.from_dict(
    {
        "messages": [
            {"role": "system", "content": "S"},
            {"role": "user", "content": "é \x07", "images": ["AAEC"]},
            {
                "role": "assistant",
                "thinking": "t",
                "tool_calls": [{"function": {"name": "f", "arguments": {"a": [1, None]}}}],
            },
            {"role": "tool", "content": "r"},
        ],
        "tools": [TOOL],
    }
)
PLAIN = Conversation.from_dict({"messages": [{"role": "user", "content": "hi"}]})
SUFFIX = Conversation.from_dict({"prompt": "p", "suffix": "s"})

ENDLESS = {
    "loops": "{{ range 1000000 }}{{ range 1000000 }}{{ end }}{{ end }}",
    "one loop": "{{ range 9223372036854775807 }}{{ end }}",
    "calls that double": "".join(
        f'{{{{ define "t{n}" }}}}{{{{ template "t{n + 1}" . }}}}{{{{ template "t{n + 1}" . }}}}{{{{ end }}}}'
        for n in range(40)
    )
    + '{{ define "t40" }}{{ end }}{{ template "t0" . }}',
}
ENORMOUS = {
    "text in a loop": "{{ range 1000000 }}" + "x" * 1000 + "{{ end }}",
    "values in a loop": "{{ $x := printf `%100000d` 1 }}{{ range 1000000 }}{{ $x }}{{ end }}",
    "print": "{{ $x := `aaaa` }}" + "{{ $x = print $x $x }}" * 60,
    "printf": "{{ $x := `aaaa` }}" + "{{ $x = printf `%[1]s%[1]s%[1]s%[1]s` $x }}" * 40,
    "a format of itself": "{{ $x := `%[1]s%[1]s%[1]s` }}" + "{{ $x = printf $x $x }}" * 20,
    "widths": "{{ range 1000000 }}{{ $x := printf `%1000000d` 1 }}{{ end }}",
    "precisions": "{{ range 1000000 }}{{ $x := printf `%.1000000f` 1.5 }}{{ end }}",
    "escapes": "{{ $x := `\\` }}" + "{{ $x = js $x }}" * 60,
}


@pytest.fixture
def small_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate_state, "MAX_STEPS", 20_000)
    monkeypatch.setattr(evaluate_state, "MAX_TEXT", 1_000_000)


@pytest.mark.usefixtures("small_budget")
@pytest.mark.parametrize("name", ENDLESS)
def test_endless(name: str) -> None:
    with pytest.raises(TemplateRenderError, match="does not end within 20000 steps") as caught:
        Template.parse(ENDLESS[name] + "{{ if .Messages }}{{ end }}").render(PLAIN)
    assert "hang" in caught.value.hint


@pytest.mark.usefixtures("small_budget")
@pytest.mark.parametrize("name", ENORMOUS)
def test_enormous(name: str) -> None:
    template = Template.parse(ENORMOUS[name] + "{{ if .Messages }}{{ end }}")
    with pytest.raises(TemplateRenderError, match="makes more than 1000000 characters"):
        template.render(PLAIN)
    with pytest.raises(TemplateRenderError, match="makes more than 1000000 characters"):
        template.trace(PLAIN)


def test_recursion() -> None:
    template = Template.parse('{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" .Messages }}')
    with pytest.raises(TemplateRenderError, match=r'at <{{template "a" \.}}>: exceeded maximum template depth'):
        template.render(PLAIN)


def test_as_deep_as_may_be() -> None:
    deep = "{{ if 1 }}" * 60 + "{{ " + "(" * 40 + "print .Messages" + ")" * 40 + " | len }}" + "{{ end }}" * 60
    assert Template.parse(deep).render(PLAIN)


def test_too_deep_for_python_is_an_error_of_ours() -> None:
    text = "{{ if 1 }}" * 100 + "{{ .Messages }}" + "{{ end }}" * 100
    assert Template.parse(text).render(PLAIN)  # loads what is loaded once
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 60)  # as if the caller had used up the rest; runners of tests differ
    try:
        with pytest.raises((TemplateRenderError, TemplateSyntaxError), match="nested too deep"):
            Template.parse(text + " ").render(PLAIN)
    finally:
        sys.setrecursionlimit(limit)


@given(templates, st.sampled_from((RICH, PLAIN, SUFFIX)), st.sampled_from((None, True, False, "high")))
@settings(max_examples=500, deadline=None)
def test_nothing_but_our_errors(text: str, conversation: Conversation, think: bool | str | None) -> None:
    try:
        prompt = Template.parse(text).render(conversation, think)
    except (TemplateSyntaxError, TemplateRenderError):
        return
    prompt.encode()  # no lone surrogates
