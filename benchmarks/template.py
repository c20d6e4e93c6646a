"""Go templates: processor time of one rendering beside the pure Python peer ``gotpl`` in the same run, and time to parse one.

Usage: python benchmarks/template.py [seconds a measurement]
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from modelsmith import Conversation, Template
from modelsmith.syntax.gotemplate import parse
from modelsmith.template.evaluate import Program
from modelsmith.template.evaluate_state import State
from modelsmith.template.functions import BUILTINS
from modelsmith.template.values import NO_VALUE
from modelsmith.template.values_ollama import json_value

if TYPE_CHECKING:
    from collections.abc import Callable

FASTER = 3.0
PARSE_MS = 3.0
CHATML = """\
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
TEMPLATES = {
    "turns": CHATML,
    "legacy": "{{ if .System }}<|system|>\n{{ .System }}<|end|>\n{{ end }}{{ if .Prompt }}<|user|>\n{{ .Prompt }}<|end|>\n"
    "{{ end }}<|assistant|>\n{{ .Response }}<|end|>\n",
    "values": '{{ range .Messages }}{{ printf "%s: %q" .Role .Content }}, {{ len .Content }}, {{ slice .Content 0 1 | html }}\n{{ end }}'
    '{{ with $x := .System }}{{ and $x (or false $x) | printf "%-20v" }}{{ end }}',
}
SYSTEM = "You are a pilot. Answer in one line."
MESSAGES = [
    {"Role": ("user", "assistant")[n % 2], "Content": f"{'question' if n % 2 == 0 else 'answer'} {n}", "Thinking": ""}
    for n in range(15)
]
DATA: dict[str, Any] = {"System": SYSTEM, "Messages": MESSAGES, "Prompt": "Which way?", "Response": ""}


def seconds_of(call: Callable[[], object], budget: float) -> float:
    """Return the processor time of a call: the best of samples of about a millisecond that fill the budget, which noise hits least."""
    clock = time.process_time
    call()
    start = clock()
    call()
    count = max(1, int(0.001 / (clock() - start)))
    samples = []
    end = clock() + budget
    while clock() < end:
        start = clock()
        for _ in range(count):
            call()
        samples.append((clock() - start) / count)
    return min(samples)


def own_renderer(text: str) -> Callable[[], str]:
    """Return the bare engine on the peer's terms: plain maps, made Go's values once as a Conversation does, Go's functions."""
    program = Program(text, parse(text).templates, BUILTINS, missing=NO_VALUE)
    data = json_value(DATA)

    def render() -> str:
        out: list[str] = []
        program.run(State(out.append, data))
        return "".join(out)

    return render


def chat_renderer(text: str) -> Callable[[], str]:
    """Return the whole way that Ollama takes: ``Template.render`` of a conversation read anew, a legacy one turn by turn."""
    messages = [{"role": message["Role"], "content": message["Content"]} for message in MESSAGES]
    shape = {"messages": [{"role": "system", "content": SYSTEM}, *messages]}
    template = Template.parse(text)
    return lambda: template.render(Conversation.from_dict(shape))


def print_renderings(budget: float) -> None:
    """Print one line a template: own time, the peer's, and the ratio."""
    try:
        import gotpl
    except ImportError:
        gotpl = None
        print("gotpl is not installed, so nothing can be compared with it: pip install gotpl\n")
    print(f"{'render':10} {'bare engine':>12} {'Template.render':>16} {'gotpl':>10} {'ratio':>7}")
    for label, text in TEMPLATES.items():
        own = own_renderer(text)
        bare, chat = seconds_of(own, budget), seconds_of(chat_renderer(text), budget)
        line = f"{label:10} {bare * 1e6:9.1f} µs {chat * 1e6:13.1f} µs"
        if gotpl is not None:
            peer = gotpl.Template(text)
            same = peer.render(DATA) == own()
            there = seconds_of(lambda peer=peer: peer.render(DATA), budget)
            met = "met" if there / bare >= FASTER else "MISSED"
            line += f" {there * 1e6:7.1f} µs {there / bare:6.1f}x  (bound {FASTER:.0f}x: {met})"
            line += "" if same else "  other output!"
        print(line)


def print_parsing(budget: float) -> None:
    """Print how long a template of 3 kB takes to parse: anew, not out of the cache."""
    text = (CHATML * (3000 // len(CHATML))).ljust(3000, ".")
    seconds = seconds_of(lambda: parse(text), budget)
    met = "met" if seconds * 1000 < PARSE_MS else "MISSED"
    print(f"\nparse      {len(text)} characters: {seconds * 1000:.2f} ms  (bound {PARSE_MS:.0f} ms: {met})")


def main() -> None:
    """Print both tables."""
    budget = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    print_renderings(budget)
    print_parsing(budget)


if __name__ == "__main__":
    main()
