"""The texts that are open in the editor, and how its changes are applied to them.

pygls cuts lines where Python does (at form feeds and U+2028, too), so the texts are kept here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.uris import to_fs_path

from modelsmith.cli.lsp.work import Job, parse
from modelsmith.files.binary import is_binary_name, is_binary_text
from modelsmith.lint.editor.positions import Positions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.cli.lsp.options import Options
    from modelsmith.cli.lsp.work import Language
    from modelsmith.lint.document import Document
    from modelsmith.lint.editor.positions import Unit
    from modelsmith.source import Edit, Span

MOST_CHARACTERS = 500_000
"""A longer text is linted and formatted, but nothing else is asked of it while somebody types."""

_LANGUAGES: dict[str, Language] = {
    "modelfile": "modelfile",
    "gotmpl": "gotmpl",
    "go-template": "gotmpl",
    "gohtmltmpl": "gotmpl",
    "gohtml": "gotmpl",
    "jinja": "jinja",
    "jinja2": "jinja",
    "jinja-html": "jinja",
}
_ENDINGS: dict[str, Language] = {
    ".gotmpl": "gotmpl",
    ".tmpl": "gotmpl",
    ".jinja": "jinja",
    ".jinja2": "jinja",
    ".j2": "jinja",
}


@dataclass(frozen=True)
class Text:
    """One version of an open text; ``unit`` is what the editor counts columns in."""

    uri: str
    version: int
    text: str
    language: Language
    unit: Unit

    @cached_property
    def positions(self) -> Positions:
        """Where its code points are for the editor."""
        return Positions(self.text, self.unit)

    @cached_property
    def document(self) -> Document:
        """The text as rules see it, parsed when it is first asked for."""
        return parse(self.text, self.language)

    @property
    def is_readable(self) -> bool:
        """Whether there are instructions or Go templates in it, and it is not too long to be looked at while typing."""
        return self.language != "jinja" and len(self.text) <= MOST_CHARACTERS

    @cached_property
    def is_binary(self) -> bool:
        """Whether it is no text but a binary file that was opened as one: findings are shown, edits never offered."""
        return is_binary_name(self.uri) or is_binary_text(self.text)

    @property
    def path(self) -> Path | None:
        """The file, None for a text that has none."""
        return path_of(self.uri)

    def job(self, options: Options) -> Job:
        """Return what the worker has to know."""
        return Job(self.text, self.language, self.path, options)

    def offset(self, position: types.Position) -> int:
        """Return the code point at a position of the editor."""
        return self.positions.offset(position.line, position.character)

    def range(self, span: Span) -> types.Range:
        """Return a span as the editor counts."""
        start, end = self.positions.at(span.start), self.positions.at(span.end)
        return types.Range(types.Position(*start), types.Position(*end))

    def edits(self, edits: Sequence[Edit]) -> list[types.TextEdit]:
        """Return edits as the editor counts."""
        return [types.TextEdit(self.range(edit.span), edit.text) for edit in edits]

    def changed(self, version: int, changes: Sequence[types.TextDocumentContentChangeEvent]) -> Text:
        """Return the text after changes, each of which counts in the text that the one before it left."""
        after = self
        for change in changes:
            text = change.text
            if isinstance(change, types.TextDocumentContentChangePartial):
                start = after.offset(change.range.start)
                end = max(start, after.offset(change.range.end))
                text = after.text[:start] + change.text + after.text[end:]
            after = Text(self.uri, version, text, self.language, self.unit)
        return after


def language_of(uri: str, language_id: str) -> Language:
    """Return what a text is: by what the editor says, else by its name, else a Modelfile."""
    known = _LANGUAGES.get(language_id.lower())
    if known is not None:
        return known
    name = uri.rpartition("/")[2].lower()
    return next((language for ending, language in _ENDINGS.items() if name.endswith(ending)), "modelfile")


def path_of(uri: str) -> Path | None:
    """Return the file that a URI names, None where it names none."""
    if not uri.lower().startswith("file:"):
        return None
    path = to_fs_path(uri)
    return Path(path) if path and "\0" not in path else None
