"""``modelsmith doctor``: what is wrong with commands, variables and how-tos about Ollama, and what was meant."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.shared.help import Group
from modelsmith.cli.shared.options import json_option

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.doctor import Language
    from modelsmith.source import Source

FINE, FINDINGS, FAILED = 0, 1, 3

_target_option = click.option(
    "--target-ollama", metavar="VERSION", help="Judge for this version of Ollama. Default: the newest known."
)


@click.group("doctor", cls=Group, invoke_without_command=True)
@click.option(
    "--store", "where", metavar="URL", help="The server to look at. Default: OLLAMA_HOST, else 127.0.0.1:11434."
)
@json_option
@click.pass_context
def command(context: click.Context, where: str | None, as_json: bool) -> int | None:
    r"""Find what is wrong: without a command, with Ollama on this machine; else with commands, variables and how-tos.

    Looks at the server (does it answer, which version, who can reach it), at the OLLAMA_* variables of this shell, of the server and of its
    unit, at the store, at graphics cards that are not used and why, and at proxies. Changes nothing and starts nothing.

    Exit codes: 0 nothing wrong, 1 a warning or an error, 2 wrong usage.

    \b
    Examples:
      modelsmith doctor
      sudo modelsmith doctor --json
      modelsmith doctor cmd 'ollama run llama3.2 --max-tokens 300'
      modelsmith doctor md README.md docs/*.md
      modelsmith doctor env
    """
    if context.invoked_subcommand is not None:
        return None
    from modelsmith.cli.shared.checks import show_checks
    from modelsmith.machine.examine import examine_machine

    return show_checks(examine_machine(where), as_json=as_json)


@command.command("cmd")
@click.argument("commands", nargs=-1, required=True, metavar="COMMAND...")
@_target_option
@json_option
def judge_command(commands: tuple[str, ...], target_ollama: str | None, as_json: bool) -> int:
    r"""Judge a command line that calls Ollama, a container of it or its API. Nothing is run.

    Give it as one text in quotes; several commands, line ends, prompts and variables before them are fine, and - is stdin.

    Exit codes: 0 nothing wrong, 1 findings, 2 wrong usage.

    \b
    Examples:
      modelsmith doctor cmd 'ollama run llama3.2 --max-tokens 300'
      modelsmith doctor cmd 'OLLAMA_NUM_GPU=1 ollama serve'
      fc -ln -1 | modelsmith doctor cmd -
    """
    from modelsmith.doctor import check_command
    from modelsmith.source import Source

    text = _text("-") if commands == ("-",) else " ".join(commands)
    return _report([(Source(text, "<command>"), check_command(text, target_ollama))], as_json=as_json)


@command.command("md")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@_target_option
@json_option
def judge_markdown(files: tuple[str, ...], target_ollama: str | None, as_json: bool) -> int:
    r"""Judge the commands, settings, API requests and Modelfiles in each FILE (- is stdin).

    Markdown and plain text are searched for code: fenced blocks, `inline code`, lines that are clearly commands. Shell
    scripts, compose files, Dockerfiles and .env files are read as what they are, by their names.

    A comment on the line before a line or a block silences: <!-- modelsmith: ignore[MSD02] and the reason -->

    Exit codes: 0 nothing wrong, 1 findings, 2 wrong usage, 3 a file cannot be read.

    \b
    Examples:
      modelsmith doctor md README.md docs/*.md
      modelsmith doctor md compose.yaml start.sh
      curl -s https://example.com/how-to.md | modelsmith doctor md -
    """
    from modelsmith.cli.shared.failure import show_error
    from modelsmith.doctor import check_markdown
    from modelsmith.errors import UnreadableFile
    from modelsmith.source import Source

    lint, judged = _lint_modelfile(target_ollama), []
    failed: list[dict[str, str]] = []
    for path in files:
        try:
            source = Source(_text(path), "<stdin>" if path == "-" else path)
            judged.append((source, check_markdown(source.text, lint, target_ollama, _language(path))))
        except UnreadableFile as error:
            message = error.message if path in error.message else f"{path}: {error.message}"
            show_error(UnreadableFile(message, hint=error.hint))
            failed.append({"path": path, "message": message})
    outcome = _report(judged, as_json=as_json, failed=failed)
    return FAILED if failed else outcome


@command.command("env")
@_target_option
@json_option
def judge_environment(target_ollama: str | None, as_json: bool) -> int:
    r"""Judge the OLLAMA_* variables of this environment: unknown, misspelt, or with a value that Ollama reads otherwise.

    These are the variables that commands started here see; a service or the desktop app has its own.

    Exit codes: 0 nothing wrong, 1 findings, 2 wrong usage.

    \b
    Examples:
      modelsmith doctor env
      sudo -u ollama modelsmith doctor env --target-ollama 0.12
    """
    from modelsmith.doctor import check_environment, environment_text
    from modelsmith.source import Source

    source = Source(environment_text(os.environ), "<environment>")
    return _report([(source, check_environment(os.environ, target_ollama))], as_json=as_json)


def _lint_modelfile(target: str | None) -> Callable[[str], Iterable[Diagnostic]]:
    def lint_modelfile(text: str) -> Iterable[Diagnostic]:
        from modelsmith.lint.linter import lint

        return lint(text, target=target)

    return lint_modelfile


_SUFFIXES = {
    "shell": (".sh", ".bash", ".zsh", ".bat", ".cmd", ".fish"),
    "powershell": (".ps1",),
    "yaml": (".yml", ".yaml"),
    "python": (".py",),
    "plist": (".plist",),
    "settings": (".env", ".service", "override.conf"),
}


def _language(path: str) -> Language | None:
    """Return what a file is by its name; None for Markdown and everything else that is a text."""
    from modelsmith.doctor import Language

    name = Path(path).name.lower()
    if name.startswith(("dockerfile", "containerfile")):
        return Language.DOCKERFILE
    is_drop_in = name.endswith(".conf") and Path(path).parent.name.endswith(".service.d")
    if is_drop_in or name.startswith(".env."):
        return Language.SETTINGS
    return next((Language(kind) for kind, suffixes in _SUFFIXES.items() if name.endswith(suffixes)), None)


def _text(path: str) -> str:
    from modelsmith.cli.text.parse import read
    from modelsmith.files.text import check_stdin, read_text_file
    from modelsmith.syntax.modelfile.text import decode

    if path != "-" and Path(path).is_file():
        return decode(read_text_file(Path(path)))[0]
    data = read(path, "a text")
    check_stdin(data)
    return decode(data)[0]


def _report(
    judged: Sequence[tuple[Source, Sequence[Diagnostic]]], *, as_json: bool, failed: Sequence[dict[str, str]] = ()
) -> int:
    from modelsmith.diagnostic import Severity

    if as_json:
        findings = [_json(source, diagnostic) for source, found in judged for diagnostic in found]
        click.echo(json.dumps({"findings": findings, "failed": list(failed)}, indent=2))
    else:
        from modelsmith.cli.shared.failure import diagnostic_text

        for source, found in judged:
            for diagnostic in found:
                click.echo(f"{diagnostic_text(diagnostic, source)}\n")
        if judged or not failed:
            _sum_up(judged)
    every = [diagnostic for _, found in judged for diagnostic in found]
    return FINDINGS if any(diagnostic.severity is not Severity.INFO for diagnostic in every) else FINE


def _sum_up(judged: Sequence[tuple[Source, Sequence[Diagnostic]]]) -> None:
    from collections import Counter

    from modelsmith.diagnostic import Severity

    counts = Counter(diagnostic.severity for _, found in judged for diagnostic in found)
    said = [f"{counts[kind]} {kind}{'s'[: counts[kind] != 1 and kind != 'info']}" for kind in Severity if counts[kind]]
    click.echo(f"{', '.join(said) or 'nothing'} found", err=True)


def _json(source: Source, diagnostic: Diagnostic) -> dict[str, Any]:
    from modelsmith.doctor import CODES

    line, column = source.position(diagnostic.span.start)
    end_line, end_column = source.position(diagnostic.span.end)
    return {
        "path": source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "code": diagnostic.code,
        "name": CODES[diagnostic.code].name if diagnostic.code in CODES else diagnostic.code,
        "severity": str(diagnostic.severity),
        "message": diagnostic.message,
        "hint": diagnostic.hint,
    }
