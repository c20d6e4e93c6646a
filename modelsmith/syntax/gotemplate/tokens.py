"""Go's tokens of one template, and what Go's parser knows while it reads them; the errors it raises.

Source of the rules: Go, ``text/template/parse/parse.go``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from modelsmith.errors import TemplateSyntaxError
from modelsmith.syntax.gotemplate.hints import hint_for
from modelsmith.syntax.gotemplate.lexer import KEYWORDS, Lexeme, lex
from modelsmith.syntax.gotemplate.literals import encode, quote, unquote, visible

if TYPE_CHECKING:
    from typing import NoReturn

_GO = ("and", "call", "html", "index", "slice", "js", "len", "not", "or", "print", "printf", "println", "urlquery")
_OLLAMA = ("json", "currentDate", "yesterdayDate", "toTypeScriptType")
FUNCTIONS = frozenset((*_GO, "eq", "ge", "gt", "le", "lt", "ne", *_OLLAMA))
MAX_DEPTH = 10_000  # of parentheses, as in Go, and of open tags, where Go stops when its stack fills a gigabyte
_NAMED = frozenset(word.upper() for word in KEYWORDS) | {"DOT"}


class Mark:
    """A terminal that is no node: a tag, a delimiter, a sign."""

    __slots__ = ("end", "name", "name_start", "start", "type")
    # what lark wants to know of the last token
    line: ClassVar[int] = 0
    column: ClassVar[int] = 0
    end_line: ClassVar[int] = 0
    end_column: ClassVar[int] = 0
    start_pos: ClassVar[int] = 0
    end_pos: ClassVar[int] = 0

    def __init__(self, kind: str, start: int, end: int, name: str = "", name_start: int = 0) -> None:
        self.type = kind
        self.start = start
        self.end = end
        self.name = name
        self.name_start = name_start


@dataclass(slots=True)
class Reading:
    """What Go's parser knows of the template it is in, the root or a definition, while it reads it."""

    name: str = ""
    range_depth: int = 0
    action_start: int | None = None
    is_empty: bool = True
    declared: list[str] = field(default_factory=list)
    _known: Counter[str] = field(default_factory=lambda: Counter(("$",)))

    def declare(self, name: str) -> None:
        """Take note of a variable."""
        self.declared.append(name)
        self._known[name] += 1

    def forget(self, mark: int) -> None:
        """Forget all but the first ``mark`` variables."""
        if len(self.declared) > mark:
            self._known.subtract(self.declared[mark:])
            del self.declared[mark:]

    def knows(self, name: str) -> bool:
        """Say whether a variable is declared."""
        return self._known[name] > 0


class Tokens:
    """The tokens of one text; ``reading`` is the template they belong to, ``trim`` whether the text that follows is."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.stream = lex(text)
        self.reading = Reading()
        self.trim = False

    def next(self) -> Lexeme:
        """Return the next token."""
        return next(self.stream)

    def close(self, context: str) -> Lexeme:
        """Return the next token, which must be the end of the action."""
        return self.closed(next(self.stream), context)

    def closed(self, token: Lexeme, context: str) -> Lexeme:
        """Take ``token`` for the end of the action."""
        if token.kind != "CLOSE":
            self.unexpected(token, context)
        self.trim = token.end - token.start == 4
        return token

    def unquoted(self, token: Lexeme) -> str:
        """Return what a string literal means."""
        try:
            return unquote(self.text[token.start : token.end])
        except ValueError as wrong:
            self.error(str(wrong), token.start)

    def error(self, message: str, offset: int) -> NoReturn:
        """Raise what Go says, with the line that ``offset`` is in."""
        line = 1 + self.text.count("\n", 0, offset)
        hint = hint_for(message, FUNCTIONS)
        raise TemplateSyntaxError(visible(f"template: :{line}: {message}"), line=line, offset=offset, hint=hint)

    def unexpected(self, token: Lexeme, context: str) -> NoReturn:
        """Raise what Go says of a token in the wrong place, or of one that is none."""
        if token.kind == "ERROR":
            extra, begin = "", self.reading.action_start
            if begin is not None and self.text.count("\n", begin, token.start):
                extra = f" in action started at :{1 + self.text.count(chr(10), 0, begin)}"
                if token.error.endswith(" action"):
                    extra = extra.removeprefix(" in action")
            self.error(token.error + extra, token.start)
        if token.kind == "EOF":
            self.error("unexpected EOF", token.start)
        self.error(f"unexpected {self._shown(token)} in {context}", token.place)

    def _shown(self, token: Lexeme) -> str:
        written = self.text[token.start : token.end]
        if token.kind == "CLOSE":
            written = "}}"
        elif token.kind == "FIELD":
            written = "." + written.split(".", 2)[1]
        elif token.kind == "VARIABLE":
            written = written.partition(".")[0]
        if token.kind in _NAMED:
            return f"<{written}>"
        return quote(written) if len(encode(written)) <= 10 else f"{quote(written[:10])}..."
