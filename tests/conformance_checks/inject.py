"""Check the law of injection on every real template and every recorded conversation.

The original's prompts are the ones that the real Ollama gave, not our own; who opens a turn is judged here anew.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from conformance_checks.gotemplate import RECORDED
from shared import SHARED, conformance

from modelsmith.errors import InjectionError, TemplateRenderError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.edit.go.inject import inject_many
from modelsmith.template.edit.jinja.inject import inject_chat_template
from modelsmith.template.go.functions.ollama import today_is
from modelsmith.template.go.template import Template
from modelsmith.template.jinja.template import ChatTemplate

OPEN, CLOSED = "<think>\n", "<think>\n\n</think>\n\n"
THINKS = {"unset": None, "true": True, "false": False}
ADDITIONS = {
    "always": [(OPEN, "always")],
    "thinking": [(OPEN, "thinking")],
    "not-thinking": [(CLOSED, "not-thinking")],
    "both": [(CLOSED, "not-thinking"), (OPEN, "thinking")],
}


@dataclass
class Report:
    """What came of one kind of injection over all templates."""

    templates: int = 0
    injectable: int = 0
    own_loop: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    checked: int = 0
    violations: list[dict[str, Any]] = field(default_factory=list)


def reports(*kinds: str) -> dict[str, Report]:
    """Inject into every template and render every conversation with every ``think``."""
    shapes = json.loads((SHARED / "conformance" / "conversations.json").read_text("utf-8"))
    conversations = {name: Conversation.from_dict(shape) for name, shape in shapes.items()}
    recorded = {row["id"]: row["answer"] for row in conformance("renderings.jsonl.gz")}
    found = {kind: Report() for kind in kinds}
    for row in conformance("templates.jsonl.gz"):
        template = Template.parse(row["go"])
        for kind in kinds:
            found[kind].templates += 1
            try:
                edited = inject_many(template, ADDITIONS[kind])
            except InjectionError as error:
                found[kind].refused[f"{row['id']} {row['sources'][0]}"] = error.message
                continue
            found[kind].injectable += 1
            if "range $i, $_ := .Messages }}{{ if and (eq .Role" in edited.text:
                found[kind].own_loop.append(row["sources"][0])
            for name, conversation in conversations.items():
                opened = opens(row["answer"]["vars"] or [], shapes[name])
                for said, think in THINKS.items():
                    expected = recorded[f"{row['id']}/{name}/{said}"].get("prompt")
                    if expected is not None and opened:
                        expected += "".join(text for text, when in ADDITIONS[kind] if holds(when, think))
                    found[kind].checked += 1
                    if (ours := rendered(edited, conversation, think)) != expected:
                        case = f"{row['id']}/{name}/{said}"
                        found[kind].violations.append({"row": case, "recorded": expected, "ours": ours})
    return found


def rendered(template: Template, conversation: Conversation, think: bool | None) -> str | None:
    """Return the prompt, None where it fails."""
    try:
        with today_is(RECORDED):
            return template.render(conversation, think)
    except TemplateRenderError:
        return None


def holds(when: str, think: bool | None) -> bool:
    """Say whether a request is meant."""
    return when == "always" or (when == "not-thinking") == (think is False)


def opens(variables: list[str], shape: dict[str, Any]) -> bool:
    """Say whether the last message is a user's, or a tool's where the template handles tools.

    A template of the old style is not shown tool messages and empty answers: what is left counts, and nothing at all is
    the same to it as an empty question.
    """
    if shape.get("prompt") and shape.get("suffix"):
        return False
    roles = [message["role"].lower() for message in shape.get("messages", ())]
    if "messages" not in variables:
        shown = [
            message["role"].lower()
            for message in shape.get("messages", ())
            if message["role"].lower() in {"user", "system"} or (message["role"] == "assistant" and message["content"])
        ]
        return not shown or shown[-1] == "user"
    return bool(roles) and (roles[-1] == "user" or (roles[-1] == "tool" and "tools" in variables))


def chat_templates(step: int = 1) -> tuple[int, int, list[dict[str, Any]]]:
    """Inject into every ``step``-th Jinja template; conversations that a user ends must gain the text, where asked to."""
    shapes = json.loads((SHARED / "conformance" / "conversations.json").read_text("utf-8"))
    conversations = {name: Conversation.from_dict(shape) for name, shape in shapes.items()}
    texts = dict.fromkeys(row["jinja"] for row in conformance("templates.jsonl.gz") if row["jinja"])
    checked, differences = 0, []
    for number, text in enumerate(list(texts)[::step]):
        before = ChatTemplate.parse(text)
        after = inject_chat_template(before, ADDITIONS["both"])
        for name, conversation in conversations.items():
            asked = bool(conversation.turns) and conversation.turns[-1].role == "user" and not conversation.suffix
            for think, opened in ((True, True), (False, True), (True, False)):
                if opened and not asked:
                    continue
                checked += 1
                was = chat_rendered(before, conversation, think=think, opened=opened)
                added = (OPEN if think else CLOSED) if was is not None and opened else ""
                now = chat_rendered(after, conversation, think=think, opened=opened)
                if now != (was if was is None else was + added):
                    differences.append({"row": f"{number}/{name}/{think}/{opened}", "before": was, "after": now})
    return checked - len(differences), checked, differences


def chat_rendered(template: ChatTemplate, conversation: Conversation, *, think: bool, opened: bool) -> str | None:
    """Return the prompt, None where it fails."""
    try:
        return template.render(conversation, think, add_generation_prompt=opened)
    except TemplateRenderError:
        return None


def _always() -> tuple[int, int, list[dict[str, Any]]]:
    return _agreement("always")


def _both() -> tuple[int, int, list[dict[str, Any]]]:
    return _agreement("both")


def _agreement(kind: str) -> tuple[int, int, list[dict[str, Any]]]:
    found = reports(kind)[kind]
    return found.checked - len(found.violations), found.checked, found.violations


CHECKS = {
    "inject": _always,
    "inject (thinking and not)": _both,
    "inject (chat templates)": chat_templates,
}
