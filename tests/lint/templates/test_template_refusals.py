"""What Ollama says of recorded templates, lint says too: an error where it refuses one, none where it accepts it."""

from __future__ import annotations

import base64
from collections import Counter
from typing import Any

import pytest
from shared import conformance, corpus, needs_shared

from modelsmith.diagnostic import Diagnostic, Severity
from modelsmith.lint.document import Document
from modelsmith.lint.run.engine import check
from modelsmith.lint.settings import Settings
from modelsmith.lint.templates.template import MOST
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.go.state import OutOfBudget
from modelsmith.template.go.template import Template

TEMPLATE_RULES = Settings(select=("MS3", "MS4"))


def errors(text: str, name: str) -> list[Diagnostic]:
    document = Document.parse(text, name, settings=TEMPLATE_RULES)
    return [each for each in check(document) if each.severity is Severity.ERROR]


def embedded(text: str) -> str | None:
    """Return a Modelfile with the template, None where its quotes do not carry it to Ollama as it is."""
    modelfile = f'FROM x:1b\nTEMPLATE """{text}"""\n'
    template = Document.parse(modelfile).template
    return modelfile if template is not None and template.text == text else None


def agreement(rows: list[tuple[str, bool]]) -> list[str]:
    """Return the templates about which lint and Ollama disagree, alone or in a Modelfile."""
    differing = []
    for text, is_refused in rows:
        alone = errors(text, "x.gotmpl")
        if bool(alone) != is_refused:
            differing.append(f"alone: {text!r} {alone}")
        modelfile = embedded(text)
        if modelfile is None:
            continue
        inside = errors(modelfile, "Modelfile")
        start = modelfile.index('"""') + 3
        if [each.span for each in inside] != [each.span.shift(start) for each in alone]:
            differing.append(f"embedded: {text!r} {inside}")
    return differing


@needs_shared
def test_generated_templates() -> None:
    rows = [(row["text"], "parse_error" in row["answer"]) for row in _some("template-fuzz.jsonl.gz", 13)]
    assert sum(refused for _, refused in rows) > 50
    assert agreement(rows) == []


@needs_shared
def test_real_templates() -> None:
    assert agreement([(row["go"], False) for row in _some("templates.jsonl.gz", 1)]) == []


@needs_shared
def test_the_line_of_a_refusal_is_where_go_stops_or_where_the_cause_is() -> None:
    for row in _some("template-fuzz.jsonl.gz", 5):
        message: str = row["answer"].get("parse_error", "")
        if not message.startswith("template: :"):
            continue
        document = Document.parse(row["text"], "x.gotmpl", settings=TEMPLATE_RULES)
        (found,) = (each for each in check(document) if each.severity is Severity.ERROR)
        line = document.source.text.count("\n", 0, found.span.start) + 1
        said = int(message.split(":")[2])
        assert line == said or (line < said and ("EOF" in message or "action" in message)), message
        assert message.split(": ", 2)[2].removeprefix("template: ") in found.message or "EOF" in message


@needs_shared
def test_no_error_for_a_modelfile_that_ollama_accepts() -> None:
    for row in _some("modelfiles.jsonl.gz", 11):
        if "commands" not in row["answer"]:
            continue
        data = base64.b64decode(row["b64"]) if "b64" in row else corpus("modelfiles", row["corpus"]).read_bytes()
        document = Document.parse(data, settings=TEMPLATE_RULES)
        refused = document.template is not None and document.template.error is not None
        assert any(each.severity is Severity.ERROR for each in check(document)) == refused


@pytest.mark.parametrize(
    "text",
    [
        "{% " * 5000,
        '"\\n A' * 5000,
        "< |" * 5000,
        "&lt;" * 5000,
        "{{.a}}" * 5000,
        "{{ range .Messages }}" + "{{ .nope }}" * 3000 + "{{ end }}",
        "{{ if 1 }}" * 400 + "{{ .Prompt }}" + "{{ end }}" * 400,
        "{{" + "(" * 2000 + ".Prompt" + ")" * 2000 + "}}",
        "{{ range 1000000000 }}{{ range 1000000000 }}x{{ end }}{{ end }}{{ .Messages }}",
        '{{ define "a" }}{{ template "a" . }}{{ template "a" . }}{{ end }}{{ template "a" . }}{{ .Prompt }}',
        '{{ printf "%999999999d" 1 }}{{ .Prompt }}',
        "{{ if 1 }}" * 5000,
        "{" * 5000,
        "\ud800{{ .Prompt }}\0",
        "",
    ],
    ids=range(15),
)
def test_hostile_templates_end(text: str) -> None:
    codes = Counter(each.code for each in check(Document.parse(text, "x.gotmpl", settings=TEMPLATE_RULES)))
    assert all(count <= MOST for count in codes.values())


def test_a_rendering_stops_at_its_own_budget() -> None:
    template = Template.parse("{{ range 1000 }}x{{ end }}{{ .Prompt }}")
    with pytest.raises(OutOfBudget):
        template.renderer(steps=100).render(Conversation.from_dict({"messages": [], "prompt": "a"}), None)


def _some(name: str, step: int) -> list[dict[str, Any]]:
    """Return every so many rows: `python tests/conformance.py` goes through all."""
    return list(conformance(name))[::step]
