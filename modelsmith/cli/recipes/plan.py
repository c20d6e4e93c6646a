"""``modelsmith plan``: what a recipe would do."""

from __future__ import annotations

import click

from modelsmith.cli.shared.options import PlanOptions, json_option, recipe_options


@click.command("plan")
@recipe_options
@click.option(
    "--check", "check_only", is_flag=True, help="Exit 1 when applying would change something, or edits have no effect."
)
@json_option
def command(options: PlanOptions, check_only: bool, as_json: bool) -> int:
    r"""Show what RECIPE (a file, or a bundled one by name) would do. Changes nothing.

    Exit code 1: a promise of the recipe does not hold, or --check found something to change or an edit without effect.

    \b
    Examples:
      modelsmith plan force-think --set base=deepseek-r1:8b
      modelsmith plan force-think --set base=./model.gguf --store ./models
      modelsmith plan force-think --set base=sample:deepseek-r1 --json
    """
    planned = options.make()
    if as_json:
        from modelsmith.cli.recipes.plan_json import plan_json

        click.echo(plan_json(planned))
    else:
        from modelsmith.cli.recipes.plan_view import show_plan

        show_plan(planned)
    return int(not planned.holds or (check_only and bool(planned.changes or planned.without_effect)))
