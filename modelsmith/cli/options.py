"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.recipe.plan import Plan

F = TypeVar("F", bound="Callable[..., Any]")

store_option = click.option(
    "--store",
    "where",
    metavar="DIR|URL",
    help="Where models live. Default: the Ollama at OLLAMA_HOST if it answers, else OLLAMA_MODELS or ~/.ollama/models.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def recipe_options(command: F) -> F:
    """Add the arguments of ``plan`` and ``apply``."""
    for option in reversed(
        (
            click.argument("recipe", metavar="RECIPE"),
            click.option(
                "--set",
                "settings",
                multiple=True,
                metavar="INPUT=VALUE",
                help="Give an input of the recipe; repeatable.",
            ),
            store_option,
            click.option(
                "--as-is", is_flag=True, help="Keep a GGUF's bytes (linked) instead of Ollama's canonical order."
            ),
            click.option(
                "--target-ollama",
                metavar="VERSION",
                help="The Ollama that will serve it. Default: the server's, else the newest.",
            ),
            click.option(
                "--modelfile",
                type=click.Path(path_type=Path, dir_okay=False),
                metavar="FILE",
                help="Also write the Modelfile, for `ollama create NAME -f FILE`.",
            ),
            json_option,
        )
    ):
        command = option(command)
    return command


def make_plan(
    recipe: str,
    settings: tuple[str, ...],
    where: str | None,
    *,
    as_is: bool,
    target_ollama: str | None,
    modelfile: Path | None,
) -> Plan:
    """Load a recipe with its inputs and plan it."""
    from modelsmith.recipe.inputs import parse_settings
    from modelsmith.recipe.load import load_recipe
    from modelsmith.recipe.plan import plan
    from modelsmith.store.open import choose_store
    from modelsmith.versions import Version

    written = load_recipe(recipe)
    loaded = written.resolve(parse_settings(settings, written.inputs))
    version = str(Version.parse(target_ollama)) if target_ollama else None
    choice = choose_store(where)
    if where is None:
        click.echo(click.style(f"using {choice.store.location}: {choice.reason}", dim=True), err=True)
    return plan(loaded, choice.store, version=version, as_is=as_is, modelfile=modelfile)
