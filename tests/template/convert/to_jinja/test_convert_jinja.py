"""Go templates as Jinja chat templates: proven, refused, and what they look like."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared import corpus, needs_shared

from modelsmith.errors import ConversionError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.named import NAMED
from modelsmith.template.convert.to_jinja.convert_jinja import BEGUN, jinja_text, to_jinja
from modelsmith.template.go.template import Template
from modelsmith.template.jinja.template import ChatTemplate

CHATML = """{{- range $i, $_ := .Messages }}
{{- $last := eq (len (slice $.Messages $i)) 1 }}<|im_start|>{{ .Role }}
{{ .Content }}{{ if not (and $last (eq .Role "assistant")) }}<|im_end|>
{{ end }}
{{- if and $last (ne .Role "assistant") }}<|im_start|>assistant
{{ end }}
{{- end }}"""
SYSTEM_FIRST = """{{ if .System }}<<{{ .System }}>>{{ end }}
{{- range .Messages }}
{{- if eq .Role "system" }}{{ continue }}{{ end }}
{{- if eq .Role "user" }}[INST]{{ .Content }}[/INST]
{{- else if eq .Role "assistant" "tool" }}{{ .Content }}</s>
{{- end }}
{{- end }}"""
THINKING = """{{- range $i, $_ := .Messages }}
{{- $last := eq (len (slice $.Messages $i)) 1 }}
{{- if eq .Role "user" }}<U>{{ .Content }}
{{- else if eq .Role "assistant" }}<A>
{{- if and $.IsThinkSet (and $last .Thinking) }}<think>
{{ .Thinking }}
</think>
{{ end }}{{ .Content }}
{{- end }}
{{- if and $last (ne .Role "assistant") }}<A>
{{- if and $.IsThinkSet (not $.Think) }}<think>

