"""``modelsmith parse``: Modelfiles as Ollama reads them."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.shared.options import json_option
from modelsmith.errors import ModelsmithError, UnreadableFile

if TYPE_CHECKING:
    from modelsmith.syntax.modelfile.modelfile import Modelfile
    from modelsmith.syntax.modelfile.reading import OllamaReading

FINE, REFUSED, FAILED = 0, 1, 3


@click.command("parse")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--target-ollama", metavar="VERSION", help="Read as this version of Ollama does. Default: the newest known."
)
@click.option("--no-request", is_flag=True, help="Do not look for the files that FROM, ADAPTER and DRAFT name.")
@json_option
def command(files: tuple[str, ...], target_ollama: str | None, no_request: bool, as_json: bool) -> int:
    r"""Print what Ollama reads of each FILE (- is stdin) and the create request it makes, or why it refuses.

    With --json one object a file and line: path, commands (name and args) or error (message and line), and request, or
    request_error where the commands are fine and the request is not. Files that FROM names are hashed for it.

    Exit codes: 0 all accepted, 1 a file is refused, 3 a file cannot be read.

    \b
    Examples:
      modelsmith parse Modelfile
      modelsmith parse models/*/Modelfile --json | jq -r 'select(.error) | .path'
    """
    worst = FINE
    for path in files:
        try:
            parsed = Parsed.of(path, target_ollama)
        except UnreadableFile as error:
            from modelsmith.cli.shared.failure import show_error

            show_error(error)
            if as_json:
                click.echo(json.dumps({"path": path, "failed": error.message}))
            worst = FAILED
            continue
        outcome = parsed.as_json(no_request) if as_json else parsed.as_text(no_request)
        worst = max(worst, outcome)
    return worst


@dataclass(frozen=True, slots=True)
class Parsed:
    """One file, read."""

    path: str
    modelfile: Modelfile
    reading: OllamaReading

    @classmethod
    def of(cls, path: str, version: str | None) -> Parsed:
        """Read one file; raises UnreadableFile."""
        from modelsmith.syntax.modelfile.modelfile import Modelfile

        modelfile = Modelfile.parse(read(path))
        return cls(path, modelfile, modelfile.as_ollama(version))

    @property
    def folder(self) -> Path:
        """Where relative paths start: beside the file, or here for stdin."""
        return Path.cwd() if self.path == "-" else Path(self.path).absolute().parent

    def as_json(self, no_request: bool) -> int:
        """Print one line of JSON."""
        body: dict[str, Any] = {"path": self.path}
        if error := self.reading.error:
            body["error"] = {"message": error.message, "line": error.line}
        else:
            body["commands"] = [modelfile_command._asdict() for modelfile_command in self.reading.commands or ()]
            if not no_request:
                try:
                    body["request"] = self._request().to_body()
                except ModelsmithError as refusal:
                    body["request_error"] = refusal.message
        click.echo(json.dumps(body))
        return REFUSED if {"error", "request_error"} & body.keys() else FINE

    def as_text(self, no_request: bool) -> int:
        """Print a listing for people, findings on stderr."""
        from modelsmith.cli.text.parse_view import show_commands, show_refusal

        if self.reading.error is not None:
            show_refusal(self.path, self.modelfile, self.reading.error)
            return REFUSED
        refusal, request = None, None
        if not no_request:
            try:
                request = self._request()
            except ModelsmithError as error:
                refusal = error
        show_commands(self.path, self.modelfile, request)
        if refusal is not None:
            from modelsmith.cli.shared.failure import printable, show_error

            click.echo(
                f"{printable(self.path)}: {click.style('Ollama refuses the request:', fg='red', bold=True)}", err=True
            )
            show_error(refusal)
        return REFUSED if refusal else FINE

    def _request(self) -> Any:
        from modelsmith.syntax.modelfile.request import resolve

        return resolve(self.reading, self.folder)


def read(path: str, what: str = "a Modelfile") -> bytes:
    """Return the bytes of a file, or of stdin for ``-``; raises UnreadableFile, whose hint says ``what`` is read."""
    if path == "-":
        return b"" if sys.stdin is None else sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except FileNotFoundError as error:
        raise UnreadableFile(f"{path} does not exist", hint=f"name {what}, or - for stdin") from error
    except IsADirectoryError as error:
        raise UnreadableFile(
            f"{path} is a directory",
            hint=f"name the file in it: {Path(path) / 'Modelfile'}"
            if what == "a Modelfile"
            else "name the files in it",
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableFile(f"{path} cannot be read: {reason}", hint="check its permissions") from error
