"""Pipelines: the terminals between a tag, or ``{{``, and ``}}``.

Source of the rules: Go, ``text/template/parse/parse.go`` (pipeline, command, operand, term).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.syntax.gotemplate.lexer import Lexeme
from modelsmith.syntax.gotemplate.literals import number, quote, rune
from modelsmith.syntax.gotemplate.nodes import Bool, Dot, Field, Identifier, Nil, Node, Number, String, Variable
from modelsmith.syntax.gotemplate.tokens import FUNCTIONS, MAX_DEPTH, Mark

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.syntax.gotemplate.tokens import Tokens

_LITERALS = frozenset(("BOOL", "DOT", "NIL", "NUMBER", "RUNE", "STRING"))
_NOTHING = Lexeme("", -1, -1)
_OPERANDS = _LITERALS | {"IDENTIFIER", "FIELD", "VARIABLE"}


class PipelineScanner:
    """Scans the pipelines of one text."""

    def __init__(self, tokens: Tokens, emit: Callable[[Node | Lexeme | Mark], None]) -> None:
        self._tokens = tokens
        self._emit = emit

    def scan(self, context: str, token: Lexeme) -> Lexeme:
        """Emit the terminals of a pipeline and the CLOSE behind it, and return that; ``token`` is its first."""
        text, stream, emit = self._tokens.text, self._tokens.stream, self._emit
        outer: list[tuple[str, int, int, int]] = []  # of the parentheses that we are in
        stage, operands, misplaced = 1, 0, 0
        at_start, previous = True, _NOTHING
        while True:
            kind, start, end, _ = token
            if at_start:
                at_start = False
                if kind == "VARIABLE" and "." not in text[start:end]:
                    token, pending = self._declaration(context, token)
                    if pending is None:
                        continue
                    emit(Variable(pending.start, pending.end, (text[pending.start : pending.end],)))
                    operands, previous = 1, pending
                    continue
            glued = start == previous.end
            if kind in _OPERANDS:
                if glued:
                    if kind != "FIELD":
                        self._tokens.unexpected(token, "operand")
                    if previous.kind in _LITERALS:
                        self._tokens.error(
                            f"unexpected . after term {quote(text[previous.start : previous.end])}", start
                        )
                    emit(Mark("CHAINED", start, end, text[start + 1 : end]))
                else:
                    if not operands and stage > 1 and kind in _LITERALS:
                        misplaced = misplaced or stage
                    operands += 1
                    emit(self._operand(kind, start, end))
                previous = token
            elif kind == "PIPE" and operands:
                emit(Mark("_PIPE", start, end))
                stage, operands = stage + 1, 0
            elif kind == "LPAR" and not glued:
                if len(outer) >= MAX_DEPTH:
                    self._tokens.error("max expression depth exceeded", start)
                outer.append((context, stage, operands + 1, misplaced))
                context, stage, operands, misplaced = "parenthesized pipeline", 1, 0, 0
                at_start, previous = True, _NOTHING
                emit(token)
            elif kind == "CLOSE" or (kind == "RPAR" and outer):
                if stage == 1 and not operands:
                    self._tokens.error(f"missing value for {context}", token.place)
                if misplaced:
                    self._tokens.error(f"non executable command in pipeline stage {misplaced}", token.place)
                emit(token)
                if kind == "CLOSE":
                    return self._tokens.closed(token, context)
                context, stage, operands, misplaced = outer.pop()
                previous = token
            else:
                self._tokens.unexpected(token, "operand" if operands else context)
            token = next(stream)

    def _declaration(self, context: str, token: Lexeme) -> tuple[Lexeme, Lexeme | None]:
        """Read ``$x :=``, ``$x =`` or ``$i, $e :=`` if it is there.

        Return the token behind it and, if that went too far, the variable before it that is an operand.
        """
        is_second = False
        while True:
            name = self._tokens.text[token.start : token.end]
            after = self._tokens.next()
            is_comma = after.kind == "CHAR" and self._tokens.text[after.start] == ","
            if not is_comma and after.kind not in ("DECLARE", "ASSIGN"):
                self._known(name, after.place)
                return after, token
            self._emit(Mark("DECLARED", token.start, token.end, name))
            self._tokens.reading.declare(name)
            self._emit(Mark("_COMMA" if is_comma else after.kind, after.start, after.end))
            if not is_comma:
                return self._tokens.next(), None
            if context != "range" or is_second:
                self._tokens.error(f"too many declarations in {context}", after.start)
            is_second = True
            token = self._tokens.next()
            if token.kind not in ("VARIABLE", "CLOSE", "RPAR"):
                self._tokens.error("range can only initialize variables", token.start)
            if token.kind != "VARIABLE" or "." in self._tokens.text[token.start : token.end]:
                return token, None

    def _known(self, name: str, offset: int) -> None:
        if not self._tokens.reading.knows(name):
            self._tokens.error(f"undefined variable {quote(name)}", offset)

    def _operand(self, kind: str, start: int, end: int) -> Node:
        written = self._tokens.text[start:end]
        if kind == "FIELD":
            return Field(start, end, tuple(written[1:].split(".")))
        if kind == "IDENTIFIER":
            if written not in FUNCTIONS:
                self._tokens.error(f"function {quote(written)} not defined", start)
            return Identifier(start, end, written)
        if kind == "STRING":
            return String(start, end, written, self._tokens.unquoted(Lexeme(kind, start, end)))
        if kind == "VARIABLE":
            names = tuple(written.split("."))
            self._known(names[0], start)
            return Variable(start, end, names)
        if kind in ("NUMBER", "RUNE"):
            try:
                return Number(start, end, written, rune(written) if kind == "RUNE" else number(written))
            except ValueError as wrong:
                self._tokens.error(str(wrong), start)
        if kind == "BOOL":
            return Bool(start, end, written == "true")
        return Dot(start, end) if kind == "DOT" else Nil(start, end)
