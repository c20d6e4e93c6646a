"""The instructions of a Modelfile, one row each.

Sources: Ollama ``parser/parser.go`` (``isValidCommand``) at its release tags; the order is that of ``ollama show --modelfile``.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from modelsmith.patterns import regex
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping


class Shape(StrEnum):
    """What stands between the keyword and the value; the values are terminals of the grammar."""

    PLAIN = "KEYWORD"
    NAMED = "PARAMETER"
    SPOKEN = "MESSAGE"


@dataclass(frozen=True, slots=True)
class Row:
    """``command`` is Ollama's word for it; ``rank`` its usual place in a file; ``named_as`` its place in Ollama's error.

    ``noted``: Ollama keeps it as a text under the command's name in a model's config, takes it in requests and shows it under that
    name, and a model made from another one inherits it.
    """

    keyword: str
    command: str
    rank: int
    named_as: int
    shape: Shape = Shape.PLAIN
    is_list: bool = False
    noted: bool = False
    since: str = ""


_ROWS = (
    Row("FROM", "model", 0, 0),
    Row("REQUIRES", "requires", 1, 10, noted=True, since="0.14.0"),
    Row("ADAPTER", "adapter", 2, 4),
    Row("DRAFT", "draft", 3, 5, since="0.23.1"),
    Row("TEMPLATE", "template", 4, 2),
    Row("SYSTEM", "system", 5, 3),
    Row("RENDERER", "renderer", 6, 6, noted=True, since="0.12.0"),
    Row("PARSER", "parser", 7, 7, noted=True, since="0.12.0"),
    Row("PARAMETER", "parameter", 8, 8, Shape.NAMED, is_list=True),
    Row("LICENSE", "license", 9, 1, is_list=True),
    Row("MESSAGE", "message", 10, 9, Shape.SPOKEN, is_list=True),
)
INSTRUCTIONS: Mapping[str, Row] = MappingProxyType({row.keyword: row for row in _ROWS})
"""Every instruction, by its keyword in capitals; Ollama accepts any case."""

DOCUMENTED = frozenset({"CAPABILITY"})
"""Instructions that Ollama's documentation lists and no release up to 0.33 has."""
NOTED: Mapping[str, str] = MappingProxyType(
    {row.command: row.keyword for row in sorted(_ROWS, key=lambda row: row.named_as) if row.noted}
)
"""The instructions that are texts in a model's config: the keyword of each command, in the order of the config's keys."""


class HasNoted:
    """What has the texts of a model's config: ``noted``, by command; those that much depends on have names here."""

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def noted(self) -> Mapping[str, str]:
            """The texts by command; one that is missing is ""."""

    @property
    def renderer(self) -> str:
        """RENDERER, "" where there is none."""
        return self.noted.get("renderer", "")

    @property
    def parser(self) -> str:
        """PARSER, "" where there is none."""
        return self.noted.get("parser", "")

    @property
    def requires(self) -> str:
        """REQUIRES, "" where there is none."""
        return self.noted.get("requires", "")


ROLES = ("system", "user", "assistant")
"""The roles that MESSAGE accepts, in exactly this spelling."""


def invalid_command(rows: tuple[Row, ...] = _ROWS) -> str:
    """Return Ollama's sentence for a word that is none of these instructions."""
    words = [f'"{row.keyword.lower()}"' for row in sorted(rows, key=lambda row: row.named_as)]
    return f"command must be one of {', '.join(words[:-1])}, or {words[-1]}"


_IDENTIFIER = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_SEMVER = regex(
    rf"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*)(?:-{_IDENTIFIER}(?:\.{_IDENTIFIER})*)?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?)?)?"
)


def required_version(value: str) -> str | None:
    """Return what REQUIRES asks for without its optional ``v``, None where it is no version (``golang.org/x/mod/semver``)."""
    version = value.removeprefix("v")
    return version if _SEMVER.fullmatch(version) else None
