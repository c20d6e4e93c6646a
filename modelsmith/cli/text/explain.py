"""``modelsmith explain``: which template runs, what the model reads, and what would change that."""

from __future__ import annotations

import click

from modelsmith.cli.shared.complete import complete_models_or_files
from modelsmith.cli.shared.options import json_option, store_for, store_option
from modelsmith.cli.shared.template_place import show_template_error
from modelsmith.errors import TemplateSyntaxError


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
    from modelsmith.versions import Version

    version = str(Version.parse(target_ollama)) if target_ollama else None
    try:
        explanation = explain_model(source, store_for(where, source)(), version=version)
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
