"""The text that Ollama takes for the beginning of a tool call."""

from __future__ import annotations

import pytest

from modelsmith.syntax.gotemplate.tree import parse
from modelsmith.template.go.tool_tag import tool_call_tag


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        (
            "{{ range .Messages }}{{ if .ToolCalls }} <tool_call>\n{{ range .ToolCalls }}{{ . }}{{ end }}{{ end }}{{ end }}",
            "<tool_call>",
        ),
        ('{{ if .ToolCalls }}[CALLS] {"name": {{ .Name }}}{{ end }}', "[CALLS]"),
        ('{{ if .ToolCalls }}{"name": {{ .Name }}}{{ end }}', "{"),
        ("{{ if .ToolCalls }}\n {{ range .ToolCalls }}a{{ end }}{{ end }}", "a"),
        ("{{ if .ToolCalls }}{{ if .Content }}\n{{ end }}<tool_call>{{ end }}", "{"),
        ("{{ if .ToolCalls }}{{ if .Content }}{{ else }}b{{ end }}c{{ end }}", "b"),
        ("{{ if .ToolCalls }}{{ .Content }}<tool_call>{{ end }}", "{"),
        ("{{ if and .Content .ToolCalls }}one{{ end }}{{ if .ToolCalls }}two{{ end }}", "one"),
        ("{{ if and .Content (len .ToolCalls) }}one{{ end }}{{ if .ToolCalls }}two{{ end }}", "two"),
        ("{{ if .A }}{{ else }}{{ with .B }}{{ if .ToolCalls }}{{/* c */}}x{{ end }}{{ end }}{{ end }}", "x"),
        ("{{ range .ToolCalls }}<tool_call>{{ end }}", "{"),
        ('{{ define "x" }}{{ if .ToolCalls }}no{{ end }}{{ end }}{{ .Messages }}', "{"),
    ],
)
def test_the_first_text_in_the_first_if_about_calls(text: str, tag: str) -> None:
    assert tool_call_tag(parse(text)) == tag
