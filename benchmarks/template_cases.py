"""What ``template.py`` renders: templates of the shapes that models have, and for each what either engine is given."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

SYSTEM = "You are a pilot. Answer in one line."
TOOL = {
    "type": "function",
    "function": {
        "name": "course",
        "description": "Plot a course.",
        "parameters": {
            "type": "object",
            "required": ["to"],
            "properties": {
                "speed": {"type": "integer", "enum": [1, 2, 3]},
                "to": {"type": "string", "description": "where to"},
            },
        },
    },
}
ARGUMENTS = {"speed": 3, "to": "Mars"}

RANGE = """\
{{- if .System }}<|im_start|>system
{{ .System }}<|im_end|>
{{ end }}
{{- range $i, $message := .Messages }}
{{- $last := eq (len (slice $.Messages $i)) 1 }}
{{- if eq .Role "user" }}<|im_start|>user
{{ .Content }}<|im_end|>
{{ else if eq .Role "assistant" }}<|im_start|>assistant
{{ with .Thinking }}<think>
{{ . }}
</think>

{{ end }}{{ .Content }}{{ if not $last }}<|im_end|>
{{ end }}
{{- else if eq .Role "tool" }}<|im_start|>user
<tool_response>
{{ .Content }}
</tool_response><|im_end|>
{{ end }}
{{- if and (ne .Role "assistant") $last }}<|im_start|>assistant
{{ end }}
{{- end }}"""
TOOLS = """\
{{- if or .System .Tools }}<|im_start|>system
{{- if .System }}
{{ .System }}
{{- end }}
{{- if .Tools }}

You may call these functions:
<tools>
{{- range .Tools }}
{{ . }}
{{- end }}
</tools>
{{- end }}<|im_end|>
{{ end }}
{{- range $i, $_ := .Messages }}
{{- $last := eq (len (slice $.Messages $i)) 1 -}}
{{- if eq .Role "user" }}<|im_start|>user
{{ .Content }}<|im_end|>
{{ else if eq .Role "assistant" }}<|im_start|>assistant
{{ if .Content }}{{ .Content }}
{{- else if .ToolCalls }}<tool_call>
{{ range .ToolCalls }}{"name": "{{ .Function.Name }}", "arguments": {{ .Function.Arguments }}}
{{ end }}</tool_call>
{{- end }}{{ if not $last }}<|im_end|>
{{ end }}
{{- else if eq .Role "tool" }}<|im_start|>user
<tool_response>
{{ .Content }}
</tool_response><|im_end|>
{{ end }}
{{- if and (ne .Role "assistant") $last }}<|im_start|>assistant
{{ end }}
{{- end }}"""
THINKING = """\
{{ if .System }}{{ .System }}{{ end }}
{{- range $n, $_ := .Messages }}
{{- $last := eq (len (slice $.Messages $n)) 1 }}
{{- if eq .Role "user" }}<｜User｜>{{ .Content }}
{{- else if eq .Role "assistant" }}<｜Assistant｜>
{{- if and $last .Thinking }}<think>
{{ .Thinking }}
</think>
{{ end }}{{ .Content }}
{{- if not $last }}<｜end▁of▁sentence｜>{{ end }}
{{- end }}
{{- if and $last (ne .Role "assistant") }}<｜Assistant｜>
{{- if and $.IsThinkSet (not $.Think) }}<think>

</think>

{{ end }}
{{- end }}
{{- end }}"""
LEGACY = """\
{{ if .System }}<|system|>
{{ .System }}<|end|>
{{ end }}{{ if .Prompt }}<|user|>
{{ .Prompt }}<|end|>
{{ end }}<|assistant|>
{{ .Response }}<|end|>
"""
VALUES = """\
{{ range .Messages }}{{ printf "%s: %q" .Role .Content }}, {{ len .Content }}, {{ slice .Content 0 1 | html }}
{{ end }}{{ with $x := .System }}{{ and $x (or false $x) | printf "%-20v" }}{{ end }}"""


class Pass(NamedTuple):
    """One execution of a template's text, for engines that are handed plain data."""

    text: str
    data: dict[str, Any]


class Case(NamedTuple):
    """A template, a request in the shape of Ollama's API, and the passes that print the same prompt."""

    label: str
    text: str
    request: dict[str, Any]
    passes: list[Pass]


def _turns(count: int) -> list[dict[str, Any]]:
    return [
        {"role": ("user", "assistant")[n % 2], "content": f"{('question', 'answer')[n % 2]} {n}"} for n in range(count)
    ]


def _called() -> list[dict[str, Any]]:
    call = {"role": "assistant", "tool_calls": [{"function": {"name": "course", "arguments": ARGUMENTS}}]}
    return [*_turns(9), call, {"role": "tool", "content": "done"}, *_turns(2), *_turns(1)]


def _struct(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message with the names that templates know, JSON already written: the peer has no types that print so."""
    calls = [{"Function": {"Name": "course", "Arguments": _go_json(ARGUMENTS)}} for _ in message.get("tool_calls", ())]
    return {"Role": message["role"], "Content": message.get("content", ""), "Thinking": "", "ToolCalls": calls}


def _go_json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _chat(label: str, text: str, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> Case:
    data = {
        "System": SYSTEM,
        "Messages": [_struct(message) for message in messages],
        "Tools": [_go_json(tool) for tool in tools],
        "Think": False,
        "IsThinkSet": False,
    }
    request = {"messages": [{"role": "system", "content": SYSTEM}, *messages], "tools": tools}
    # Ollama's list of messages begins with the system message, which these templates skip
    data["Messages"].insert(0, _struct(request["messages"][0]))
    return Case(label, text, request, [Pass(text, data)])


def _legacy(label: str, text: str, messages: list[dict[str, Any]]) -> Case:
    """Return a template that Ollama renders once a turn, the last time only up to ``.Response``."""
    last = text.partition("{{ .Response }}")[0] + "{{ .Response }}"
    passes = []
    for number in range(0, len(messages), 2):
        pair = [message["content"] for message in messages[number : number + 2]]
        system, response = "" if number else SYSTEM, pair[1] if len(pair) > 1 else ""
        data = {"System": system, "Prompt": pair[0], "Response": response}
        passes.append(Pass(text if len(pair) > 1 else last, data))
    return Case(label, text, {"messages": [{"role": "system", "content": SYSTEM}, *messages]}, passes)


CASES = [
    _chat("range", RANGE, _turns(15), []),
    _chat("tools", TOOLS, _called(), [TOOL, TOOL]),
    _chat("thinking", THINKING, _turns(15), []),
    _legacy("legacy", LEGACY, _turns(15)),
    _chat("values", VALUES, _turns(15), []),
]
