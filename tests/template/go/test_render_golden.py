"""What Ollama's template package (Go 1.26) answers for templates and conversations of ours, recorded from a run of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from modelsmith.errors import TemplateRenderError, TemplateSyntaxError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.go.template import Template

GOLDEN = Path(__file__).parent / "golden"
CONVERSATIONS = {
    name: Conversation.from_dict(shape)
    for name, shape in json.loads((GOLDEN / "conversations.json").read_text("utf-8")).items()
}
PANICS = "the server panics: "


def answer(text: str, conversation: Conversation, think: bool | str | None) -> dict[str, Any]:
    """Return what a recorded answer holds."""
    try:
        template = Template.parse(text)
    except TemplateSyntaxError as error:
        return {"parse_error": str(error)}
    found: dict[str, Any] = {"vars": list(template.variables)}
    if any(template.thinking_tags):
        found["tags"] = list(template.thinking_tags)
    try:
        found["prompt"] = template.render(conversation, think)
    except TemplateRenderError as error:
        key = "panic" if str(error).startswith(PANICS) else "error"
        found[key] = str(error).removeprefix(PANICS)
    return found


@pytest.mark.parametrize("topic", sorted(path.stem for path in GOLDEN.glob("*.jsonl")))
def test_golden(topic: str) -> None:
    rows = [json.loads(line) for line in (GOLDEN / f"{topic}.jsonl").read_text("utf-8").splitlines()]
    different = {}
    for row in rows:
        ours = answer(row["template"], CONVERSATIONS[row["conversation"]], row.get("think"))
        if ours != row["answer"]:
            different[row["template"], row["conversation"]] = (ours, row["answer"])
    assert not different
