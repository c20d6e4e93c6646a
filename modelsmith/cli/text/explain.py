"""``modelsmith explain``: which template runs, what the model reads, and what would change that."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.complete import complete_models_or_files
from modelsmith.cli.shared.options import json_option, store_for, store_option
from modelsmith.cli.shared.template_place import show_template_error
from modelsmith.errors import ModelsmithError, TemplateSyntaxError

if TYPE_CHECKING:
    from modelsmith.explain.explanation import Explanation
    from modelsmith.store import Store


@click.command("explain")
@click.argument("source", metavar="MODEL|FILE", shell_complete=complete_models_or_files)
@click.option(
    "--target-ollama", metavar="VERSION", help="The Ollama that serves it. Default: the server's, else the newest."
)
@store_option
@json_option
def command(source: str, target_ollama: str | None, where: str | None, as_json: bool) -> int:
    r"""Say which template of MODEL (or a Modelfile, .gguf, .gotmpl, .jinja, sample:NAME) runs, and what follows from it.

    On one screen: the rule, what changes between versions of Ollama, where answers end, where reasoning arrives for each
    value of think, whether a growing chat can be cached, and the cheapest ways to change it. Changes nothing.

    \b
    Examples:
      modelsmith explain deepseek-r1:8b
      modelsmith explain ./Modelfile --target-ollama 0.12.0
      modelsmith explain ./model.gguf --json
      modelsmith explain template.gotmpl
      modelsmith explain sample:deepseek-r1
    """
    from modelsmith.explain.explanation import explain_model
    from modelsmith.memo import reading_only
    from modelsmith.versions import Version

    version = str(Version.parse(target_ollama)) if target_ollama else None
    try:
        with reading_only():
            store = store_for(where, source)()
            explanation = _tried(explain_model(source, store, version=version), store, version)
    except TemplateSyntaxError as error:
        error.is_shown = show_template_error((source,), where)
        raise
    if as_json:
        from modelsmith.cli.text.explain_json import explain_json

        click.echo(explain_json(explanation))
    else:
        from modelsmith.cli.text.explain_view import show_explanation

        show_explanation(explanation)
    return 0


def _tried(explanation: Explanation, store: Store, version: str | None) -> Explanation:
    """Plan the recipes that are named as next commands, and say why one fails instead of naming it."""
    from modelsmith.recipe.plan.plan import plan
    from modelsmith.recipe.read.load import Recipe

    kept, notes = [], []
    for command in explanation.commands:
        if command.recipe:
            try:
                planned = plan(Recipe.load(command.recipe, {"base": explanation.spec}), store, version=version)
                reason = "" if planned.holds else "its promises do not hold for this model"
            except ModelsmithError as error:
                reason = error.message
            if reason:
                notes.append(f"the recipe {command.recipe} fails here: {reason}")
                continue
        kept.append(command)
    return replace(explanation, commands=tuple(kept), notes=(*explanation.notes, *notes))
