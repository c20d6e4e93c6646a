"""More of a plan on the terminal: every difference, prompt and blob."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from modelsmith.cli.recipes.plan_summary import layer_kind, prompts_text, value_rows
from modelsmith.cli.shared.failure import printable
from modelsmith.cli.shared.sizes import size_text
from modelsmith.cli.shared.terminal import Terminal
from modelsmith.recipe.plan.against import prompts_against
from modelsmith.template.conversation.think import THINK_WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from modelsmith.recipe.plan.plan import Plan
    from modelsmith.recipe.prove.compare import Comparison
    from modelsmith.template.outcomes import Outcome

_TAIL = 160
_SHOWN = {
    "appended": 3,
    "inserted": 3,
    "repaired": 1,
    "prefilled": 1,
    "thinking": 1,
    "tools": 1,
    "switched": 1,
    "changed": 4,
}


def visible(prompt: str) -> Text:
    """Return a prompt with its line breaks and tabs made visible."""
    text = Text()
    for char in prompt:
        if char == "\n":
            text.append("⏎", style="cyan")
        elif char == "\t":
            text.append("⇥", style="cyan")
        else:
            text.append(printable(char))
    return text


def show_details(plan: Plan) -> None:
    """Print what the summary of a plan counts."""
    console = Terminal(highlight=False, soft_wrap=True)
    _show_diff(console, "template (Go)", plan.before.template_text or "", plan.after.template_text or "")
    before, after = plan.before.chat_template, plan.after.chat_template
    _show_diff(console, "template inside the GGUF (Jinja)", before.text if before else "", after.text if after else "")
    _show_values(console, plan)
    _show_metadata(console, plan)
    _show_against(console, plan)
    if not plan.before.base.missing or plan.after.template_text is not None:
        _show_prompts(console, "prompts", plan.comparisons, prompts_text(plan.comparisons))
        if compared := prompts_against(plan):
            _show_prompts(console, f"prompts against {plan.name.short}", compared, prompts_text(compared))
    if not plan.before.base.missing:
        _show_effective(console, plan)
        _show_writes(console, plan)


def _show_diff(console: Console, title: str, before: str, after: str) -> None:
    if before == after:
        return
    console.print(f"\n[bold]{title}[/]")
    for line in difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2):
        if line.startswith(("---", "+++")):
            continue
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[0], "")
        console.print(Text("  " + printable(line), style=style))


def _show_values(console: Console, plan: Plan) -> None:
    rows = value_rows(plan)
    changed = [row for row in rows if row[1] != row[2]]
    kept = [name for name, old, new in rows if old == new and old not in (None, "")]
    if changed or kept:
        console.print("\n[bold]values[/]")
    for name, old, new in changed:
        console.print(Text(f"  {name}: {_value(old)} -> {_value(new)}", style="green"))
    if kept:
        console.print(Text(f"  kept: {', '.join(kept)}", style="dim"))


def _show_against(console: Console, plan: Plan) -> None:
    """Show what changes for whoever uses the model that is replaced."""
    from modelsmith.recipe.plan.against import against

    changes = against(plan)
    if not changes:
        return
    console.print(Text(f"\nagainst {plan.name.short}, which it replaces", style="bold"))
    for change in changes:
        if isinstance(change.old, str) and isinstance(change.new, str) and "\n" in change.old + change.new:
            _show_diff(console, f"  {change.name}", change.old, change.new)
        else:
            console.print(Text(f"  {change.name}: {_value(change.old)} -> {_value(change.new)}", style="yellow"))


def _show_metadata(console: Console, plan: Plan) -> None:
    from modelsmith.recipe.plan.metadata import metadata_rows

    rows = list(metadata_rows(plan.after))
    if plan.after.merge_shards or rows:
        console.print("\n[bold]GGUF[/]")
    if plan.after.merge_shards:
        console.print(Text("  all shards become one file", style="green"))
    for key, old, new in rows:
        console.print(Text(f"  {printable(key)}: {_value(old)} -> {_value(new)}", style="green"))


def _value(value: Any) -> str:
    return "not set" if value in (None, "") else printable(str(value)[:200])


def _show_prompts(console: Console, title: str, comparisons: Sequence[Comparison], counts: str) -> None:
    console.print(Text.assemble((f"\n{title}", "bold"), f"  {counts}"))
    for verdict, limit in _SHOWN.items():
        for comparison in [comparison for comparison in comparisons if comparison.verdict == verdict][:limit]:
            console.print(f"  {comparison.name}, think {THINK_WORDS[comparison.think]} [dim]({verdict})[/]")
            start = _first_shown(comparison.before.prompt, comparison.after.prompt)
            _show_prompt(console, "-", "red", comparison.before, start)
            _show_prompt(console, "+", "green", comparison.after, start)


def _first_shown(before: str, after: str) -> int:
    """Return where to begin so that the first difference is seen; the end of the prompts where that shows it too."""
    from modelsmith.template.jinja.engine.values.texts import shared_start

    same = shared_start(before, after)
    return max(0, min(same - _TAIL // 3, len(before) - _TAIL, len(after) - _TAIL))


def _show_prompt(console: Console, sign: str, style: str, rendered: Outcome, start: int) -> None:
    shown = rendered.prompt[start : start + _TAIL]
    prefix = "error: " if rendered.error else "…" if start else ""
    rest = "…" if start + _TAIL < len(rendered.prompt) else ""
    console.print(
        Text(f"    {sign} {prefix}", style=style) + visible(rendered.error or shown) + Text(rest, style=style)
    )


def _show_effective(console: Console, plan: Plan) -> None:
    console.print("\n[bold]the template that runs[/]")
    for label, draft in (("before", plan.before), ("after", plan.after)):
        effective = draft.effective
        console.print(Text(f"  {label}: {effective.source}: {printable(effective.reason)}"))
    for note in plan.after.notes:
        console.print(Text(f"  {printable(note)}", style="yellow"))


def _show_writes(console: Console, plan: Plan) -> None:
    console.print("\n[bold]blobs[/]")
    table = Table(box=None, padding=(0, 2), show_header=False)
    for layer in plan.preview.layers:
        digest = layer.digest.short if layer.digest else "digest known when written"
        table.add_row(f"  {layer.how}", layer_kind(layer.media_type), size_text(layer.size), digest)
    console.print(table)
    if plan.modelfile is not None:
        note = " (replaces the one there)" if plan.modelfile_changes and plan.modelfile.exists() else ""
        console.print(Text(f"  Modelfile: {plan.modelfile}{note}" + (f", with {plan.gguf}" if plan.gguf else "")))
