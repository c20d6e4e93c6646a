"""``modelsmith apply``: carry out a recipe."""

from __future__ import annotations

import json
from dataclasses import replace

import click

from modelsmith.cli.shared.options import PlanOptions, json_option, recipe_options
from modelsmith.cli.shared.streams import declined


@click.command("apply")
@recipe_options
@click.option(
    "--via",
    type=click.Choice(["api", "cli"]),
    default="api",
    show_default=True,
    help="cli: run `ollama create` itself, with --modelfile or a temporary Modelfile.",
)
@click.option("--force", is_flag=True, help="With --modelfile: replace what stands there; it is kept as FILE.old.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask before a model is replaced.")
@click.option("--locked", is_flag=True, help="Do what the lock pins, or nothing: refuse when anything moved.")
@click.option("--verbose", "-v", is_flag=True, help="Show every difference, prompt, blob and promise of the plan.")
@click.option("--quiet", "-q", is_flag=True, help="Print only the outcome, not the plan.")
@click.option("--jobs", "-j", type=click.IntRange(1, 256), help="Of many models, make so many at a time. Default: 2.")
@click.option(
    "--executor",
    metavar="dask://HOST:8786",
    help="Make the models on the workers of this scheduler, and bring them here.",
)
@click.option(
    "--ask",
    metavar="TEXT",
    default="",
    help="With several stores: ask each host this, and put back where none answers.",
)
@click.option("--exchange", metavar="oci://HOST/NAME", help="With --executor: the registry that blobs go through.")
@json_option
def command(
    options: PlanOptions,
    via: str,
    force: bool,
    yes: bool,
    locked: bool,
    verbose: bool,
    quiet: bool,
    jobs: int | None,
    executor: str | None,
    exchange: str | None,
    ask: str,
    as_json: bool,
) -> int:
    r"""Carry out each RECIPE, or a plan that `modelsmith plan RECIPE -o FILE.json` wrote: show the plan, create the model, verify what was stored.

    A plan's file is carried out exactly as it was written: where the recipe, the base, a tool, or the model that it replaces is another
    one now, nothing is written, and what moved is said.

    Several recipes, and the combinations of a matrix, are made at the same time: by processes of this machine (--jobs), or by a
    cluster (--executor). With several stores each blob is sent once to each of them, and the model is rolled out one by one: checked
    there, and put back everywhere where a check fails.

    Exit code 1: the question was answered with no; 3: a model could not be made. Running it again changes nothing; killed in the middle, it finishes when run again. Asks before it replaces a model
    when it runs in a terminal.

    \b
    Examples:
      modelsmith apply recipes/force-think.yaml --set base=deepseek-r1:8b
      modelsmith apply force-think --set base=./model.gguf --store ./models
      modelsmith apply force-think --via cli --modelfile Modelfile
      modelsmith apply force-think --set base=deepseek-r1:8b --locked
      modelsmith apply plan.json
      modelsmith apply sizes.yaml --jobs 4 --only base=llama3.2:3b
    """
    from modelsmith.cli.recipes.fleet import apply_fleet
    from modelsmith.cli.recipes.many import apply_many, check_alone
    from modelsmith.cli.recipes.planning import ask_all, check_locked, hosts_of, make_plan, moved_error
    from modelsmith.cli.recipes.saved import is_plan_file, make_saved
    from modelsmith.cli.shared.failure import printable
    from modelsmith.cli.shared.outputs import saying_what_is_kept
    from modelsmith.cli.shared.progress import progress_bars
    from modelsmith.errors import UsageError
    from modelsmith.recipe.plan.apply import apply

    saved = is_plan_file(options.recipe)
    asked = () if saved else ask_all(options)
    hosts = (options.where,) if saved else hosts_of(options)
    if len(hosts) > 1:
        check_alone(via=via, modelfile=options.modelfile, locked=locked, executor=executor)
        return apply_fleet(options, asked, hosts, yes=yes, ask=ask, as_json=as_json)
    if len(asked) > 1 or executor or jobs:
        check_alone(via=via, modelfile=options.modelfile, locked=locked)
        return apply_many(
            options, asked, hosts[0], jobs=jobs, executor=executor, exchange=exchange, yes=yes, as_json=as_json
        )
    with progress_bars(enabled=not as_json) as progress:
        if saved:
            if locked:
                raise UsageError(f"{options.recipe} is a plan, which is as strict as a lock", hint="leave --locked out")
            made = make_saved(options, progress=progress)
        else:
            made = make_plan(options, asked[0], progress=progress, pins=locked, hashes=locked, where=hosts[0])
    planned = replace(made.plan, overwrite=force)
    if locked and made.drifted:
        raise moved_error(made.drifted, str(made.lock))
    if not (as_json or quiet):
        from modelsmith.cli.recipes.plan_view import show_plan

        show_plan(planned, made, details=verbose)
    asks = planned.holds and planned.preview.changes and planned.replaces
    if asks and declined(f"Replace {planned.name.short}?", yes=yes):
        return 1
    with saying_what_is_kept(*planned.in_the_way), progress_bars(enabled=not as_json) as progress:
        applied = apply(planned, via=via, overwrite=force, progress=progress)
    strict = locked or saved
    if strict and made.locked is not None and applied.model is not None:
        check_locked(made.locked, applied.model, str(made.lock) if locked else options.recipe)
    if as_json:
        outcome = {
            "name": planned.name.short,
            "store": planned.store.location,
            "changed": applied.changed,
            "digest": applied.model.digest if applied.model else None,
            "weights": str(applied.model.weights_digest) if applied.model and applied.model.weights_digest else None,
            "served": list(applied.served),
        }
        click.echo(json.dumps(outcome))
    elif applied.model is None:
        what = (
            f"wrote {planned.modelfile}"
            if applied.changed
            else f"no changes: {planned.modelfile} is as the recipe says"
        )
        click.echo(
            printable(f"{what}; {planned.name.short} was not created, as its {planned.before.base.lacking} is not here")
        )
    elif applied.changed:
        click.echo(
            f"{click.style('created and verified', fg='green')} {planned.name.short} in {planned.store.location}"
        )
    else:
        click.echo(f"no changes: {planned.name.short} in {planned.store.location} is already as the recipe says")
    if not as_json:
        for sentence in applied.served:
            click.echo(printable(sentence))
    return 0
