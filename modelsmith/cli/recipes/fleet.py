"""``modelsmith apply`` with several stores: roll a model out, one host after the other."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.shared.failure import printable
from modelsmith.cli.shared.sizes import size_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.cli.shared.options import PlanOptions
    from modelsmith.recipe.fleet.rollout import RolledOut
    from modelsmith.recipe.plan.plan import Plan
    from modelsmith.recipe.read.resolved import ResolvedRecipe


def apply_fleet(
    options: PlanOptions,
    asked: Sequence[ResolvedRecipe],
    hosts: Sequence[str | None],
    *,
    yes: bool,
    ask: str,
    as_json: bool,
) -> int:
    """Plan every model for every host, show who lacks what, and roll them out."""
    from modelsmith.cli.recipes.many import named, say_label
    from modelsmith.cli.recipes.planning import make_plan
    from modelsmith.cli.shared.progress import progress_bars
    from modelsmith.recipe.fleet.health import answering, promised_there
    from modelsmith.recipe.fleet.rollout import roll_out

    reports: list[dict[str, Any]] = []
    for number, resolved in enumerate(asked):
        with progress_bars(enabled=not as_json) as progress:
            plans = [make_plan(options, resolved, progress=progress, where=where).plan for where in hosts]
        if not as_json:
            say_label(resolved, number, len(asked))
            _show(plans)
        replaced = [plan.store.location for plan in plans if plan.changes and plan.replaces]
        if replaced and not yes and sys.stdin and sys.stdin.isatty():
            question = f"Replace {plans[0].name.short} on {', '.join(replaced)}?"
            if not click.confirm(printable(question), err=True):
                click.echo("nothing more was changed", err=True)
                return 1
        with progress_bars(enabled=not as_json) as progress:
            done = roll_out(plans, health=answering(ask) if ask else promised_there, progress=progress)
        reports += [named(resolved, _data(plans[0], one)) for one in done]
        for one in () if as_json else done:
            word = click.style("rolled out", fg="green") if one.changed else "no changes"
            click.echo(printable(f"{one.location}: ") + word + printable(f"; {one.health}"))
    if as_json:
        click.echo(json.dumps(reports, indent=2, ensure_ascii=False))
    return 0


def _show(plans: Sequence[Plan]) -> None:
    """Print what each host lacks."""
    name = plans[0].name.short
    click.echo(printable(f"{name} on {len(plans)} hosts"))
    for plan in plans:
        action = "keep" if not plan.changes else "replace" if plan.replaces or plan.damaged else "create"
        lacking = [layer for layer in plan.preview.layers if layer.how not in {"exists", "link"}]
        kinds = ", ".join(dict.fromkeys(layer.media_type.rpartition(".")[2].partition("+")[0] for layer in lacking))
        size = sum(layer.size for layer in lacking)
        what = f"lacks {size_text(size)} ({kinds})" if plan.changes and lacking else "lacks nothing"
        click.echo(printable(f"  {action:<8}{plan.store.location}: {what}"))
        for download in plan.downloads:
            click.echo(printable(f"    fetches {download.name} first ({size_text(download.size)})"))
        for warning in plan.warnings:
            click.echo(click.style(printable(f"    warning: {warning}"), fg="yellow"))


def _data(plan: Plan, one: RolledOut) -> dict[str, Any]:
    return {
        "name": plan.name.short,
        "store": one.location,
        "changed": one.changed,
        "digest": one.digest,
        "health": one.health,
    }
