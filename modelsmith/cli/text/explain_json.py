"""An explanation as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelsmith.explain.explanation import Explanation


def explain_json(explanation: Explanation) -> str:
    """Return the explanation as one JSON object; capabilities are sorted lists, ``think`` is null, true or false."""
    data = {key: value for key, value in asdict(explanation).items() if key != "effective"}
    effective = explanation.effective
    answer: dict[str, Any] = {
        "model": data.pop("spec"),
        "ollama": data.pop("version"),
        "source": effective.source,
        "reason": effective.reason,
        "since": effective.since,
        "template": effective.text,
        "capabilities": sorted(effective.capabilities),
        "ways": effective.ways,
        **data,
    }
    answer["stops"]["missing"] = explanation.stops.missing
    if explanation.cache is not None:
        answer["cache"]["holds"] = explanation.cache.holds
    return json.dumps(answer, ensure_ascii=False, default=sorted)
