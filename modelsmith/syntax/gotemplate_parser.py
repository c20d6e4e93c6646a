"""The parser of ``gotemplate.lark``."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

from modelsmith.errors import TemplateSyntaxError
from modelsmith.syntax.gotemplate_build import Builder
from modelsmith.syntax.gotemplate_scanner import Scanner
from modelsmith.syntax.lalr import Tables, UnexpectedTerminal

if TYPE_CHECKING:
    from modelsmith.syntax.gotemplate_nodes import Body


_BUILDER = Builder()


@cache
def _tables() -> Tables:
    from modelsmith.syntax.grammar import load

    return Tables(load("gotemplate", declared=True), _BUILDER, _BUILDER.more)


def build(text: str) -> Body:
    """Return the tree of ``text``; raise TemplateSyntaxError, with Go's words, where Go does not accept it."""
    try:
        return cast("Body", _tables().run(Scanner(text).terminals()))
    except UnexpectedTerminal as unexpected:  # the scanner and the grammar disagree
        raise TemplateSyntaxError(
            f"template: unexpected {unexpected.terminal.type}", offset=getattr(unexpected.terminal, "start", None)
        ) from unexpected
