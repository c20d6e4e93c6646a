"""The law of injection on every real template, against prompts that the real Ollama gave."""

from __future__ import annotations

import pytest
from conformance_checks.inject import CLOSED, OPEN, chat_templates, reports
from shared import conformance, needs_shared

from modelsmith.errors import InjectionError
from modelsmith.template.edit.go.declare import declare_thinking
from modelsmith.template.edit.go.ensure import ensure, ensure_many
from modelsmith.template.go.template import Template

pytestmark = needs_shared

NO_CHAT = {"79b39f272cab", "177e0a006c8f", "fb83cadbb3a2", "7f6272c7c5da"}
NO_GENERATION_PROMPT = {"b507b9c2f6ca"}
CLOSES_THE_TAG_ITSELF = {"c82f46373555", "366f6c3fde65"}


def test_the_law_holds_for_every_template_and_conversation() -> None:
    for found in reports("always", "both").values():
        assert not found.violations
        assert found.injectable == found.templates - len(found.refused)
        assert {name.split()[0] for name in found.refused} == NO_CHAT | NO_GENERATION_PROMPT


def test_what_is_ensured_is_there_and_stays() -> None:
    pairs = [(CLOSED, "not-thinking"), (OPEN, "thinking")]
    for row in conformance("templates.jsonl.gz"):
        template = Template.parse(row["go"])
        if row["id"] in NO_CHAT | NO_GENERATION_PROMPT | CLOSES_THE_TAG_ITSELF:
            with pytest.raises(InjectionError) as caught:
                ensure_many(template, pairs)
            assert caught.value.hint
            continue
        once = ensure_many(template, pairs)
        assert ensure(once, OPEN, when="thinking") is once
        assert ensure_many(once, pairs) is once


def test_tags_are_declared_in_every_template_of_the_messages_style() -> None:
    for row in conformance("templates.jsonl.gz"):
        template = Template.parse(row["go"])
        if template.is_legacy:
            with pytest.raises(InjectionError, match="old style"):
                declare_thinking(template)
        else:
            assert declare_thinking(template).thinking_tags == ("<think>", "</think>")


def test_the_law_holds_for_chat_templates() -> None:
    agree, total, differences = chat_templates(step=5)
    assert not differences
    assert agree == total > 500
