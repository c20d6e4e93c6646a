"""Real templates: which can be given tools, and that these then win over the Jinja template of the same model's GGUF."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from shared import corpus, needs_shared

from modelsmith.errors import InjectionError
from modelsmith.template.conversation.named import NAMED
from modelsmith.template.edit.tools.proof import has_tool_parts
from modelsmith.template.edit.tools.tools import add_tools
from modelsmith.template.effective.capabilities import go_capabilities, go_tool_round_trip, prefer_chat_template
from modelsmith.template.go.template import Template
from modelsmith.template.jinja.template import ChatTemplate


def rows() -> list[dict[str, Any]]:
    files = (corpus("templates", name) for name in ("library.jsonl", "builtin.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def outcome(row: dict[str, Any]) -> str:
    before = Template.parse(row["go"])
    given = row.get("jinja")
    chat_template = ChatTemplate.parse(given) if isinstance(given, str) else None
    try:
        after = add_tools(before, chat_template)
    except InjectionError as error:
        reasons = ("of the old style", "not known", "in part", "in another format", "before it knows who speaks")
        return next((reason for reason in reasons if reason in error.message), error.message)
    if after is before:
        return "has them"
    for conversation in NAMED.values():
        if not has_tool_parts(conversation):
            assert all(
                after.render(conversation, think) == before.render(conversation, think) for think in (None, True, False)
            )
    assert go_tool_round_trip(after)
    assert go_capabilities(after) == go_capabilities(before) | {"tools"}
    return "got them"


@needs_shared
def test_real_templates_get_tools() -> None:
    found = Counter(outcome(row) for row in rows())
    known = {"has them", "got them", "of the old style", "not known", "in part", "in another format"}
    assert set(found) <= known | {"before it knows who speaks"}
    assert found["got them"] >= 15
    assert found["in another format"] <= 1


@needs_shared
def test_with_tools_and_thinking_no_template_of_deepseek_loses_to_its_gguf() -> None:
    from modelsmith.template.edit.go.declare import declare_thinking

    seen = 0
    for row in rows():
        if "<｜User｜>" not in row["go"] or go_tool_round_trip(row["go"]):
            continue
        seen += 1
        template = Template.parse(row["go"])
        assert prefer_chat_template(template, row["jinja"]) or "insert" in go_capabilities(template)
        after = declare_thinking(add_tools(template, ChatTemplate.parse(row["jinja"])))
        assert not prefer_chat_template(after, row["jinja"])
    assert seen >= 5
