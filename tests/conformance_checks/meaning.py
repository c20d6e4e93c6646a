"""Compare what templates mean with the recorded answers of the real Ollama; each check returns what agrees.

A result is (agreeing rows, all rows, differences), so that a test and a report can use the same figures.
"""

from __future__ import annotations

import json
from typing import Any

from shared import conformance, corpus

from modelsmith.template.conversation.thinking_split import ThinkingSplitter
from modelsmith.template.effective.capabilities import (
    capabilities,
    chat_capabilities,
    go_capabilities,
    prefer_chat_template,
)
from modelsmith.template.effective.named import detect_named

RECORDED_PRIMING = "<think>"

Result = tuple[int, int, list[dict[str, Any]]]


def templates() -> Result:
    """Capabilities of every Go and Jinja template, and whether the Jinja template would win."""
    pairs = []
    for row in conformance("templates.jsonl.gz"):
        recorded = row["answer"]["capabilities"]
        expected = (sorted(recorded["go"] or ()), sorted(recorded["chat"] or ()), recorded["prefer_chat"])
        ours = (
            sorted(go_capabilities(row["go"])),
            sorted(chat_capabilities(row["jinja"] or "")),
            prefer_chat_template(row["go"], row["jinja"] or ""),
        )
        pairs.append((row["id"], expected, ours))
        both = capabilities(row["go"], row["jinja"] or "")
        pairs[-1] = (*pairs[-1][:1], (*expected, expected[expected[2]]), (*ours, sorted(both)))
    return _result(pairs)


def named() -> Result:
    """Which built-in template each Jinja template is given."""
    by_model = {row["model"]: row["jinja"] for row in _lines("library.jsonl")}
    builtin = {row["name"]: row["jinja"] for row in _lines("builtin.jsonl")}
    pairs = []
    for row in conformance("named.jsonl.gz"):
        if "jinja" in row:
            text = row["jinja"]
        elif row["id"].startswith("builtin:"):
            _, name, number = row["id"].split(":")
            text = builtin[name][int(number)]
        else:
            text = by_model[row["id"]]
        found = detect_named(text)
        pairs.append((row["id"], row["answer"]["name"], found and found.name))
    return _result(pairs)


def thinking_split() -> Result:
    """How each stream of chunks is split into thinking and content.

    The recorder opened a primed stream with the text ``<think>``, whatever the row's tags are; for other tags that is
    an answer which begins with content.
    """
    pairs = []
    for number, row in enumerate(conformance("thinking-split.jsonl.gz")):
        splitter = ThinkingSplitter(*row["tags"], primed=row["primed"] and row["tags"][0] == RECORDED_PRIMING)
        if row["primed"] and row["tags"][0] != RECORDED_PRIMING:
            splitter.feed(RECORDED_PRIMING)
        pairs.append((number, row["answer"], [list(splitter.feed(chunk)) for chunk in row["chunks"]]))
    return _result(pairs)


def _lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in corpus("templates", name).read_text("utf-8").splitlines()]


def _result(pairs: list[tuple[Any, Any, Any]]) -> Result:
    differences = [
        {"row": row, "recorded": recorded, "ours": ours} for row, recorded, ours in pairs if recorded != ours
    ]
    return len(pairs) - len(differences), len(pairs), differences


CHECKS = {
    "templates.jsonl.gz (capabilities)": templates,
    "named.jsonl.gz": named,
    "thinking-split.jsonl.gz": thinking_split,
}
