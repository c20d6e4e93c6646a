"""Compare how answers are split with recorded answers of a real llama-server; each check returns what agrees."""

from __future__ import annotations

from typing import Any

from shared import conformance

from modelsmith.errors import TemplateError
from modelsmith.template.jinja.template import ChatTemplate

Result = tuple[int, int, list[dict[str, Any]]]
THINKS = {"unset": None, "true": True, "false": False}


def splits() -> Result:
    """How each forced answer to each recorded template is split into reasoning and content, or refused."""
    total, differences = 0, []
    for row in conformance("jinja.jsonl.gz"):
        template = ChatTemplate.parse(row["jinja"])
        for each in row["rows"]:
            if "split" not in each:
                continue
            total += 1
            expected = "error" if "error" in each["answer"] else each["answer"]
            found = _split(template, each["split"], THINKS[each["think"]])
            if found != expected:
                case = {"template": row["name"], "split": each["split"], "think": each["think"]}
                differences.append({**case, "expected": expected, "found": found})
    return total - len(differences), total, differences


def _split(template: ChatTemplate, answer: str, think: bool | None) -> dict[str, str | None] | str:
    try:
        found = template.split(answer, think)
    except TemplateError:
        return "error"
    return {"reasoning": found.reasoning, "content": found.content}


CHECKS = {"jinja.jsonl.gz: answers split": splits}
