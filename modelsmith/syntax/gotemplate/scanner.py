"""The terminals of ``gotemplate.lark``, made of Go's tokens.

Go's parser goes from left to right and stops at the first thing it does not like, be it a token in the wrong place, a name
nobody defined or a number that is none. The scanner walks the tokens in the same order, keeps the few things such errors
depend on (open tags, declared variables, where in a pipeline we are), and raises them in Go's words.
Source of the rules: Go, ``text/template/parse/parse.go``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from modelsmith.syntax.gotemplate.lexer import SPACE, Lexeme, trims_left
from modelsmith.syntax.gotemplate.literals import SPACES, quote
from modelsmith.syntax.gotemplate.nodes import Break, Comment, Continue, Node, Text
from modelsmith.syntax.gotemplate.pipeline import PipelineScanner
from modelsmith.syntax.gotemplate.tokens import MAX_DEPTH, Mark, Reading, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable


_new = tuple.__new__  # a named tuple's own __new__ takes twice as long


@dataclass(slots=True)
class _Open:
    """A tag that waits for its end."""

    kind: str
    variables: int
    has_else: bool = False
    reported_at: int | None = None  # where Go is, in its own eyes, while it reads a block


class Scanner:
    """One walk over one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = Tokens(text)
        self._terminals: list[Node | Lexeme | Mark] = []
        self._emit = self._terminals.append
        self._pipeline = PipelineScanner(self._tokens, self._emit).scan
        self._outer: list[Reading] = []
        self._open: list[_Open] = []
        self._empty: dict[str, bool] = {}  # definitions, and whether they hold nothing but space

    def terminals(self) -> list[Node | Lexeme | Mark]:
        """Return the terminals up to EOF; raise TemplateSyntaxError where Go's parser stops."""
        for token in self._tokens.stream:
            kind = token.kind
            if kind == "TEXT":
                self._emit(self._text_node(token))
            elif kind == "OPEN":
                self._action(token)
            elif kind == "COMMENT":
                self._tokens.trim = self._text.startswith("-}}", token.end - 3)
                self._emit(Comment(token.start, token.end))
            elif kind == "EOF":
                if self._open:
                    self._tokens.unexpected(token, "input")
                self._add("", token.start)
                self._emit(token)
            else:
                self._tokens.unexpected(token, "input")
        return self._terminals

    def _text_node(self, token: Lexeme) -> Text:
        _, start, end, _ = token
        value = self._text[start:end]
        tokens = self._tokens
        if tokens.trim:
            value = value.lstrip(SPACE)
            tokens.trim = False
        if trims_left(self._text, end + 2):
            value = value.rstrip(SPACE)
        if tokens.reading.is_empty and value.strip(SPACES):
            tokens.reading.is_empty = False
        return Text(start, end, value)

    def _action(self, opening: Lexeme) -> None:
        tree = self._tokens.reading
        start = tree.action_start = opening.start
        token = self._tokens.next()
        kind = token.kind
        begin = self._TAGS.get(kind)
        if begin is not None:
            begin(self, start, token)
            return
        tree.is_empty = False
        self._emit(opening)
        self._pipeline("command", token)
        tree.action_start = None

    def _tag(self, kind: str, start: int, end: int) -> None:
        """Emit a tag, or the part of it that comes before its pipeline."""
        self._emit(_new(Lexeme, (kind, start, end, "")))

    def _branch(self, start: int, token: Lexeme) -> None:
        tree, kind = self._tokens.reading, token.kind
        tree.is_empty = False
        self._push(_Open(kind, len(tree.declared)), token)
        self._tag(kind, start, token.end)
        self._pipeline(kind.lower(), self._tokens.next())
        if kind == "RANGE":
            tree.range_depth += 1

    def _push(self, tag: _Open, token: Lexeme) -> None:
        self._open.append(tag)
        if len(self._open) > MAX_DEPTH:
            self._tokens.error(f"more than {MAX_DEPTH} tags, one in the other", token.start)

    def _jump(self, start: int, token: Lexeme) -> None:
        word = token.kind.lower()
        close = self._tokens.close("{{" + word + "}}")
        if not self._tokens.reading.range_depth:
            self._tokens.error("{{" + word + "}} outside {{range}}", close.place)
        self._tokens.reading.action_start, self._tokens.reading.is_empty = None, False
        self._emit((Break if word == "break" else Continue)(start, close.end))

    def _else(self, start: int, _token: Lexeme) -> None:
        tree = self._tokens.reading
        token = self._tokens.next()
        chained = token.kind in ("IF", "WITH")
        if not chained:
            self._tokens.closed(token, "else")
        tag = self._open[-1] if self._open else None
        if tag is None:
            self._tokens.error("unexpected {{else}}", token.place)
        if tag.kind in ("DEFINE", "BLOCK"):
            place = token.place if tag.reported_at is None else tag.reported_at
            self._tokens.error("unexpected {{else}} in " + f"{tag.kind.lower()} clause", place)
        if tag.has_else:
            self._tokens.error("expected end; found {{else}}", token.place)
        tree.action_start = None
        if tag.kind == "RANGE":
            tree.range_depth -= 1
        if not chained:
            tag.has_else = True
            self._tag("ELSE", start, token.end)
            return
        if token.kind != tag.kind:
            self._tokens.unexpected(token, "input")
        self._tag(f"ELSE_{token.kind}", start, token.end)
        self._pipeline(token.kind.lower(), self._tokens.next())

    def _end(self, start: int, _token: Lexeme) -> None:
        close = self._tokens.close("end")
        if not self._open:
            self._tokens.error("unexpected {{end}}", close.place)
        tag = self._open.pop()
        if tag.kind == "RANGE" and not tag.has_else:
            self._tokens.reading.range_depth -= 1
        if tag.kind in ("DEFINE", "BLOCK"):
            self._add(self._tokens.reading.name, close.place)
            self._tokens.reading = self._outer.pop()
        self._tokens.reading.forget(tag.variables)
        self._tokens.reading.action_start = None
        self._tag("END", start, close.end)

    def _add(self, name: str, offset: int) -> None:
        """Enter the tree that ends here under its name; one that is empty never replaces one that is not."""
        if not self._empty.get(name, True):
            if not self._tokens.reading.is_empty:
                self._tokens.error(f"template: multiple definition of template {quote(name)}", offset)
            return
        self._empty[name] = self._tokens.reading.is_empty

    def _name(self, context: str) -> tuple[str, Lexeme]:
        token = self._tokens.next()
        if token.kind != "STRING":
            self._tokens.unexpected(token, context)
        return self._tokens.unquoted(token), token

    def _define(self, start: int, token: Lexeme) -> None:
        if self._open:
            self._tokens.unexpected(token, "command")
        self._outer.append(self._tokens.reading)
        # the outer template is not in an action while this one is read
        self._tokens.reading.action_start = None
        self._tokens.reading = Reading()
        self._tokens.reading.name, name = self._name("define clause")
        close = self._tokens.close("define clause")
        self._push(_Open("DEFINE", len(self._outer[-1].declared)), token)
        self._emit(Mark("DEFINE", start, close.end, self._tokens.reading.name, name.start))

    def _block(self, start: int, token: Lexeme) -> None:
        self._tokens.reading.is_empty = False
        name, name_token = self._name("block clause")
        self._emit(Mark("BLOCK", start, name_token.end, name, name_token.start))
        close = self._pipeline("block clause", self._tokens.next())
        self._push(_Open("BLOCK", len(self._tokens.reading.declared), reported_at=close.place), token)
        self._outer.append(self._tokens.reading)
        self._tokens.reading = Reading(name)

    def _call(self, start: int, _token: Lexeme) -> None:
        self._tokens.reading.is_empty = False
        name, name_token = self._name("template clause")
        self._emit(Mark("TEMPLATE", start, name_token.end, name, name_token.start))
        token = self._tokens.next()
        if token.kind == "CLOSE":
            self._tokens.closed(token, "template clause")
            self._emit(token)
        else:
            self._pipeline("template clause", token)
        self._tokens.reading.action_start = None

    _TAGS: ClassVar[dict[str, Callable[[Scanner, int, Lexeme], None]]] = {
        "IF": _branch,
        "WITH": _branch,
        "RANGE": _branch,
        "ELSE": _else,
        "END": _end,
        "DEFINE": _define,
        "BLOCK": _block,
        "TEMPLATE": _call,
        "BREAK": _jump,
        "CONTINUE": _jump,
    }
