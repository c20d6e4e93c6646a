"""The parser that lark builds of ``gotemplate.lark``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from lark.exceptions import UnexpectedToken
from lark.lexer import Lexer

from modelsmith.errors import TemplateSyntaxError
from modelsmith.syntax.gotemplate_build import Builder
from modelsmith.syntax.gotemplate_scanner import Scanner

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
        return cast("Scanner", lexer_state.text).terminals()


def build(text: str) -> Body:
    """Return the tree of ``text``; raise TemplateSyntaxError, with Go's words, where Go does not accept it."""
    from modelsmith.syntax.grammar import load

    parser = load("gotemplate", lexer=Terminals, transformer=_BUILDER)
    try:
        return cast("Body", parser.parse(cast("str", Scanner(text))))
    except UnexpectedToken as unexpected:  # the scanner and the grammar disagree
        raise TemplateSyntaxError(
            f"template: unexpected {unexpected.token.type}", offset=unexpected.token.start
        ) from unexpected
