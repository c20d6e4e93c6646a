"""``modelsmith edit``: change a Modelfile, or a model of a store, from the command line or in an editor."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.complete import complete_models_or_files
from modelsmith.cli.shared.options import json_option, store_option
from modelsmith.cli.shared.streams import declined
from modelsmith.errors import UnreadableFile, UsageError

if TYPE_CHECKING:
    from modelsmith.syntax.modelfile.modelfile import Modelfile


@click.command("edit")
@click.argument("target", metavar="FILE|NAME", shell_complete=complete_models_or_files)
@click.option(
    "--set", "sets", multiple=True, metavar="KEY=VALUE", help="Set a parameter or an instruction; repeatable."
)
@click.option("--append", "appends", multiple=True, metavar="KEY=VALUE", help="Add a value to stop or LICENSE.")
@click.option("--unset", "unsets", multiple=True, metavar="KEY", help="Remove a parameter or an instruction.")
@click.option("--editor", is_flag=True, help="Open $EDITOR on the Modelfile.")
@store_option
@click.option("--dry-run", is_flag=True, help="Show the difference. Changes nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
def command(
    target: str,
    sets: tuple[str, ...],
    appends: tuple[str, ...],
    unsets: tuple[str, ...],
    editor: bool,
    where: str | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> int:
    r"""Change a Modelfile, or a stored model: the difference is shown, linted, and then written.

    KEY is a parameter (temperature, stop …) or an instruction in capitals (SYSTEM, TEMPLATE, LICENSE, RENDERER, PARSER,
    REQUIRES, FROM). A VALUE that begins with @ is read from that file. In a file every other byte stays as it is. An
    existing file wins over a model of the same name.

    \b
    Exit codes: 0 fine or nothing to do, 1 not confirmed, 2 wrong usage, 3 failed.

    \b
    Examples:
      modelsmith edit Modelfile --set temperature=0.6 --append stop="<|end|>"
      modelsmith edit mario --set SYSTEM="You are Luigi." --unset num_ctx --yes
      modelsmith edit mario --editor
    """
    from modelsmith.cli.models.changes import changed

    if not (sets or appends or unsets or editor):
        raise UsageError("nothing to change", hint="say what with --set, --append or --unset, or open --editor")
    path = Path(target)
    subject = _FileSubject(path) if path.is_file() else _ModelSubject(target, where)
    before = subject.modelfile
    after = changed(before, sets=sets, appends=appends, unsets=unsets)
    if editor:
        after = _in_editor(after)
    subject.check(after)
    difference = _difference(before, after, subject.title)
    same = str(after) == str(before)
    if not as_json:
        click.echo(difference or "no changes", nl=not difference)
        _lint(after, subject.title)
    if not dry_run:
        subject.tidy()
    if not (dry_run or same):
        if declined(f"Write {subject.title}?", yes=yes):
            return 1
        subject.write(after)
    if as_json:
        click.echo(
            json.dumps(
                {"target": subject.title, "changed": not same, "written": not (dry_run or same), "diff": difference}
            )
        )
    elif not (dry_run or same):
        click.echo(f"{click.style('changed', fg='green')} {subject.title}")
    return 0


class _FileSubject:
    """A Modelfile on the disk."""

    def __init__(self, path: Path) -> None:
        from modelsmith.files.text import check_length, read_text_file
        from modelsmith.syntax.modelfile.modelfile import Modelfile

        self._path = path
        self._data = read_text_file(path)
        check_length(self._data, str(path), "edit it in an editor of texts")
        self.title = str(path)
        self.modelfile = Modelfile.parse(self._data)

    def check(self, after: Modelfile) -> None:
        """Take any text: a Modelfile that Ollama refuses can be edited, too."""

    def tidy(self) -> None:
        """Leave the folder as it is."""

    def write(self, after: Modelfile) -> None:
        """Replace the file's text."""
        from modelsmith.files.text import rewrite

        rewrite(self._path, self._data, bytes(after))


class _ModelSubject:
    """A model of a store, by its portable Modelfile."""

    def __init__(self, name: str, where: str | None) -> None:
        from modelsmith.models.portable import portable_modelfile
        from modelsmith.name import ModelName
        from modelsmith.store.open import open_existing_store

        if name.startswith((".", "/", "~")) or name.lower().endswith(".modelfile"):
            raise UnreadableFile(f"there is no file {name}", hint="name an existing Modelfile, or a model of the store")
        self._store = open_existing_store(where)
        self._model = self._store.show(ModelName.strict(name))
        self.title = self._model.name.short
        self.modelfile = portable_modelfile(self._model)

    def check(self, after: Modelfile) -> None:
        """Raise what Ollama, or the store, would refuse."""
        from modelsmith.models.build import request_of
        from modelsmith.models.portable import recreating_modelfile

        request_of(recreating_modelfile(self._model, after), Path.cwd(), source=self.title)

    def tidy(self) -> None:
        """Remove what a killed run left in the store."""
        from modelsmith.store.open import tidied

        tidied(self._store)

    def write(self, after: Modelfile) -> None:
        """Create the model anew."""
        from modelsmith.cli.shared.progress import progress_bars
        from modelsmith.models.build import request_of
        from modelsmith.models.portable import recreating_modelfile

        request = request_of(recreating_modelfile(self._model, after), Path.cwd(), source=self.title)
        with progress_bars() as progress:
            self._store.create(self._model.name, request, progress=progress)


def _in_editor(modelfile: Modelfile) -> Modelfile:
    edited = click.edit(str(modelfile), extension=".Modelfile")
    return modelfile if edited is None else type(modelfile).from_text(edited, modelfile.encoding)


def _difference(before: Modelfile, after: Modelfile, title: str) -> str:
    from modelsmith.cli.shared.failure import printable

    lines = []
    for line in difflib.unified_diff(
        str(before).splitlines(), str(after).splitlines(), f"{title} (before)", f"{title} (after)", lineterm=""
    ):
        colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
        lines.append(click.style(printable(line), fg=colour))
    return "".join(f"{line}\n" for line in lines)


def _lint(modelfile: Modelfile, title: str) -> None:
    from modelsmith.cli.shared.failure import show_diagnostic
    from modelsmith.diagnostic import Severity
    from modelsmith.lint.linter import lint
    from modelsmith.source import Source

    source = Source(str(modelfile), title)
    for diagnostic in lint(modelfile):
        if diagnostic.severity is not Severity.INFO:
            show_diagnostic(diagnostic, source)
