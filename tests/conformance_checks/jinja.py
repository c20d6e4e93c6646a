"""Compare Jinja templates with the recorded answers of a real llama-server: prompts, refusals with place and reason, splits."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import datetime
from functools import cache
from typing import Any

from conformance_checks.gotemplate import THINKS, Difference, Outcome, conversations
from shared import conformance

from modelsmith.errors import TemplateError
from modelsmith.template.jinja.template import ChatTemplate

RECORDED = datetime(2026, 11, 28, 12).astimezone()
"""The day of the recordings; templates print it."""
TOKENS = {"bos_token": "<｜begin▁of▁sentence｜>", "eos_token": "<｜end▁of▁sentence｜>"}
_PLACE = re.compile(r"line (\d+), column (\d+) in source")


def prompts() -> Outcome:
    """Prompts of the real templates for every conversation and every ``think``."""
    return _counted([pair for pair in _rendered() if "prompt" in pair[1]])


def refusals() -> Outcome:
    """What the real templates, and the server, refuse: the line, the column, and the words of ``raise_exception``."""
    pairs = [pair for pair in _rendered() if "error" in pair[1]]
    return _counted([(name, reason(there["error"]), own_reason(here)) for name, there, here in pairs])


def splits() -> Outcome:
    """Reasoning and content of answers that the model was made to give, or that the server answers an error."""
    pairs: list[Difference] = []
    for row in conformance("jinja.jsonl.gz"):
        template = ChatTemplate.parse(row["jinja"])
        for each in row["rows"]:
            if "split" in each:
                given = each["answer"]
                there = (
                    {"error": True} if "error" in given else {key: given.get(key) for key in ("reasoning", "content")}
                )
                name = f"{row['name']}/{each['think']}/{each['split']}"
                pairs.append((name, there, outcome_of_split(template, each["split"], THINKS[each["think"]])))
    return _counted(pairs)


def outcome_of_split(template: ChatTemplate, answer: str, think: bool | None) -> dict[str, Any]:
    """Return reasoning and content that we find in an answer, or that it is an error."""
    try:
        found = template.split(answer, think)
    except TemplateError:
        return {"error": True}
    return {"reasoning": found.reasoning, "content": found.content}


@cache
def _rendered() -> tuple[Difference, ...]:
    named = conversations()
    pairs: list[Difference] = []
    for row in conformance("jinja.jsonl.gz"):
        template = ChatTemplate.parse(row["jinja"])
        for each in row["rows"]:
            if "conv" in each:
                name = f"{row['name']}/{each['conv']}/{each['think']}"
                try:
                    prompt = template.render(named[each["conv"]], THINKS[each["think"]], now=RECORDED, **TOKENS)
                    ours = {"prompt": prompt}
                except TemplateError as error:
                    ours = {"error": error.message}
                pairs.append((name, each["answer"], ours))
    return tuple(pairs)


def reason(answer: str) -> tuple[str, ...]:
    """Return line and column of a refusal that the server answered; only "refused" where it names none."""
    with suppress(ValueError):  # the recording is cut off after 300 characters
        answer = json.loads(answer)["error"]["message"]
    place = _PLACE.search(answer)
    return place.groups() if place else ("refused",)


def own_reason(ours: dict[str, str]) -> tuple[str, ...]:
    """Return line and column of our refusal, as :func:`reason` does."""
    if "error" not in ours:
        return ("rendered",)
    place = re.search(r"\(line (\d+), column (\d+)\)$", ours["error"])
    return place.groups() if place else ("refused",)


def _counted(pairs: list[Difference]) -> Outcome:
    differences = [pair for pair in pairs if pair[1] != pair[2]]
    return len(pairs) - len(differences), len(pairs), differences


CHECKS = {
    "jinja.jsonl.gz (prompts)": prompts,
    "jinja.jsonl.gz (refusals)": refusals,
    "jinja.jsonl.gz (splits)": splits,
}
