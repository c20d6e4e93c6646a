"""``modelsmith diff``: what differs between two models, Modelfiles, GGUFs or templates, and what a model reads of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.complete import complete_models_or_files
from modelsmith.cli.shared.conversation_file import ShapeError, show_shape_error
from modelsmith.cli.shared.options import json_option, store_for, store_option
from modelsmith.cli.shared.outputs import force_option
from modelsmith.cli.shared.template_place import show_template_error
from modelsmith.errors import TemplateSyntaxError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.compare.difference import Difference
    from modelsmith.template.conversation.conversation import Conversation


@click.command("diff")
@click.argument("a", metavar="A", shell_complete=complete_models_or_files)
@click.argument("b", metavar="B", shell_complete=complete_models_or_files)
@click.option(
    "--conversation", "-c", metavar="NAME|C.json", help="Compare the prompts of this conversation only, and show them."
)
@click.option("--all", "show_all", is_flag=True, help="Show every prompt that differs, not only the smallest.")
@click.option(
    "--text", "count_text", is_flag=True, help="Let a text that only reads differently count as a difference."
)
@click.option(
    "--html",
    "report",
    type=click.Path(path_type=Path),
    metavar="REPORT.html",
    help="Also write a page with everything side by side.",
)
@force_option
@click.option(
    "--target-ollama", metavar="VERSION", help="The Ollama that serves the models. Default: the newest known."
)
@store_option
@json_option
def command(
    a: str,
    b: str,
    conversation: str | None,
    show_all: bool,
    count_text: bool,
    report: Path | None,
    force: bool,
    target_ollama: str | None,
    where: str | None,
    as_json: bool,
) -> int:
    r"""Show what differs between A and B: Modelfiles, .gotmpl, .jinja, .gguf, models' names, sample:deepseek-r1, in any mix.

    Exit code 0: the same values, and the same prompts for all conversations. 1: different.

    \b
    Examples:
      modelsmith diff Modelfile deepseek-r1:8b
      modelsmith diff old.gotmpl new.gotmpl --html report.html
      modelsmith diff template.gotmpl template.jinja --conversation tool-result
      modelsmith diff a.gguf b.gguf --json
    """
    if report is not None:
        from modelsmith.cli.diff.report import check_report

        check_report(report, a, b, force=force)
    try:
        found = _compare(a, b, conversation, where, target_ollama)
    except ShapeError as error:
        error.is_shown = show_shape_error(error)
        raise
    except TemplateSyntaxError as error:
        error.is_shown = show_template_error((a, b), where)
        raise
    if report is not None:
        from modelsmith.cli.diff.report import write_report

        write_report(report, found, force=force)
    if as_json:
        from modelsmith.cli.diff.json import diff_json

        click.echo(diff_json(found, everything=show_all or conversation is not None))
    else:
        from modelsmith.cli.diff.view import show_difference

        show_difference(found, everything=show_all or conversation is not None)
    if report is not None:
        click.echo(f"wrote {report}", err=True)
    return int(not found.equal or (count_text and not found.same_text))


def _compare(a: str, b: str, conversation: str | None, where: str | None, version: str | None) -> Difference:
    from modelsmith.compare.difference import difference
    from modelsmith.compare.side import find_side
    from modelsmith.versions import Version

    conversations = _conversations(conversation)
    target = str(Version.parse(version)) if version else None
    store = store_for(where, a, b)
    ours, theirs = (find_side(spec, store, Path.cwd(), target) for spec in (a, b))
    return difference(ours, theirs, conversations)


def _conversations(chosen: str | None) -> Mapping[str, Conversation]:
    from modelsmith.template.conversation.named import NAMED

    if chosen is None:
        return NAMED
    if chosen in NAMED:
        return {chosen: NAMED[chosen]}
    if Path(chosen).is_file():
        from modelsmith.cli.shared.conversation_file import read_conversation

        return {Path(chosen).stem: read_conversation(Path(chosen), (), None)}
    from modelsmith.diagnostic import did_you_mean
    from modelsmith.errors import UsageError

    raise UsageError(
        f'there is no conversation "{chosen}"{did_you_mean(chosen, NAMED)}',
        hint=f"name a JSON file, or one of {', '.join(NAMED)}",
    )
