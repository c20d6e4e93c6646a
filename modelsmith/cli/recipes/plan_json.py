"""A plan as JSON, for CI and other programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modelsmith.recipe.plan.against import against
from modelsmith.recipe.plan.compile import standalone
from modelsmith.recipe.prove.compare import Verdict
from modelsmith.template.conversation.think import THINK_WORDS

if TYPE_CHECKING:
    from modelsmith.cli.recipes.planning import Planned
    from modelsmith.models.draft import Draft
    from modelsmith.recipe.plan.plan import Plan
    from modelsmith.recipe.prove.compare import Comparison


def report_json(made: Planned) -> str:
    """Return one JSON object: the plan, what the lock pins, and what moved since it was written."""
    return json.dumps(report_data(made), indent=2, ensure_ascii=False)


def report_data(made: Planned) -> dict[str, Any]:
    """Return what ``report_json`` prints, as a dictionary."""
    return plan_data(made.plan) | {
        "lock": str(made.lock) if made.locked is not None else None,
        "from_lock": made.from_lock,
        "moved": [
            {"what": moved.what, "name": moved.name, "before": moved.before, "now": moved.now, "matters": moved.matters}
            for moved in made.moved
        ],
        "seconds": round(made.seconds, 3),
    }


def plan_data(plan: Plan) -> dict[str, Any]:
    """Return a plan as plain values: names, effects, bytes, templates, promises, and every rendering that differs."""
    return {
        "recipe": plan.recipe.name,
        "base": plan.recipe.from_,
        "name": plan.name.short,
        "store": plan.store.location,
        "changes": plan.changes,
        "replaces": plan.replaces.digest if plan.replaces else None,
        "against_replaced": [change._asdict() for change in against(plan)],
        "holds": plan.holds,
        "promises": [
            {"promise": checked.promise, "holds": checked.holds, "detail": checked.detail} for checked in plan.checked
        ],
        "notes": list(plan.after.notes),
        "downloads": [{"name": download.name, "size": download.size} for download in plan.downloads],
        "warnings": list(plan.warnings),
        "without_effect": list(plan.without_effect),
        "missing": plan.missing,
        "before": _draft_data(plan.before),
        "after": _draft_data(plan.after),
        "gguf": {key: getattr(value, "value", value) for key, value in plan.after.gguf.items()},
        "merge_shards": plan.after.merge_shards,
        "modelfile": str(standalone(plan.after)),
        "bytes_to_write": plan.preview.bytes_to_write,
        "layers": [
            {
                "media_type": layer.media_type,
                "size": layer.size,
                "how": layer.how,
                "digest": str(layer.digest) if layer.digest else None,
            }
            for layer in plan.preview.layers
        ],
        "renderings": {
            "total": len(plan.comparisons),
            "same": sum(comparison.verdict is Verdict.SAME for comparison in plan.comparisons),
            "different": [
                _comparison_data(comparison)
                for comparison in plan.comparisons
                if comparison.verdict is not Verdict.SAME
            ],
        },
    }


def _draft_data(draft: Draft) -> dict[str, Any]:
    effective = draft.effective
    return {
        "template": draft.template_text,
        "effective": effective.source,
        "reason": effective.reason,
        "capabilities": sorted(effective.capabilities),
        "parameters": draft.parameters,
        "system": draft.system,
        "renderer": draft.renderer,
        "parser": draft.parser,
    }


def _comparison_data(comparison: Comparison) -> dict[str, Any]:
    def side(prompt: str, error: str) -> dict[str, str]:
        return {"error": error} if error else {"prompt": prompt}

    return {
        "conversation": comparison.name,
        "think": THINK_WORDS[comparison.think],
        "verdict": comparison.verdict,
        "before": side(comparison.before.prompt, comparison.before.error),
        "after": side(comparison.after.prompt, comparison.after.error),
    }
