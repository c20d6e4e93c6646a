"""``modelsmith explain``: which template runs, what the model reads, and what would change that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelsmith.cli.options import json_option, store_option
from modelsmith.errors import TemplateSyntaxError

if TYPE_CHECKING:
    from modelsmith.diagnostic import Diagnostic
    from modelsmith.source import Source


@click.command("explain")
@click.argument("source", metavar="MODEL|FILE")
@click.option(
    "--target-ollama", metavar="VERSION", help="The Ollama that serves it. Default: the server's, else the newest."
)
@store_option
@json_option
def command(source: str, target_ollama: str | None, where: str | None, as_json: bool) -> int:
    r"""Say which template of MODEL (or a Modelfile, a .gguf, sample:NAME) runs, and what follows from it.

    On one screen: the rule, what changes between versions of Ollama, where answers end, where reasoning arrives for each
    value of think, whether a growing chat can be cached, and the cheapest ways to change it. Changes nothing.

    \b
    Examples:
      modelsmith explain deepseek-r1:8b
      modelsmith explain ./Modelfile --target-ollama 0.12.0
      modelsmith explain ./model.gguf --json
      modelsmith explain sample:deepseek-r1
    """
    from modelsmith.recipe.explanation import explain_model
    from modelsmith.store.open import open_store
    from modelsmith.versions import Version

    version = str(Version.parse(target_ollama)) if target_ollama else None
    try:
        explanation = explain_model(source, open_store(where), version=version)
    except TemplateSyntaxError as error:
        place = _place(source, error)
        if place is None:
            raise
        from modelsmith.cli.failure import show_diagnostic

        show_diagnostic(*place)
        return error.exit_code
    if as_json:
        from modelsmith.cli.explain_json import explain_json

        click.echo(explain_json(explanation))
    else:
        from modelsmith.cli.explain_view import show_explanation

        show_explanation(explanation)
    return 0


def _place(path: str, error: TemplateSyntaxError) -> tuple[Diagnostic, Source] | None:
    """Return the place of the error in the Modelfile at ``path``, None where it is elsewhere or not known."""
    from modelsmith.diagnostic import Diagnostic
    from modelsmith.source import Source, Span
    from modelsmith.syntax.modelfile import Modelfile

    if error.offset is None or not Path(path).is_file():
        return None
    modelfile = Modelfile.parse(Path(path).read_bytes())
    written = [each for each in modelfile.instructions if each.keyword == "TEMPLATE"]
    if not written:
        return None
    # Where Ollama drops characters the offset is that of the text without them; the line is near enough.
    span = written[-1].value_span
    start = min(span.start + error.offset, span.end)
    message = error.message.removeprefix("template: ").lstrip(":0123456789 ")
    diagnostic = Diagnostic("template-syntax", message, Span(start, start + 1), hint=error.hint)
    return diagnostic, Source(modelfile.text, path)
