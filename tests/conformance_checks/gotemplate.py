"""Compare Go templates with the recorded answers of the real Ollama: pure functions that count, for tests and for a table.

Each returns how many rows agree, how many there are, and the differences (which row, the answer, ours).
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from shared import SHARED, conformance

from modelsmith.errors import TemplateRenderError, TemplateSyntaxError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.go.functions.ollama import today_is
from modelsmith.template.go.template import Template

Difference = tuple[str, Any, Any]
Outcome = tuple[int, int, list[Difference]]
RECORDED = dt.date(2026, 11, 22)
"""The day of the recordings; templates print it."""
THINKS = {"unset": None, "true": True, "false": False}
PANICS = "the server panics: "


def conversations() -> dict[str, Conversation]:
    """Return the named conversations."""
    shapes = json.loads((SHARED / "conformance" / "conversations.json").read_text("utf-8"))
    return {name: Conversation.from_dict(shape) for name, shape in shapes.items()}


def templates() -> Outcome:
    """Variables and thinking tags of the real templates."""
    pairs = []
    for row in conformance("templates.jsonl.gz"):
        answer = {key: row["answer"][key] for key in ("vars", "tags")}
        pairs.append((row["id"], answer, _read(Template.parse(row["go"]))))
    return _outcome(pairs)


def renderings() -> Outcome:
    """Prompts and errors, word for word, of the real templates for every conversation and every ``think``."""
    named = conversations()
    parsed = {row["id"]: Template.parse(row["go"]) for row in conformance("templates.jsonl.gz")}
    pairs = []
    with today_is(RECORDED):
        for row in conformance("renderings.jsonl.gz"):
            template, conversation, think = row["id"].split("/")
            ours = _render(parsed[template], named[conversation], THINKS[think])
            pairs.append((row["id"], row["answer"], ours))
    return _outcome(pairs)


def fuzz(*, every: int = 1) -> Outcome:
    """Generated templates: parse errors, variables, tags, prompts, errors and panics, word for word."""
    named = conversations()
    pairs = []
    for number, row in enumerate(conformance("template-fuzz.jsonl.gz")):
        if number % every:
            continue
        try:
            template = Template.parse(row["text"])
        except TemplateSyntaxError as error:
            ours: dict[str, Any] = {"parse_error": str(error)}
        else:
            ours = _read(template) | _render(template, named[row["conv"]], row.get("think"))
        pairs.append((row["id"], row["answer"], ours))
    return _outcome(pairs)


def _read(template: Template) -> dict[str, Any]:
    return {"vars": list(template.variables), "tags": list(template.thinking_tags)}


def _render(template: Template, conversation: Conversation, think: bool | str | None) -> dict[str, str]:
    try:
        return {"prompt": template.render(conversation, think)}
    except TemplateRenderError as error:
        kind = "panic" if str(error).startswith(PANICS) else "error"
        return {kind: str(error).removeprefix(PANICS)}


def _outcome(pairs: list[Difference]) -> Outcome:
    differences = [pair for pair in pairs if pair[1] != pair[2]]
    return len(pairs) - len(differences), len(pairs), differences


CHECKS = {
    "templates.jsonl.gz (variables, tags)": templates,
    "renderings.jsonl.gz": renderings,
    "template-fuzz.jsonl.gz": fuzz,
}
