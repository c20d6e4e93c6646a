"""Which positions real templates have: each is proven, or refused with its reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import pytest
from shared import conformance, corpus, needs_shared

from modelsmith.errors import InjectionError
from modelsmith.template.edit.go.inject import inject
from modelsmith.template.edit.jinja.inject import inject_chat_template
from modelsmith.template.edit.positions import NAMES
from modelsmith.template.go.template import Template
from modelsmith.template.jinja.template import ChatTemplate

pytestmark = needs_shared

REASONS = ("no place was found", "never shows", "turn by turn", "outside of its range")
LEAST = {"start": 8, "before-last-user": 8, "after-last-user": 8}
ELSEWHERE = [name for name in NAMES if name != "generation-prompt"]


def refusal(edit: Callable[[], object]) -> InjectionError | None:
    try:
        edit()
    except InjectionError as error:
        return error
    return None


@pytest.mark.parametrize("at", ELSEWHERE)
def test_go_templates(at: str) -> None:
    texts = [row["go"] for row in conformance("templates.jsonl.gz")][::8]
    refused = [found for text in texts if (found := refusal(partial(inject, Template.parse(text), "<X>\n", at)))]
    assert all(found.hint and any(reason in found.message for reason in REASONS) for found in refused)
    assert len(texts) - len(refused) >= LEAST.get(at, 13)


@pytest.mark.parametrize("at", ["start", "after-system", "before-user"])
def test_chat_templates(at: str) -> None:
    lines = corpus("templates", "library.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [text for line in lines if isinstance(text := json.loads(line).get("jinja"), str)][::16]
    refused = [
        found
        for text in texts
        if (found := refusal(partial(inject_chat_template, ChatTemplate.parse(text), [("<X>", "always")], at=at)))
    ]
    assert all(any(reason in found.message for reason in REASONS) for found in refused)
    assert len(refused) <= 2
