"""``modelsmith recipes emit``: a recipe's result as the file that another tool reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.complete import complete_recipes
from modelsmith.cli.shared.options import PlanOptions, json_option, store_option
from modelsmith.hidden import unseen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.recipe.plan.plan import Plan

_TARGETS = ("modelfile", "llama-preset", "compose", "lmstudio")


@click.command("emit")
@click.argument("recipe", metavar="RECIPE", shell_complete=complete_recipes)
@click.option("--to", "target", type=click.Choice(_TARGETS), required=True, help="The tool that reads it.")
@click.option("--set", "settings", multiple=True, metavar="INPUT=VALUE", help="Give an input; repeatable.")
@click.option("--profile", metavar="NAME", default="", help="Lay a profile of the recipe over it.")
@store_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to write it. Default: standard output.",
)
@click.option(
    "--weights",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the model's GGUF too, changed as the recipe says, and name that.",
)
@click.option("--reference", metavar="NAME", default="", help="compose: how the model is called in its registry.")
@click.option("--strict", is_flag=True, help="Write nothing and exit 1 where something cannot be said.")
@click.option("--force", is_flag=True, help="Replace files; what stood there is kept as FILE.old.")
@json_option
def emit(
    recipe: str,
    target: str,
    settings: tuple[str, ...],
    profile: str,
    where: str | None,
    output: Path | None,
    weights: Path | None,
    reference: str,
    strict: bool,
    force: bool,
    as_json: bool,
) -> int:
    r"""Write what RECIPE makes as a file that another tool reads.

    Targets: modelfile (Ollama), llama-preset (llama-server --models-preset), compose (Docker Model Runner), lmstudio
    (model.yaml). What a target cannot say is listed on standard error, and in --json.

    Exit code 1: a promise of the recipe does not hold, or --strict and something cannot be said.

    \b
    Examples:
      modelsmith recipes emit force-think --set base=./r1.gguf --to modelfile
      modelsmith recipes emit my.yaml --to llama-preset -o preset.ini
      modelsmith recipes emit my.yaml --to compose --reference me/model
    """
    from modelsmith.cli.recipes.planning import plan_alone
    from modelsmith.cli.shared.failure import printable
    from modelsmith.cli.shared.outputs import write_output
    from modelsmith.cli.shared.progress import progress_bars
    from modelsmith.files import outputs
    from modelsmith.recipe.emit.subject import Subject
    from modelsmith.recipe.emit.targets import TARGETS, check_holds, weights_source, write_weights

    if reference:
        _check_reference(reference, target)
    plan = plan_alone(PlanOptions((recipe,), settings, (where,) if where else (), profile=profile))
    check_holds(plan)
    subject = Subject(plan, weights.absolute() if weights else None, output, reference)
    emitted = TARGETS[target].emit(subject)
    written = not (strict and emitted.unsaid)
    todo = emitted.todo
    if output is None and unseen(emitted.text) != emitted.text:
        todo = (*todo, "use -o FILE: what is printed has *** in place of secrets, and would make another model")
    if written:
        _check_places(plan, {"-o": output, "--weights": weights}, tuple(emitted.beside))
        for path, text in (*emitted.beside.items(), *([(output, emitted.text)] if output else [])):
            outputs.check_output(path, force=force, content=text.encode())
        if weights is not None:
            from modelsmith.files.replacing import check_output

            with progress_bars(enabled=not as_json) as progress:
                plan = plan.fetched(progress)
                source = weights_source(plan)
                if force or not weights.exists() or not outputs.holds(weights, source.size, source.chunks()):
                    check_output(weights, [source.path], overwrite=force, size=source.size)
                    write_weights(plan, weights, progress)
        for path, text in emitted.beside.items():
            write_output(path, text.encode(), force=force, option="-o")
        if output is not None:
            write_output(output, emitted.text.encode(), force=force, option="-o")
    if as_json:
        data = {
            "recipe": plan.recipe.name,
            "name": plan.name.short,
            "to": target,
            "file": str(output) if output else None,
            "text": emitted.text,
            "beside": {str(path): text for path, text in emitted.beside.items()},
            "weights": str(weights) if weights else None,
            "unsaid": [{"what": unsaid.what, "why": unsaid.why} for unsaid in emitted.unsaid],
            "todo": list(todo),
            "written": written,
        }
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
    elif output is None and written:
        click.echo(emitted.text, nl=False)
    for unsaid in emitted.unsaid:
        click.echo(printable(f"cannot be said: {unsaid}"), err=True)
    for sentence in todo if written else ():
        click.echo(printable(f"to do: {sentence}"), err=True)
    if not written:
        click.echo(f"nothing was written: {len(emitted.unsaid)} cannot be said (--strict)", err=True)
    elif output is not None and not as_json:
        click.echo(printable(f"wrote {output} ({TARGETS[target].title})"), err=True)
    return int(not written)


def _check_places(plan: Plan, named: Mapping[str, Path | None], beside: tuple[Path, ...]) -> None:
    """Raise UsageError before anything is written: for one place of two files, and for a file that the plan rests on."""
    from modelsmith.errors import UsageError
    from modelsmith.files.outputs import check_place

    weights, spec = plan.after.inherited.weights, Path(plan.recipe.from_)
    sources = [entry for entry in (weights, spec) if entry is not None and entry.is_file()]
    seen: dict[Path, str] = {}
    for option, path in (*named.items(), *(("-o", entry) for entry in beside)):
        if path is None:
            continue
        check_place(path, sources)
        if other := seen.get(path.resolve()):
            raise UsageError(f"{path} is named by {other} and by {option}", hint="name another file for one of them")
        seen[path.resolve()] = option


def _check_reference(reference: str, target: str) -> None:
    from modelsmith.errors import UsageError
    from modelsmith.recipe.emit.compose import check_reference

    if target != "compose":
        raise UsageError(
            f"--reference has no place in {target}: it is how a container's model is called", hint="leave it out"
        )
    check_reference(reference)
