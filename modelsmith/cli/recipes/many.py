"""Several models in one command: the combinations of a matrix, several recipes, on one machine or on many."""

from __future__ import annotations

import json
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.shared.failure import printable, show_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.cli.shared.options import PlanOptions
    from modelsmith.errors import ModelsmithError
    from modelsmith.progress import Progress, ProgressSink
    from modelsmith.recipe.read.resolved import ResolvedRecipe
    from modelsmith.recipe.scale.job import Executor, Job, Outcome, Work
    from modelsmith.store import Store

_JOBS = 2


def check_alone(*, via: str, modelfile: object, locked: bool, executor: object = None) -> None:
    """Refuse options that are for one model on one host; raises UsageError."""
    from modelsmith.errors import UsageError

    given = (("--via cli", via == "cli"), ("--modelfile", modelfile), ("--locked", locked), ("--executor", executor))
    for option, said in given:
        if said:
            raise UsageError(
                f"{option} is for one model on one host", hint="choose one with --only and one --store, or leave it out"
            )


def plan_many(
    options: PlanOptions,
    asked: Sequence[ResolvedRecipe],
    hosts: Sequence[str | None],
    *,
    check_only: bool,
    from_lock: bool,
    verbose: bool,
    as_json: bool,
    markdown: bool,
) -> int:
    """Plan every model for every host, and say of each what would happen."""
    from modelsmith.cli.recipes.planning import make_plan
    from modelsmith.cli.shared.progress import progress_bars
    from modelsmith.errors import ModelNotFound, ModelsmithError, UsageError

    code, reports = 0, []
    for number, resolved in enumerate(asked):
        if not (as_json or markdown):
            say_label(resolved, number, len(asked))
        for where in hosts:
            try:
                with progress_bars(enabled=not as_json) as progress:
                    made = make_plan(
                        options, resolved, progress=progress, from_lock=from_lock, hashes=check_only, where=where
                    )
            except ModelsmithError as error:
                if isinstance(error, UsageError) or len(asked) == len(hosts) == 1:
                    raise
                lacks = isinstance(error, ModelNotFound) and len(hosts) > 1
                code = max(code, 1 if lacks else error.exit_code)  # the others are planned all the same
                said = {"store": where, "lacks": error.message} if lacks else _error_data(error)
                reports.append(named(resolved, said))
                if markdown:
                    from modelsmith.cli.recipes.plan_markdown import not_planned

                    click.echo(not_planned(resolved.recipe.create, error))
                elif lacks and not as_json:
                    click.echo(click.style(printable(f"? {where} lacks the base: {error.message}"), fg="red"))
                elif not as_json:
                    show_error(error)
                continue
            bad = check_only and bool((made.plan.changes and not from_lock) or made.plan.without_effect or made.drifted)
            code = max(code, int(not made.plan.holds or bad))
            if as_json:
                from modelsmith.cli.recipes.plan_json import report_data

                reports.append(named(resolved, report_data(made)))
            elif markdown:
                from modelsmith.cli.recipes.plan_markdown import markdown as comment

                click.echo(comment(made))
            else:
                from modelsmith.cli.recipes.plan_view import show_plan

                show_plan(made.plan, made, details=verbose)
    if as_json:
        click.echo(json.dumps(reports, indent=2, ensure_ascii=False))
    return code


def _error_data(error: ModelsmithError) -> dict[str, Any]:
    return {"error": error.message, "hint": error.hint}


def say_label(asked: ResolvedRecipe, number: int, count: int) -> None:
    """Print which of several models is meant."""
    if count > 1:
        label = f": {asked.label}" if asked.label else ""
        line = f"{'' if number == 0 else chr(10)}[{number + 1} of {count}] {asked.written.name}{label}"
        click.echo(click.style(printable(line), bold=True))


def named(asked: ResolvedRecipe, data: dict[str, Any]) -> dict[str, Any]:
    """Return what is said of one of several models with what tells it from the others."""
    more: dict[str, Any] = {"profile": asked.profile} if asked.profile else {}
    return data | more | ({"combination": asked.label} if asked.label else {})


def apply_many(
    options: PlanOptions,
    asked: Sequence[ResolvedRecipe],
    where: str | None,
    *,
    jobs: int | None,
    executor: str | None,
    exchange: str | None,
    yes: bool,
    as_json: bool,
) -> int:
    """Make all models; each is planned, proven and verified by whoever makes it. Return 3 where one could not be made."""
    from modelsmith.cli.recipes.planning import chosen_store
    from modelsmith.cli.shared.progress import progress_bars
    from modelsmith.errors import UsageError
    from modelsmith.recipe.scale.dask_cluster import DaskCluster, check_address
    from modelsmith.recipe.scale.exchange import Exchange
    from modelsmith.recipe.scale.here import MakeHere
    from modelsmith.recipe.scale.processes import LocalProcesses
    from modelsmith.recipe.scale.there import MakeThere

    if executor:
        check_address(executor)
    if bool(executor) != bool(exchange):
        raise UsageError(
            "--executor and --exchange belong together: machines hand each other blobs through a registry",
            hint="such as --executor dask://HOST:8786 --exchange oci://registry.example.org/builds",
        )
    store = chosen_store(where)
    todo = [_job(resolved, options, store) for resolved in asked]
    if not yes and not _may_replace(todo, store):
        click.echo("nothing was changed", err=True)
        return 1
    with progress_bars(enabled=not as_json) as progress:
        if executor and exchange:
            place = Exchange.parse(exchange)
            cluster = DaskCluster(executor)
            with closing(cluster):
                cluster.check()
                todo = [place.send_base(job, store, progress) for job in todo]
                outcomes = _run(cluster, MakeThere(place), todo, progress, as_json=as_json)
            outcomes = [_fetched(outcome, place, store, progress) for outcome in outcomes]
        else:
            work = MakeHere(store.location)
            outcomes = _run(LocalProcesses(jobs or _JOBS), work, todo, progress, as_json=as_json)
    if as_json:
        click.echo(json.dumps([_data(outcome, store) for outcome in outcomes], indent=2, ensure_ascii=False))
    return _summed_up(outcomes, store, as_json=as_json)


