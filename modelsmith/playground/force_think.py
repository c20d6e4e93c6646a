"""The bundled recipe force-think, carried out on what the page has: the edited text, the difference, and the proof."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Any

from modelsmith.template.conversation.think import THINK_WORDS
from modelsmith.template.effective.prompt_tokens import difference

if TYPE_CHECKING:
    from modelsmith.models.draft import Draft
    from modelsmith.playground.given import Given
    from modelsmith.recipe.prove.compare import Comparison

RECIPE = "force-think"
_LONGEST = 60_000
_SHOWN_FIRST = ("appended", "inserted", "repaired", "thinking", "switched", "tools", "changed")


def force_think(given: Given) -> dict[str, Any]:
    """Return what the recipe makes of the model: its texts before and after, its promises, and renderings that differ.

    Raises InjectionError where an edit has no place or a proof fails, and what reading the templates raises.
    """
    from modelsmith.recipe.plan.effects import without_effect
    from modelsmith.recipe.plan.plan import edited
    from modelsmith.recipe.prove.compare import compare_drafts, engine_changes
    from modelsmith.recipe.prove.expect import check
    from modelsmith.recipe.read.load import load_recipe

    before, missing = given.draft()
    recipe = load_recipe(RECIPE).resolve({"base": "model", "name": "model-think"}, environment={})
    after = edited(before, recipe)
    comparisons = compare_drafts(before, after)
    checked = check(recipe.expect, after, comparisons)
    change = engine_changes(before, after)
    return {
        "holds": all(promise.holds for promise in checked),
        "promises": [
            {"promise": promise.promise, "holds": promise.holds, "detail": promise.detail} for promise in checked
        ],
        "notes": [*after.notes, *([change] if change else [])],
        "warnings": list(without_effect(recipe, before, after, comparisons)),
        "missing": missing,
        "texts": [_text(*text) for text in _texts(given, before, after)],
        "renderings": {
            "total": len(comparisons),
            "verdicts": dict(Counter(comparison.verdict for comparison in comparisons)),
            "examples": [_example(comparison) for comparison in _examples(comparisons)],
        },
    }


def _texts(given: Given, before: Draft, after: Draft) -> list[tuple[str, str, str, str]]:
    """Return title, kind, and both sides of every text that the recipe may change."""
    found = []
    if given.kind == "modelfile":
        found.append(("Modelfile", "modelfile", str(before.modelfile), str(after.modelfile)))
    else:
        found.append(("Go template", "go", before.template_text or "", after.template_text or ""))
    old, new = before.chat_template, after.chat_template
    found.append(("Jinja template inside the GGUF", "jinja", old.text if old else "", new.text if new else ""))
    return [row for row in found if row[2] or row[3]]


def _text(title: str, kind: str, before: str, after: str) -> dict[str, Any]:
    if max(len(before), len(after)) > _LONGEST:
        pieces = [["removed", before[:_LONGEST]], ["added", after[:_LONGEST]]] if before != after else []
    else:
        pieces = _pieces(before, after)
    return {"title": title, "kind": kind, "after": after, "same": before == after, "pieces": pieces}


def _pieces(before: str, after: str) -> list[list[str]]:
    grouped = groupby(difference(before, after), key=lambda piece: piece.change)
    return [[change, "".join(piece.text for piece in group)] for change, group in grouped]


def _examples(comparisons: tuple[Comparison, ...]) -> list[Comparison]:
    """Return one rendering for each kind of change and value of ``think``."""
    found: dict[tuple[str, str], Comparison] = {}
    for verdict in _SHOWN_FIRST:
        for comparison in comparisons:
            if comparison.verdict == verdict:
                found.setdefault((verdict, THINK_WORDS[comparison.think]), comparison)
    return list(found.values())[:6]


def _example(comparison: Comparison) -> dict[str, Any]:
    before = comparison.before.error or comparison.before.prompt
    after = comparison.after.error or comparison.after.prompt
    return {
        "name": comparison.name,
        "think": THINK_WORDS[comparison.think],
        "verdict": comparison.verdict,
        "pieces": _pieces(before[-_LONGEST:], after[-_LONGEST:]),
    }
