"""``modelsmith recipes``: what recipes there are, what they take, and how to start one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.recipes.check import check
from modelsmith.cli.recipes.emit import emit
from modelsmith.cli.recipes.team import add, known, remove, search, show_team, team_rows, update
from modelsmith.cli.shared.failure import printable
from modelsmith.cli.shared.help import Group
from modelsmith.cli.shared.options import json_option, store_option

if TYPE_CHECKING:
    from modelsmith.recipe.read.load import RecipeFile


@click.group("recipes", cls=Group)
def command() -> None:
    r"""List, show, start and check recipes; use those of a team; write them for other tools.

    \b
    Examples:
      modelsmith recipes list
      modelsmith recipes show force-think
      modelsmith recipes new ./my-model.yaml
      modelsmith recipes check
      modelsmith recipes add team git+https://git.example.org/recipes.git@v3
      modelsmith recipes schema > recipe.schema.json
    """


command.add_command(check)
command.add_command(emit)
for _of_teams in (add, search, update, remove):
    command.add_command(_of_teams)


@command.command("list")
@json_option
def list_recipes(*, as_json: bool) -> None:
    r"""List the bundled recipes and their inputs, and the recipes of teams.

    \b
    Examples:
      modelsmith recipes list
      modelsmith recipes list --json
    """
    from modelsmith.recipe.read.bundled import bundled_recipes
    from modelsmith.recipe.read.load import load_recipe

    recipes = [load_recipe(name) for name in bundled_recipes()]
    teams = [team_rows(source) for source in known()]
    if as_json:
        of_teams = [
            recipe | {"place": team["place"], "pin": team["pin"]} for team in teams for recipe in team["recipes"]
        ]
        click.echo(json.dumps([*map(_summary, recipes), *of_teams], indent=2, ensure_ascii=False))
        return
    for recipe in recipes:
        click.echo(f"{click.style(recipe.name, bold=True)}  {recipe.description}")
        _show_inputs(recipe)
    for team in teams:
        show_team(team)


@command.command("show")
@click.argument("recipe", metavar="RECIPE")
@json_option
def show_recipe(recipe: str, *, as_json: bool) -> None:
    r"""Show RECIPE, a bundled one by name or a file: its inputs and its text.

    \b
    Examples:
      modelsmith recipes show force-think
      modelsmith recipes show ./my-model.yaml --json
    """
    from modelsmith.recipe.read.load import load_recipe

    loaded = load_recipe(recipe)
    if as_json:
        click.echo(json.dumps(_summary(loaded) | {"recipe": loaded.data()}, indent=2, ensure_ascii=False))
        return
    click.echo(f"{click.style(loaded.name, bold=True)}  {printable(loaded.description)}")
    _show_inputs(loaded)
    for source in loaded.sources:
        click.echo(f"\n# {printable(source.name)}")
        click.echo(printable(source.text), nl=not source.text.endswith("\n"))


@command.command("schema")
def show_schema() -> None:
    r"""Print the JSON Schema of recipes, for editors.

    \b
    Example:
      modelsmith recipes schema > recipe.schema.json
    """
    from modelsmith.recipe.format.jsonschema import recipe_schema

    click.echo(json.dumps(recipe_schema(), indent=2, ensure_ascii=False))


@command.command("new")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--from", "base", metavar="MODEL|FOLDER|FILE", help="Look at a model, a folder of Safetensors or a Modelfile first."
)
@store_option
@click.option("--force", is_flag=True, help="Replace PATH; what stood there is kept as PATH.old.")
def new_recipe(path: Path, *, base: str | None, where: str | None, force: bool) -> None:
    r"""Write a recipe to start from, with comments, to PATH.

    With --from it is about that model: what a Modelfile says becomes keys, weights in floats are quantized, and what holds
    already is promised.

    \b
    Examples:
      modelsmith recipes new ./my-model.yaml
      modelsmith recipes new ./mario.yaml --from ./Modelfile
      modelsmith recipes new ./small.yaml --from llama3.2:3b
    """
    from modelsmith.cli.shared.outputs import write_output
    from modelsmith.errors import UsageError
    from modelsmith.recipe.format.starter import starter
    from modelsmith.recipe.read.bundled import ENDINGS

    if path.suffix.lower() not in ENDINGS:
        raise UsageError(f'"{path}" is not the name of a YAML file', hint=f"call it {path}.yaml")
    text = starter(path.name) if base is None else _looked_at(base, where, path)
    write_output(path, text.encode(), force=force, option="another PATH")
    shown = path if "/" in str(path) else f"./{path}"
    click.echo(printable(f"wrote {path}; see what it would do: modelsmith plan {shown}"))


def _looked_at(base: str, where: str | None, path: Path) -> str:
    from modelsmith.cli.shared.options import store_for
    from modelsmith.models.draft import Draft
    from modelsmith.models.find import find_base
    from modelsmith.recipe.emit.first import first_recipe
    from modelsmith.recipe.read.load import parse_recipe
    from modelsmith.versions import of_server

    store = store_for(where, base)()
    draft = Draft.start(find_base(base, store, Path.cwd()), of_server(store.ollama_version()))
    text = first_recipe(draft, path)
    parse_recipe(text, name=str(path), folder=path.absolute().parent).resolve({}, environment={})
    return text


def _show_inputs(recipe: RecipeFile) -> None:
    width = max(map(len, recipe.inputs), default=0)
    for name, declared in recipe.inputs.items():
        notes: list[str] = [] if declared.type == "text" else [declared.type]
        if declared.required:
            notes.append("required")
        elif declared.default is not None:
            notes.append(f"default {_written(declared.default)}")
        if declared.choices is not None:
            notes.append(f"one of {', '.join(map(_written, declared.choices))}")
        if declared.secret:
            notes.append("secret")
        if declared.env is not None:
            notes.append(f"or environment variable {declared.env}")
        about = f"  ({'; '.join(notes)})" if notes else ""
        click.echo(printable(f"    {name:{width}}  {declared.description}{about}"))


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _summary(recipe: RecipeFile) -> dict[str, Any]:
    inputs = {name: {"required": one.required, **one.model_dump()} for name, one in recipe.inputs.items()}
    return {
        "name": recipe.name,
        "description": recipe.description,
        "path": recipe.sources[0].name,
        "extends": [source.name for source in recipe.sources[1:]],
        "inputs": inputs,
    }
