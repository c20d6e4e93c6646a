"""The parser that lark builds of ``gotemplate.lark``."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

from lark.lexer import Lexer

from modelsmith.errors import TemplateSyntaxError
from modelsmith.syntax.gotemplate_build import Builder
from modelsmith.syntax.gotemplate_scanner import Scanner
from modelsmith.syntax.lalr import Tables, UnexpectedTerminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.syntax.gotemplate_nodes import Body


_BUILDER = Builder()


class Terminals(Lexer):
    """Hands lark the terminals of the Scanner that it was given instead of a text."""

    __future_interface__ = 1

    def __init__(self, _conf: object) -> None:
        """Take nothing from lark's configuration: the terminals are only declared in the grammar."""

    def lex(self, lexer_state: Any, _parser_state: object = None) -> Iterator[Any]:
        """Yield the terminals of one text."""
        return iter(cast("Scanner", lexer_state.text).terminals())


@cache
def _tables() -> Tables:
    from modelsmith.syntax.grammar import load

    return Tables(load("gotemplate", lexer=Terminals, transformer=_BUILDER), append=_BUILDER.more)


def build(text: str) -> Body:
    """Return the tree of ``text``; raise TemplateSyntaxError, with Go's words, where Go does not accept it."""
    try:
        return cast("Body", _tables().run(Scanner(text).terminals()))
    except UnexpectedTerminal as unexpected:  # the scanner and the grammar disagree
        raise TemplateSyntaxError(
            f"template: unexpected {unexpected.terminal.type}", offset=getattr(unexpected.terminal, "start", None)
        ) from unexpected
