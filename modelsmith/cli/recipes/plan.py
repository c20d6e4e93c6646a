"""``modelsmith plan``: what a recipe would do."""

from __future__ import annotations

from pathlib import Path

import click

from modelsmith.cli.shared.options import PlanOptions, json_option, recipe_options


@click.command("plan")
@recipe_options
@click.option(
    "--check",
    "check_only",
    is_flag=True,
    help="Exit 1 when applying would change something, edits have no effect, or something moved since the lock.",
)
@click.option("--from-lock", is_flag=True, help="Plan with what the lock says of the base: no model, store or server.")
@click.option("--verbose", "-v", is_flag=True, help="Show every difference, prompt, blob and promise, too.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    metavar="FILE.json",
    help="Also write the plan, for `modelsmith apply FILE.json`: exactly that, or nothing.",
)
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Also write a page of it.")
@click.option("--markdown", is_flag=True, help="Print a comment for a pull request instead.")
@click.option("--force", is_flag=True, help="Replace what stands where -o or --html write; it is kept as FILE.old.")
@json_option
def command(
    options: PlanOptions,
    check_only: bool,
    from_lock: bool,
    verbose: bool,
    output: Path | None,
    html: Path | None,
    markdown: bool,
    force: bool,
    as_json: bool,
) -> int:
    r"""Show what each RECIPE (a file, or a bundled one by name) would do. Changes nothing.

    A recipe with a matrix is planned for each combination, and all are planned for each of several stores.

    Exit code 1: a promise of the recipe does not hold, or --check found something to change, an edit without effect, or what
    moved since the lock was written. With --from-lock nobody knows what is in the store, and --check asks only for the rest.

    \b
    Examples:
      modelsmith plan force-think --set base=deepseek-r1:8b
      modelsmith plan force-think --set base=./model.gguf --store ./models
      modelsmith plan force-think --set base=sample:deepseek-r1 --json
      modelsmith plan force-think --set base=deepseek-r1:8b --from-lock --check
      modelsmith plan my.yaml --html plan.html --markdown > comment.md
      modelsmith plan my.yaml -o plan.json
      modelsmith plan sizes.yaml --profile fast --only base=llama3.2:3b
    """
    from modelsmith.cli.recipes.planning import ask_all, hosts_of, make_plan
    from modelsmith.cli.shared.progress import progress_bars
    from modelsmith.errors import UsageError
    from modelsmith.hidden import unseen

    if markdown and as_json:
        raise UsageError("--markdown and --json both say what to print", hint="take one of them")
    if html is not None:
        from modelsmith.cli.diff.report import check_report

        check_report(html, force=force)
    if output is not None:
        from modelsmith.cli.recipes.saved import check_place

        check_place(output, force=force)
    asked = ask_all(options)
    hosts = (None,) if from_lock else hosts_of(options)
    if len(asked) > 1 or len(hosts) > 1:
        if wrong := next((name for name, given in (("-o", output), ("--html", html)) if given), ""):
            raise UsageError(f"{wrong} is for one model at a time", hint="choose one with --only and one --store")
        from modelsmith.cli.recipes.many import plan_many

        return plan_many(
            options,
            asked,
            hosts,
            check_only=check_only,
            from_lock=from_lock,
            verbose=verbose,
            as_json=as_json,
            markdown=markdown,
        )
    with progress_bars(enabled=not as_json) as progress:
        made = make_plan(options, asked[0], progress=progress, from_lock=from_lock, hashes=check_only, where=hosts[0])
        if output is not None:
            from modelsmith.cli.recipes.saved import save

            save(output, made, options, force=force, progress=progress)
    planned = made.plan
    if html is not None:
        from modelsmith.cli.diff.report import write_page
        from modelsmith.cli.recipes.plan_html import page

        write_page(html, unseen(page(made)), force=force)
    if markdown:
        from modelsmith.cli.recipes.plan_markdown import markdown as comment

        click.echo(comment(made), nl=False)
    elif as_json:
        from modelsmith.cli.recipes.plan_json import report_json

        click.echo(report_json(made))
    else:
        from modelsmith.cli.recipes.plan_view import show_plan

        show_plan(planned, made, details=verbose)
    changes = bool(planned.changes and not from_lock)
    return int(not planned.holds or (check_only and bool(changes or planned.without_effect or made.drifted)))