</think>
{{ else if eq $.ThinkLevel "high" }}!{{ end }}
{{- end }}
{{- end }}"""
TOOLS = """{{- if .Tools }}<tools>{{ range .Tools }}
{{ . }}|{{ json .Function }}|{{ .Function }}|{{ .Function.Name }}|{{ .Function.Parameters.Properties }}
{{- range $name, $property := .Function.Parameters.Properties }} {{ $name }}:{{ $property.Type }}:{{ $property.Description }}
{{- end }}{{ end }}</tools>{{ json .Tools }}{{ end }}
{{- range .Messages }}<{{ .Role }}{{ with .ToolName }} {{ . }}{{ end }}>
{{- if .Content }}{{ .Content }}
{{- else }}
{{- range $number, $call := .ToolCalls }}{{ if $number }}, {{ end }}{{ $number }}:{{ $call.Function.Name }}
{{- .Function.Arguments }}{{ range $key, $value := .Function.Arguments }}/{{ $key }}={{ $value }}{{ end }}{{ end }}
{{- end }}
{{- end }}<assistant>"""
VARIABLES = """{{- $system := "" }}{{- $count := 0 }}{{ $first := index .Messages 0 }}
{{- range .Messages }}
{{- if eq .Role "system" }}{{ $system = printf "%s(%s)" $system .Content }}{{ end }}
{{- $count = len (printf "a%*s" $count "") }}
{{- end }}{{ $system }}{{ $count }}{{ if gt (len .Messages) 2 }} long{{ end }} {{ (index .Messages 0).Role }} {{ $first.Content }}
{{- define "turn" }}<{{ .Role }}>{{ .Content | print "-" }}{{ end }}
{{- range $i, $m := .Messages }}{{ if $i }}, {{ end }}{{ template "turn" . }}{{ $i }}{{ else }}none{{ end }}
{{- with .Suffix }}{{ . }}{{ else }}{{ .Foo }}{{ end }}{{ not .Tools }}{{ or .System "no system" }}"""
ZEPHYR = """{{ if .System }}<|system|>
{{ .System }}</s>
{{ end }}<|user|>
{{ .Prompt }}</s>
<|assistant|>
{{ .Response }}</s>
"""
ALPACA = "{{ .System }}\n### Instruction:\n{{ .Prompt }}\n\n### Response:\n"
BEFORE = "{{ if .Suffix }}<fim>{{ .Suffix }}{{ else if .Messages }}{{ range .Messages }}{{ .Content }}{{ end }}{{ else }}{{ .Prompt }}{{ end }}"
FAMILIES = {
    "chatml": CHATML,
    "system-first": SYSTEM_FIRST,
    "thinking": THINKING,
    "tools": TOOLS,
    "variables": VARIABLES,
    "zephyr": ZEPHYR,
    "alpaca": ALPACA,
    "before": BEFORE,
    "text": "only text",
}


@pytest.mark.parametrize("family", FAMILIES)
def test_families_are_proven(family: str) -> None:
    conversion = to_jinja(Template.parse(FAMILIES[family]))
    difference = conversion.counterexample
    assert conversion.proven, difference and (difference.name, difference.go, difference.jinja)
    assert set(conversion.limits) <= {BEGUN}
    assert len(conversion.covered) > 50


def test_the_simplest_template_is_one_that_a_person_would_write() -> None:
    conversion = to_jinja(Template.parse(CHATML))
    assert conversion.limits == ()
    assert str(conversion.template).splitlines()[-10:] == [
        "{%- for message in ns.talk %}",
        "    {%- set last = loop.last %}",
        "    {{- '<|im_start|>' + message.role + '\\n' + message.content }}",
        "    {%- if not (last and message.role == 'assistant') %}",
        "        {{- '<|im_end|>\\n' }}",
        "    {%- endif %}",
        "    {%- if last and message.role != 'assistant' %}",
        "        {{- '<|im_start|>assistant\\n' }}",
        "    {%- endif %}",
        "{%- endfor %}",
    ]


def test_thinking_is_found_and_switched_off() -> None:
    conversion = to_jinja(Template.parse(THINKING))
    assert conversion.thinking_tags == ("<think>", "</think>")
    template = conversion.template
    assert isinstance(template, ChatTemplate)
    asked = Conversation.from_dict({"messages": [{"role": "user", "content": "Why?"}]})
    assert template.render(asked, False) == "<U>Why?<A><think>\n\n</think>\n"
    assert template.render(asked) == template.render(asked, True) == "<U>Why?<A>"
    assert template.render(asked, "high") == "<U>Why?<A>!"


def test_messages_are_merged_as_ollama_does() -> None:
    template = to_jinja(Template.parse(SYSTEM_FIRST)).template
    assert template.render(NAMED["two-systems"]) == (
        "<<You are a pilot. Answer in one line.\n\nSpeak French.>>[INST]Good morning.[/INST]"
    )
    assert template.render(NAMED["users-in-a-row"]).startswith("[INST]Wait.\n\nOne more thing.[/INST]Yes?</s>")


def test_old_templates_run_once_a_turn() -> None:
    template = to_jinja(Template.parse(ZEPHYR)).template
    prompt = template.render(NAMED["system-turns"])
    assert prompt == Template.parse(ZEPHYR).render(NAMED["system-turns"])
    assert prompt.count("<|system|>") == 1
    assert prompt.endswith("<|assistant|>\n")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{{ range .Messages }}{{ yesterdayDate }}{{ end }}", "yesterdayDate"),
        ("{{ range .Messages }}{{ .Images }}{{ end }}", "Images"),
        ("{{ range .Messages }}{{ . }}{{ end }}", "message"),
        ('{{ range .Messages }}{{ printf "%q" .Content }}{{ end }}', "%q"),
        ("{{ range .Messages }}{{ 1.5 }}{{ end }}", "whole"),
        ('{{ define "x" }}{{ template "x" . }}{{ end }}{{ range .Messages }}{{ template "x" . }}{{ end }}', "itself"),
        ("{{ .Prompt }}{{ if .Response }}{{ .Response }}{{ else }}E{{ end }}", "Ollama itself fails"),
    ],
)
def test_what_jinja_has_nothing_for_is_refused(text: str, what: str) -> None:
    with pytest.raises(ConversionError, match=what) as caught:
        to_jinja(Template.parse(text))
    assert caught.value.hint or what in {"%q", "whole"}


def test_what_llama_server_would_not_load_is_refused() -> None:
    text = (
        '{{ range .Messages }}<|{{ .Role }}|>{{ .Content }}{{ range .ToolCalls }}<call>{"name": "{{ .Function.Name }}", }</call>'
        "{{ end }}{{ end }}{{ range .Tools }}{{ . }}{{ end }}<|assistant|>"
    )
    with pytest.raises(ConversionError, match="llama-server does not load"):
        to_jinja(Template.parse(text))


def test_nothing_is_printed_in_a_round_that_is_continued() -> None:
    text = '{{ range .Messages }}{{ if eq .Role "system" }}[{{ .Content }}]{{ continue }}{{ else if .Content }}-{{ end }}+{{ end }}'
    template = Template.parse(text)
    assert "continue" not in jinja_text(template)
    assert to_jinja(template).proven
    later = Template.parse(
        text.replace('if eq .Role "system"', 'if eq .Role "user" }}<{{ else if eq .Role "assistant"')
    )
    assert "{%- set skipped = true %}" in jinja_text(later)
    assert to_jinja(later).proven
    assert "continue" in jinja_text(Template.parse(SYSTEM_FIRST))


def test_variables_have_names_that_llama_cpp_leaves_free() -> None:
    text = '{{ $length := "" }}{{ range .Messages }}{{ $length = print $length .Content }}{{ end }}{{ $length }}'
    written = jinja_text(Template.parse(text))
    assert "ns.length_2" in written
    assert "ns.length " not in written


def test_what_differs_is_shown_by_the_smallest_conversation() -> None:
    # no tags around .Thinking: Ollama knows no capability, and llama-server cannot tell unset from false
    conversion = to_jinja(Template.parse("{{ range .Messages }}{{ .Content }}{{ end }}{{ if $.IsThinkSet }}!{{ end }}"))
    assert not conversion.proven_chat
    assert conversion.counterexample is not None
    assert conversion.counterexample.think is False
    assert conversion.counterexample.go.endswith("!")
    assert len(conversion.counterexample.conversation.turns) == 1


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=30), st.text(max_size=10))
def test_any_text_is_printed_as_it_is(before: str, after: str) -> None:
    text = f"{before}{{{{ range .Messages }}}}{{{{ .Content }}}}{{{{ end }}}}{after}"
    if "{{" in before + "{" * before.endswith("{") or "{{" in after or "\r" in text:
        return
    template = Template.parse(text)
    asked = Conversation.from_dict({"messages": [{"role": "user", "content": "x"}]})
    assert ChatTemplate.parse(jinja_text(template)).render(asked) == template.render(asked)


@needs_shared
@pytest.mark.parametrize("name", ["builtin.jsonl", "library.jsonl"])
def test_real_templates(name: str) -> None:
    with corpus("templates", name).open(encoding="utf-8") as lines:
        texts = list(dict.fromkeys(json.loads(line)["go"] for line in lines))[::8]
    for text in texts:
        conversion = to_jinja(Template.parse(text))
        assert conversion.proven, (text, conversion.counterexample)


def test_more_loops_than_a_thousand_have_names_of_their_own() -> None:
    loops = (f"{{{{ range $i, $m := .Messages }}}}{{{{ $m.Content }}}}{number}{{{{ end }}}}" for number in range(1100))
    text = jinja_text(Template.parse("".join(loops)))
    names = re.findall(r"for (\w+) in", text)
    assert len(names) == len(set(names)) == 1101
