"""A plan on the terminal: what it makes, what changes, what to mind.

What is printed each time is styled by click, which is loaded anyway; all the rest is another module's, and rich's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.recipes.plan_summary import summarized
from modelsmith.cli.shared.failure import printable

if TYPE_CHECKING:
    from modelsmith.cli.recipes.planning import Planned
    from modelsmith.recipe.plan.plan import Plan
    from modelsmith.recipe.prove.checked import Checked

_BOLD: dict[str, Any] = {"bold": True}
_WARNING: dict[str, Any] = {"bold": True, "fg": "yellow"}
_STYLES = {"keep": _BOLD, "replace": _WARNING, "create": {"bold": True, "fg": "green"}, "unknown": _WARNING}


def show_plan(plan: Plan, made: Planned | None = None, *, details: bool = False) -> None:
    """Print a plan: the summary, what to mind, and with ``details`` every difference, prompt and blob.

    ``made`` tells how it was planned, and what moved since it was locked.
    """
    unseen = made is not None and made.from_lock
    summary = summarized(plan, seconds=made.seconds if made else None, unseen=unseen)
    click.echo(click.style(printable(summary.headline), **_STYLES[summary.action]))
    for label, text in summary.rows:
        click.echo(click.style(f"  {label:<9} ", dim=True) + printable(text))
    _show_moved(made)
    for checked in plan.checked:
        if not checked.holds:
            click.echo(_promise(checked))
    for warning in plan.warnings:
        click.echo(click.style(f"warning: {printable(warning)}", **_WARNING))
    if details:
        from modelsmith.cli.recipes.plan_details import show_details

        show_details(plan)
        if plan.checked:
            click.echo("\n" + click.style("promises", bold=True))
        for checked in plan.checked:
            click.echo(_promise(checked))


def _show_moved(made: Planned | None) -> None:
    for moved in made.moved if made is not None else ():
        style, word = (_WARNING, "moved since the lock") if moved.matters else ({"dim": True}, "other than in the lock")
        click.echo(click.style(f"  {word}: {printable(str(moved))}", **style))


def _promise(checked: Checked) -> str:
    mark = click.style("✓", fg="green") if checked.holds else click.style("✗", fg="red", bold=True)
    return f"  {mark} {printable(checked.promise)}" + click.style(f"  {printable(checked.detail)}", dim=True)
