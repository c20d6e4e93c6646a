"""Options that several commands share."""

from __future__ import annotations

from dataclasses import fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.recipe.plan import Plan

store_option = click.option(
    "--store",
    "where",
    metavar="DIR|URL",
    help="Where models live. Default: the Ollama at OLLAMA_HOST if it answers, else OLLAMA_MODELS or ~/.ollama/models.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What ``plan`` and ``apply`` are asked for."""

    recipe: str
    settings: tuple[str, ...]
    where: str | None
    as_is: bool
    target_ollama: str | None
    modelfile: Path | None

    def make(self) -> Plan:
        """Load the recipe with its inputs and plan it; tells which store was chosen when none was named."""
        from modelsmith.recipe.inputs import parse_settings
        from modelsmith.recipe.load import load_recipe
        from modelsmith.recipe.plan import plan
        from modelsmith.store.open import choose_store
        from modelsmith.versions import Version

        written = load_recipe(self.recipe)
        loaded = written.resolve(parse_settings(self.settings, written.inputs))
        version = str(Version.parse(self.target_ollama)) if self.target_ollama else None
        choice = choose_store(self.where)
        if self.where is None:
            click.echo(click.style(f"using {choice.store.location}: {choice.reason}", dim=True), err=True)
        return plan(loaded, choice.store, version=version, as_is=self.as_is, modelfile=self.modelfile)


def recipe_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the arguments that ``plan`` and ``apply`` share; the command gets them as one PlanOptions."""

    @wraps(command)
    def gathered(**values: Any) -> int:
        options = PlanOptions(**{field.name: values.pop(field.name) for field in fields(PlanOptions)})
        return command(options, **values)

    for option in reversed(_RECIPE_OPTIONS):
        gathered = option(gathered)
    return gathered


_RECIPE_OPTIONS = (
    click.argument("recipe", metavar="RECIPE"),
    click.option(
        "--set", "settings", multiple=True, metavar="INPUT=VALUE", help="Give an input of the recipe; repeatable."
    ),
    store_option,
    click.option("--as-is", is_flag=True, help="Keep a GGUF's bytes (linked) instead of Ollama's canonical order."),
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
)
