"""``modelsmith recipes add`` and its like: the recipes of a team under a short name, pinned."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.shared.failure import printable, show_error
from modelsmith.cli.shared.input_file import InputFile
from modelsmith.cli.shared.options import json_option

if TYPE_CHECKING:
    from modelsmith.errors import ModelsmithError
    from modelsmith.recipe.team.source import TeamSource

_MAX_KEY = 64 << 10


@click.command("add")
@click.argument("name")
@click.argument("place", metavar="PLACE")
@click.option(
    "--key",
    type=InputFile(),
    metavar="FILE",
    help="Take nothing that this public key has not signed: an SSH key (.pub) for git, cosign's for an artifact.",
)
@click.option(
    "--project", is_flag=True, help="Write modelsmith-recipes.json here, for everybody who works in this folder."
)
@click.option("--force", is_flag=True, help="Replace recipes of this name.")
@json_option
def add(name: str, place: str, *, key: Path | None, project: bool, force: bool, as_json: bool) -> None:
    r"""Give the recipes at PLACE a NAME, pinned to what is there now.

    PLACE is a repository of git (git+https://HOST/REPOSITORY@REF[//FOLDER]), an artifact of a registry (oci://HOST/NAME:TAG) or
    a folder. Then `modelsmith apply NAME/RECIPE` works; a path that exists wins.

    \b
    Examples:
      modelsmith recipes add team git+https://git.example.org/ml/recipes.git@v3
      modelsmith recipes add team oci://registry.example.org/ml/recipes:v3 \
        --key cosign.pub
      modelsmith recipes add team ./recipes --project
    """
    from modelsmith.errors import UsageError
    from modelsmith.recipe.remote.address import GitAddress, is_remote, parse_address
    from modelsmith.recipe.remote.signed import ssh_key
    from modelsmith.recipe.team.source import team_source
    from modelsmith.recipe.team.sources import sources_file

    file = sources_file(new=project)
    old = None if force else file.sources.get(name)
    taken = UsageError(
        f'there are recipes called "{name}" already: {old.place if old else ""}',
        hint=f"take a newer state with: modelsmith recipes update {name}; replace them with --force",
    )
    if old is not None and old.place not in {place, str(Path(place).expanduser().absolute())}:
        raise taken
    text = _key_text(key) if key is not None else ""
    if text and is_remote(place) and isinstance(parse_address(place), GitAddress):
        text = ssh_key(text)
    source = team_source(name, place, text)
    if old is not None and old != source:
        raise taken
    names = [recipe for recipe, _ in _recipes(source)]
    if not names:
        raise UsageError(
            f"there are no recipes at {place}", hint="a recipe is a YAML file with a name and from, extends or create"
        )
    file.written({**file.sources, name: source})
    if as_json:
        click.echo(json.dumps(_described(source, names), indent=2, ensure_ascii=False))
        return
    signed = ", signed with the key" if source.key else ""
    click.echo(printable(f"added {name}: {len(names)} recipes{_pinned(source)}{signed}, in {_shown(file.path)}"))
    for recipe_name in names:
        click.echo(printable(f"  {name}/{recipe_name}"))


@click.command("update")
@click.argument("name", required=False)
@click.option("--to", "ref", metavar="REF", help="Another tag, branch or commit than now.")
@click.option("--dry-run", is_flag=True, help="Say what would change. Exit code 1 when something would.")
@json_option
def update(name: str | None, *, ref: str | None, dry_run: bool, as_json: bool) -> int:
    r"""Take the newest state of a team's recipes (all of them without NAME), and say which recipes changed.

    Without NAME, those that cannot be had stay as they are, and the exit code is 3.

    \b
    Examples:
      modelsmith recipes update
      modelsmith recipes update team --to v4
      modelsmith recipes update --dry-run
    """
    from modelsmith.errors import RecipeSourceError, UsageError
    from modelsmith.recipe.team.sources import sources_file

    file = sources_file()
    if ref is not None and name is None:
        raise UsageError("--to needs the NAME of the recipes", hint="modelsmith recipes update NAME --to REF")
    chosen = [file.get(name)] if name else list(file.sources.values())
    rows, changed = [], dict(file.sources)
    failed: list[ModelsmithError] = []
    for old in chosen:
        try:
            new = (old if ref is None else replace(old, place=_with_ref(old, ref))).newest()
        except RecipeSourceError as error:
            if name is not None:
                raise
            failed.append(error)  # the others move on all the same
            rows.append({"name": old.name, "place": old.place, "before": old.pin, "problem": error.message})
            continue
        changed[old.name] = new
        rows.append(_difference(old, new))
    moved = changed != dict(file.sources)
    if moved and not dry_run:
        file.written(changed)
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for row in rows:
            if "problem" not in row:
                _show_difference(row)
        for problem in failed:
            show_error(problem)
        if not rows:
            click.echo("no recipes of a team here; add some: modelsmith recipes add NAME PLACE")
    return 3 if failed else 1 if dry_run and moved else 0


@click.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    r"""Forget a team's recipes; models made from them stay.

    \b
    Example:
      modelsmith recipes remove team
    """
    from modelsmith.recipe.team.sources import sources_file

    file = sources_file()
    source = file.get(name)
    file.written({key: value for key, value in file.sources.items() if key != name})
    click.echo(printable(f"removed {name} ({source.place}) from {_shown(file.path)}"))


@click.command("search")
@click.argument("words", nargs=-1, required=True)
@json_option
def search(words: tuple[str, ...], *, as_json: bool) -> int:
    r"""Find recipes, bundled ones and a team's, whose name, description or inputs hold all WORDS. Exit code 1 where none does.

    \b
    Examples:
      modelsmith recipes search think
      modelsmith recipes search lora merge --json
    """
    from modelsmith.errors import RecipeSourceError
    from modelsmith.recipe.read.bundled import bundled_recipes

    places = [(name, path, "bundled") for name, path in bundled_recipes().items()]
    for source in known():
        try:
            places += [(f"{source.name}/{name}", path, source.place) for name, path in _recipes(source)]
        except RecipeSourceError as error:
            click.echo(printable(f"not searched: {error.message}"), err=True)
    found = []
    for name, path, place in places:
        description, text = _about(path)
        if all(word.lower() in f"{name} {text}".lower() for word in words):
            found.append({"name": name, "description": description, "place": place})
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        for row in found:
            click.echo(f"{click.style(printable(row['name']), bold=True)}  {printable(row['description'])}")
    if not found and not as_json:
        click.echo(printable(f"no recipe has {' and '.join(words)}"), err=True)
    return 0 if found else 1


def known() -> tuple[TeamSource, ...]:
    """Return the places that count here."""
    from modelsmith.recipe.team.sources import sources_file

    return tuple(sources_file().sources.values())


def team_rows(source: TeamSource) -> dict[str, Any]:
    """Return what a list says of a place: its recipes with their descriptions, or why they cannot be had."""
    from modelsmith.errors import ModelsmithError

    try:
        recipes = [{"name": f"{source.name}/{name}", "description": _about(path)[0]} for name, path in _recipes(source)]
    except ModelsmithError as error:
        return {"name": source.name, "place": source.place, "pin": source.pin, "recipes": [], "problem": error.message}
    return {"name": source.name, "place": source.place, "pin": source.pin, "recipes": recipes}


def show_team(row: dict[str, Any]) -> None:
    """Print what a list says of a place."""
    pin = f" @ {row['pin'].removeprefix('sha256:')[:12]}" if row["pin"] else ""
    click.echo(f"\n{click.style(row['name'], bold=True)}  {printable(row['place'])}{pin}")
    for recipe in row["recipes"]:
        click.echo(printable(f"    {recipe['name']}  {recipe['description']}"))
    if problem := row.get("problem"):
        click.echo(printable(f"    cannot be had: {problem}"))


def _recipes(source: TeamSource) -> list[tuple[str, Path]]:
    from modelsmith.recipe.read.check import looks_like_recipe

    return [(name, path) for name, path in source.files() if looks_like_recipe(path)]


def _about(path: Path) -> tuple[str, str]:
    """Return the description of a recipe, and the text that is searched; of one that is wrong, its bare text."""
    from modelsmith.errors import ModelsmithError
    from modelsmith.recipe.read.load import load_recipe

    try:
        recipe = load_recipe(path)
    except ModelsmithError as error:
        return f"(cannot be read: {error.message})", ""
    inputs = " ".join(f"{name} {one.description}" for name, one in recipe.inputs.items())
    return recipe.description, f"{recipe.name} {recipe.description} {inputs}"


def _key_text(path: Path) -> str:
    from modelsmith.errors import refused

    try:
        with path.open("rb") as file:
            return file.read(_MAX_KEY).decode("utf-8", "replace")
    except OSError as error:
        raise refused(error) from error


def _with_ref(source: TeamSource, ref: str) -> str:
    from modelsmith.errors import UsageError
    from modelsmith.recipe.remote.address import GitAddress, parse_address

    address = source.address
    if address is None:
        raise UsageError(f"{source.name} is a folder, which has no {ref!r:.80}", hint="leave --to out")
    if isinstance(address, GitAddress):
        return str(parse_address(str(replace(address, ref=ref))))
    return str(parse_address(str(replace(address, reference=replace(address.reference, tag=ref, digest=None)))))


def _difference(old: TeamSource, new: TeamSource) -> dict[str, Any]:
    """Return which recipes are new, gone or changed between two states of a place."""
    from modelsmith.errors import ModelsmithError

    try:
        before = {name: path.read_bytes() for name, path in _recipes(old)} if old.pin else {}
    except ModelsmithError:  # the old state cannot be had any more: everything counts as new
        before = {}
    after = {name: path.read_bytes() for name, path in _recipes(new)}
    if old == new:
        before = after
    return {
        "name": new.name,
        "place": new.place,
        "before": old.pin,
        "after": new.pin,
        "added": sorted(after.keys() - before.keys()),
        "removed": sorted(before.keys() - after.keys()),
        "changed": sorted(name for name in after.keys() & before.keys() if after[name] != before[name]),
    }


def _show_difference(row: dict[str, Any]) -> None:
    if row["before"] == row["after"]:
        click.echo(
            printable(f"{row['name']}: no changes" if row["after"] else f"{row['name']}: a folder, taken as it is")
        )
        return
    short = [row[key].removeprefix("sha256:")[:12] for key in ("before", "after")]
    click.echo(printable(f"{row['name']}: {short[0]} -> {short[1]}"))
    for sign, key in (("+", "added"), ("-", "removed"), ("~", "changed")):
        for name in row[key]:
            click.echo(printable(f"  {sign} {row['name']}/{name}"))


def _described(source: TeamSource, names: list[str]) -> dict[str, Any]:
    return {"name": source.name, "place": source.place, "pin": source.pin, "signed": bool(source.key), "recipes": names}


def _pinned(source: TeamSource) -> str:
    return f" at {source.pin.removeprefix('sha256:')[:12]}" if source.pin else ""


def _shown(path: Path) -> str:
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)
