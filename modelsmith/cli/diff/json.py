"""A difference as JSON, for CI and other programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modelsmith.template.conversation.think import THINK_WORDS

if TYPE_CHECKING:
    from modelsmith.compare.difference import Difference, Prompts
    from modelsmith.compare.side import Side
    from modelsmith.compare.values import Value
    from modelsmith.template.outcomes import Outcome


def diff_json(found: Difference, *, everything: bool) -> str:
    """Return one JSON object: verdict, both sides, values, texts, prompts (those that differ, or all of them)."""
    return json.dumps(diff_data(found, everything=everything), indent=2, ensure_ascii=False)


def diff_data(found: Difference, *, everything: bool) -> dict[str, Any]:
    """Return what ``diff_json`` prints, as a dictionary."""
    shown = found.prompts if everything else found.different_prompts
    return {
        "equal": found.equal,
        "same_text": found.same_text,
        "a": _side(found.a),
        "b": _side(found.b),
        "notes": list(found.notes),
        "values": [_value(value) for value in found.values if not value.same],
        "metadata": [_value(value) for value in found.metadata],
        "texts": [{"name": text.name, "diff": list(text.lines())} for text in found.texts if not text.same],
        "prompts": {
            "compared": not found.unrendered,
            "reason": found.unrendered,
            "conversations": len(found.conversations),
            "total": len(found.prompts),
            "same": len(found.prompts) - len(found.different_prompts),
            "both_fail": sum(pair.both_fail for pair in found.prompts),
            "not_comparable": list(found.incomparable_names),
            "different": list(found.different_names),
            "smallest": _pair(found.smallest) if found.smallest else None,
            "shown": [_pair(pair) for pair in shown],
        },
    }


def _side(side: Side) -> dict[str, Any]:
    effective = side.effective
    return {
        "name": side.spec,
        "kind": side.kind,
        "effective": effective.source,
        "reason": side.reason,
        "template": None if side.unseen else effective.text,
        "capabilities": sorted(effective.capabilities),
    }


def _value(value: Value) -> dict[str, Any]:
    told = {"name": value.name, "a": value.a, "b": value.b, "decides": value.decides}
    if isinstance(value.a, list) or isinstance(value.b, list):
        told |= {"removed": list(value.removed), "added": list(value.added)}
    return told


def _pair(pair: Prompts) -> dict[str, Any]:
    return {
        "conversation": pair.name,
        "think": THINK_WORDS[pair.think],
        "same": pair.same,
        "comparable": pair.comparable,
        "a": _rendered(pair.a),
        "b": _rendered(pair.b),
    }


def _rendered(side: Outcome) -> dict[str, str]:
    return {"error": side.error} if side.error else {"prompt": side.prompt}
