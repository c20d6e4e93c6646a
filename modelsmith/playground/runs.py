"""Which template runs on which Ollama and why, as the page shows it: the answer of ``modelsmith explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.errors import ModelsmithError
from modelsmith.explain.explanation import explain_draft
from modelsmith.explain.words import COST, SHORT, SOURCES, about_token
from modelsmith.template.conversation.think import THINK_WORDS

if TYPE_CHECKING:
    from modelsmith.explain.explanation import Explanation
    from modelsmith.explain.versions import VersionRow
    from modelsmith.playground.given import Given

_TAIL = 60


def runs(given: Given) -> dict[str, Any]:
    """Return the rule and its reason, a row for each version that changes something, who sees reasoning where, and so on."""
    draft, missing = given.draft()
    own = draft.modelfile
    if missing and given.kind == "modelfile" and not (own.template or own.renderer or own.parser):
        raise ModelsmithError(
            f"this Modelfile says nothing about the prompt itself: FROM decides, and {missing}",
            hint="`modelsmith explain` answers on a machine that has the model",
        )
    found = explain_draft(draft, missing)
    return {
        "heading": SOURCES[found.effective.source],
        "source": found.effective.source,
        "version": found.version,
        "reason": found.effective.reason,
        "since": found.effective.since,
        "capabilities": sorted(found.effective.capabilities),
        "tags": list(found.thinking_tags),
        "detected": found.detected,
        "notes": list(found.notes),
        "versions": _versions(found.versions),
        "thinks": [
            {
                "think": THINK_WORDS[row.think],
                "ends": row.prompt[-_TAIL:],
                "cut": len(row.prompt) > _TAIL,
                "error": row.error,
                "cli": row.cli,
                "chat": row.chat,
                "openai": row.openai,
            }
            for row in found.thinks
        ],
        "stops": {
            "configured": list(found.stops.configured),
            "tokens": [
                {"text": token.text, "about": about_token(token), "missing": token.missing}
                for token in found.stops.tokens
            ],
            "notes": list(found.stops.notes),
        },
        "cache": _cache(found),
        "jinja": _jinja(found),
        "ways": list(found.effective.ways),
        "commands": [[command.line, command.purpose] for command in found.commands],
    }


def _versions(rows: tuple[VersionRow, ...]) -> list[dict[str, Any]]:
    found = []
    for number, row in enumerate(rows):
        last = number == len(rows) - 1
        name = f"{row.since} and later" if row.since and last else row.since
        found.append(
            {
                "name": name or (f"before {rows[1].since}" if len(rows) > 1 else "all"),
                "chat": SHORT[row.source],
                "generate": SHORT[row.generate],
                "capabilities": sorted(row.capabilities),
                "think_unset": row.think_unset,
                "fails": row.fails,
                "is_target": row.is_target,
            }
        )
    return found


def _cache(found: Explanation) -> dict[str, Any] | None:
    if found.cache is None:
        return None
    return {
        "talks": len(found.cache.talks),
        "holds": found.cache.holds,
        "breaks": [
            {
                "talk": cache_break.talk,
                "cause": cache_break.cause,
                "cost": COST.get(cache_break.place, cache_break.place),
            }
            for cache_break in found.cache.breaks
        ],
    }


def _jinja(found: Explanation) -> dict[str, Any] | None:
    facts = found.jinja
    if facts is None:
        return None
    return {
        "variables": [[variable.name, list(variable.values)] for variable in facts.variables],
        "refusals": [{"names": list(refusal.conversations), "reason": refusal.reason} for refusal in facts.refusals],
        "differs": sorted({disagreement.conversation for disagreement in facts.disagreements}),
    }
