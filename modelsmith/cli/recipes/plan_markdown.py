"""A plan as a comment for a pull request, in GitHub's Markdown (GitLab, Forgejo and Gitea read the same)."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from modelsmith.cli.recipes.plan_summary import summarized
from modelsmith.cli.shared.failure import printable
from modelsmith.recipe.plan.against import prompts_against
from modelsmith.recipe.prove.compare import Verdict
from modelsmith.template.conversation.think import THINK_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.cli.recipes.planning import Planned
    from modelsmith.errors import ModelsmithError
    from modelsmith.recipe.plan.plan import Plan
    from modelsmith.recipe.prove.compare import Comparison

MARK = "<!-- modelsmith plan -->"
"""How a comment begins, by which a program finds the one to replace."""

_MOST = 60_000  # characters; GitHub takes 65,536 in a comment
_PROMPTS = 8
_TICKS = re.compile(r"`{3,}")
_ICONS = {"create": "🟢", "replace": "🟡", "keep": "⚪", "unknown": "❓"}


def markdown(made: Planned) -> str:
    """Return the comment; the same plan gives the same text, and what does not fit is left out and said."""
    plan = made.plan
    summary = summarized(plan, unseen=made.from_lock)
    icon = _ICONS[summary.action] if plan.holds and not made.drifted else "🔴"
    lines = [MARK, f"### {icon} {_text(summary.headline[2:])}", "", "| | |", "| --- | --- |"]
    lines += [f"| **{label}** | {_text(text)} |" for label, text in summary.rows]
    lines.append("")
    for moved in made.moved:
        word = "moved since the lock" if moved.matters else "other than in the lock"
        lines.append(f"- {'⚠️' if moved.matters else 'ℹ️'} {word}: {_text(str(moved))}")
    lines += [
        f"- ❌ {_text(checked.promise)}: {_text(checked.detail)}" for checked in plan.checked if not checked.holds
    ]
    lines += [f"- ⚠️ {_text(warning)}" for warning in plan.warnings]
    text = "\n".join(lines).rstrip() + "\n"
    for block in _blocks(plan):
        if len(text) + len(block) > _MOST:
            return text + "\n_More differs than a comment can hold: see `modelsmith plan RECIPE -v` or `--html`._\n"
        text += "\n" + block
    return text


def not_planned(name: str, error: ModelsmithError) -> str:
    """Return the comment about a model that could not even be planned."""
    hint = f"\n\n{_text(error.hint)}" if error.hint else ""
    return f"{MARK}\n### 🔴 {_text(name)} cannot be planned\n\n- ❌ {_text(error.message)}{hint}\n"


def _blocks(plan: Plan) -> Iterator[str]:
    yield from _prompts("Prompts that change, base → planned", plan.comparisons)
    yield from _prompts(f"Prompts that change, {plan.name.short} as it is now → planned", prompts_against(plan))
    before, after = plan.before, plan.after
    yield from _difference("TEMPLATE (Go)", before.template_text or "", after.template_text or "")
    jinja = [draft.chat_template.text if draft.chat_template else "" for draft in (before, after)]
    yield from _difference("Jinja template in the GGUF", *jinja)
    yield from _difference("SYSTEM", before.system, after.system)
    if plan.checked:
        marks = [
            f"- {'✅' if promise.holds else '❌'} {_text(promise.promise)}: {_text(promise.detail)}"
            for promise in plan.checked
        ]
        yield _folded(
            f"Promises: {sum(promise.holds for promise in plan.checked)} of {len(plan.checked)} kept", "\n".join(marks)
        )


def _prompts(title: str, comparisons: Sequence[Comparison]) -> Iterator[str]:
    """Yield the prompts that differ, each kind of difference once before any twice; one open, as the example."""
    differs = [comparison for comparison in comparisons if comparison.verdict is not Verdict.SAME]
    if not differs:
        return
    seen: set[tuple[str, str]] = set()
    chosen: list[Comparison] = []
    for comparison in differs:
        key = comparison.verdict, THINK_WORDS[comparison.think]
        if key not in seen:
            seen.add(key)
            chosen.append(comparison)
    parts = [
        f"`{comparison.name}`, think {THINK_WORDS[comparison.think]} ({comparison.verdict})\n\n{_prompt(comparison)}"
        for comparison in chosen[:_PROMPTS]
    ]
    rest = len(differs) - len(parts)
    more = f"\n\n{rest} more differ in these ways." if rest > 0 else ""
    yield _folded(f"{title}: {len(differs)} of {len(comparisons)}", "\n\n".join(parts) + more, is_open=True)


def _prompt(comparison: Comparison) -> str:
    old = comparison.before.error or comparison.before.prompt
    new = comparison.after.error or comparison.after.prompt
    return _fenced(_lines(old, new))


def _lines(old: str, new: str) -> list[str]:
    """Return a difference with the line breaks shown: a prompt that ends without one is another than one that ends with it."""
    before, after = ([line.replace("\n", "⏎") for line in text.splitlines(keepends=True)] for text in (old, new))
    return list(difflib.unified_diff(before, after, lineterm="", n=3))[2:]


def _difference(title: str, old: str, new: str) -> Iterator[str]:
    if old != new:
        lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=2))[2:]
        yield _folded(title, _fenced(lines))


def _fenced(lines: Sequence[str]) -> str:
    text = printable("\n".join(lines))
    longest = max((len(match) for match in _TICKS.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}diff\n{text}\n{fence}"


def _folded(title: str, text: str, *, is_open: bool = False) -> str:
    return f"<details{' open' if is_open else ''}><summary>{_text(title)}</summary>\n\n{text}\n\n</details>\n"


def _text(text: str) -> str:
    """Return a text that Markdown shows as it is: no markup, no mentions, no links, no images."""
    shown = printable(text).replace("\n", " ")
    shown = shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    shown = re.sub(r"([\\`*_\[\]{}|~#])", r"\\\1", shown)
    return shown.replace("@", "@\u200b").replace("://", ":\u200b//")