def _job(asked: ResolvedRecipe, options: PlanOptions, store: Store) -> Job:
    from modelsmith.recipe.scale.job import Job
    from modelsmith.versions import Version

    version = str(Version.parse(options.target_ollama)) if options.target_ollama else store.ollama_version()
    secrets = [name for name, declared in asked.written.inputs.items() if declared.secret]
    hidden = _values(asked, secrets)
    return Job.of(asked.recipe, asked.label or asked.written.name, ollama=version, as_is=options.as_is, secrets=hidden)


def _values(asked: ResolvedRecipe, secrets: Sequence[str]) -> list[str]:
    """Return the values of secrets, which only the settings and the environment know."""
    import os

    found = []
    for name in secrets:
        value = asked.settings.get(name)
        if value is None and (env := asked.written.inputs[name].env):
            value = os.environ.get(env)
        found += [str(value)] if value is not None else []
    return found


def _may_replace(jobs: Sequence[Job], store: Store) -> bool:
    """Ask, on a terminal, whether models that are there may be replaced."""
    from modelsmith.name import ModelName

    if not (sys.stdin and sys.stdin.isatty()):
        return True
    there = {name.short for name in store.models()}
    replaced = [job.name for job in jobs if ModelName.strict(job.name).short in there]
    shown = ", ".join(replaced[:5]) + (f" and {len(replaced) - 5} more" if len(replaced) > 5 else "")
    return not replaced or click.confirm(f"Replace {shown} where they are to change?", err=True)


def _run(
    executor: Executor, work: Work, jobs: Sequence[Job], progress: ProgressSink, *, as_json: bool
) -> list[Outcome]:
    from dataclasses import replace

    def told(job: Job, worker: str, step: Progress) -> None:
        del worker
        progress(replace(step, status=f"{job.label}: {step.status}", digest=f"{job.key}{step.digest}"))

    outcomes: list[Outcome] = []
    with _cancelling(executor.run(work, jobs, told)) as running:
        for outcome in running:
            outcomes.append(outcome)
            if not as_json:
                _say(outcome, len(outcomes), len(jobs))
    order = {job.key: number for number, job in enumerate(jobs)}
    return sorted(outcomes, key=lambda outcome: order[outcome.job.key])


@contextmanager
def _cancelling(running: Iterator[Outcome]) -> Iterator[Iterator[Outcome]]:
    """Close the iterator at the end, which cancels what still runs (after Ctrl-C, say)."""
    try:
        yield running
    finally:
        close = getattr(running, "close", None)
        if close is not None:
            close()


def _fetched(outcome: Outcome, place: Any, store: Store, progress: ProgressSink) -> Outcome:
    """Bring a model here that a worker made."""
    from dataclasses import replace

    from modelsmith.errors import ModelsmithError

    if outcome.made is None:
        return outcome
    try:
        written = place.fetch_result(outcome.job, outcome.made, store, progress)
    except ModelsmithError as error:
        return replace(outcome, made=None, error=error.message, hint=error.hint)
    return replace(outcome, made=replace(outcome.made, changed=written))


def _say(outcome: Outcome, number: int, count: int) -> None:
    if outcome.made is None:
        word = click.style("failed", fg="red")
    else:
        word = click.style("made", fg="green") if outcome.made.changed else "no changes"
    more = f", begun {outcome.attempts} times" if outcome.attempts > 1 else ""
    where = f" by {outcome.made.worker}" if outcome.made and outcome.made.worker else ""
    line = f"[{number} of {count}] {outcome.job.name} ({outcome.job.label}): {word}{where} after {outcome.seconds:.1f} s{more}"
    click.echo(line)
    if outcome.error:
        click.echo(f"  {click.style('error:', fg='red', bold=True)} {printable(outcome.error)}", err=True)
        if outcome.hint:
            click.echo(f"  {click.style('hint:', fg='green')} {printable(outcome.hint)}", err=True)


def _data(outcome: Outcome, store: Store) -> dict[str, Any]:
    made = outcome.made
    return {
        "name": outcome.job.name,
        "combination": outcome.job.label,
        "store": store.location,
        "digest": made.digest if made else None,
        "changed": made.changed if made else False,
        "worker": made.worker if made else None,
        "attempts": outcome.attempts,
        "seconds": round(outcome.seconds, 3),
        "error": outcome.error or None,
    }


def _summed_up(outcomes: Sequence[Outcome], store: Store, *, as_json: bool) -> int:
    failed = sum(outcome.made is None for outcome in outcomes)
    if not as_json:
        made = sum(bool(outcome.made and outcome.made.changed) for outcome in outcomes)
        same = len(outcomes) - failed - made
        click.echo(f"{made} created and verified, {same} without changes, {failed} failed; in {store.location}")
    return 3 if failed else 0
