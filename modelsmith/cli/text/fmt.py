"""``modelsmith fmt``: Modelfiles and templates in one layout."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.failure import printable
from modelsmith.cli.shared.options import json_option
from modelsmith.errors import BinaryFile, ModelsmithError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

FINE, FOUND, FAILED = 0, 1, 3


@click.command("fmt")
@click.argument("paths", nargs=-1, metavar="[FILE|FOLDER]...")
@click.option("--check", is_flag=True, help="Write nothing; list the files that would change, and exit with 1.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change, and exit with 1.")
@click.option(
    "--templates", is_flag=True, help="Format inside the {{ }} of TEMPLATE too; always done in .gotmpl files."
)
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Pass by files and folders of this name; repeatable.")
@click.option("--stdin-filename", default="", metavar="NAME", help="What the text on stdin is: x.gotmpl is a template.")
@json_option
def command(
    paths: tuple[str, ...],
    check: bool,
    diff: bool,
    templates: bool,
    exclude: tuple[str, ...],
    stdin_filename: str,
    as_json: bool,
) -> int:
    r"""Give each FILE, and all Modelfiles and templates in each FOLDER (default: this one), one layout.

    What Ollama reads stays the same, and so do comments and every value; a file is written only when that has been
    checked. With - the text on stdin is formatted to stdout.

    Exit codes: 0 fine, 1 files would change (--check, --diff), 2 wrong usage, 3 a file cannot be read or formatted.

    \b
    Examples:
      modelsmith fmt Modelfile
      modelsmith fmt --check models
      modelsmith fmt --diff --templates Modelfile
      modelsmith fmt - < Modelfile
    """
    if stdin_filename and not paths:
        paths = ("-",)
    if "-" in paths and len(paths) > 1:
        raise UsageError("- stands for stdin and goes alone", hint="format files and stdin in two calls")
    dry = check or diff
    count: Counter[str] = Counter()
    for result in _stdin(stdin_filename, templates) if paths == ("-",) else _files(paths, exclude, templates):
        finished = result if dry or result.is_stdin else result.written()
        count[finished.status] += 1
        finished.show(dry=dry, diff=diff, as_json=as_json)
    if paths != ("-",) and not as_json:
        _show_count(count, dry=dry)
    if count["failed"]:
        return FAILED
    return FOUND if dry and count["changed"] else FINE


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one file: its bytes ``before`` and ``after``, or the error."""

    path: str
    before: bytes = b""
    after: bytes = b""
    error: ModelsmithError | None = None
    is_stdin: bool = False

    @classmethod
    def of(cls, path: str, data: bytes, *, templates: bool, is_stdin: bool = False) -> Result:
        """Format the bytes of one file; ``path`` says what it is."""
        from modelsmith.files.text import check_length
        from modelsmith.fmt.format import format_bytes
        from modelsmith.template.allowance import allow

        try:
            check_length(data, "the file", "leave it out with --exclude")
            with allow():
                after = format_bytes(data, path, templates=templates)
            return cls(path, data, after, is_stdin=is_stdin)
        except ModelsmithError as error:
            return cls(path, data, data, error, is_stdin)

    @property
    def status(self) -> str:
        """One of ``failed``, ``changed`` and ``unchanged``."""
        if self.error:
            return "failed"
        return "changed" if self.before != self.after else "unchanged"

    def written(self) -> Result:
        """Write what changed into the file, and return what came of that."""
        from modelsmith.files.text import rewrite

        if self.status == "changed":
            try:
                rewrite(Path(self.path), self.before, self.after)
            except ModelsmithError as error:
                return Result(self.path, self.before, self.before, error)
        return self

    def show(self, *, dry: bool, diff: bool, as_json: bool) -> None:
        """Print what is asked for: results on stdout, messages on stderr."""
        from modelsmith.cli.text.fmt_view import show_difference, show_failure

        if as_json:
            said = {"message": self.error.message, "hint": self.error.hint} if self.error else {}
            click.echo(json.dumps({"path": self.path, "status": self.status, **said}))
        elif self.error:
            show_failure(self.path, self.error)
        elif diff and self.status == "changed":
            show_difference(self.path, self.before, self.after)
        elif self.is_stdin and not dry:
            click.echo(self.after, nl=False)
        elif self.status == "changed":
            click.echo(printable(f"{'would reformat' if dry else 'reformatted'} {self.path}"), err=True)


def _stdin(name: str, templates: bool) -> Iterator[Result]:
    from modelsmith.files.text import check_stdin

    data = b"" if sys.stdin is None else sys.stdin.buffer.read()
    check_stdin(data)
    yield Result.of(name or "<stdin>", data, templates=templates, is_stdin=True)


def _files(paths: tuple[str, ...], exclude: tuple[str, ...], templates: bool) -> Iterator[Result]:
    from modelsmith.cli.shared.find_files import find_files
    from modelsmith.files.text import read_text_file

    refused: list[ModelsmithError] = []
    named = {Path(path) for path in paths}
    for path in find_files(paths or (".",), exclude=exclude, refused=refused.append):
        try:
            yield Result.of(str(path), read_text_file(path), templates=templates)
        except ModelsmithError as error:
            if isinstance(error, BinaryFile) and path not in named:
                click.echo(printable(f"passed by: {error.message}"), err=True)
            else:
                refused.append(error)
        yield from (Result("", error=error) for error in refused)
        refused.clear()
    yield from (Result("", error=error) for error in refused)


def _show_count(count: Counter[str], *, dry: bool) -> None:
    would = "would be " if dry else ""
    words = {"changed": f"{would}reformatted", "unchanged": f"{would}left unchanged", "failed": "cannot be formatted"}
    parts = [
        f"{count[word]} file{'s' if count[word] != 1 else ''} {said}" for word, said in words.items() if count[word]
    ]
    click.echo(", ".join(parts) or "no Modelfiles or templates found", err=True)
