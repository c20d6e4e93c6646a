"""The tree of a chat template, as llama.cpp builds it from the tokens.

There is no ``{% raw %}``, and ``{% else %}`` closes a list of ``elif`` for good.

Source: llama.cpp, common/jinja/parser.cpp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.template.jinja.engine.tree import lexer, nodes
from modelsmith.template.jinja.engine.tree.expressions import Expressions
from modelsmith.template.jinja.engine.tree.lexer import Token, Unreadable

if TYPE_CHECKING:
    from modelsmith.template.jinja.engine.tree.nodes import Node


def parse(text: str) -> tuple[tuple[Node, ...], frozenset[str]]:
    """Return the statements of a text (bytes, line ends plain, the last one dropped), and the names and strings in them.

    Raises Unreadable.
    """
    tokens = lexer.tokenize(text)
    words = frozenset(token.value for token in tokens if token.kind in {lexer.NAME, lexer.STRING})
    return _Parser(tokens, len(text)).program(), words


class _Parser(Expressions):
    """Reads statements, and the expressions in them."""

    def program(self) -> tuple[Node, ...]:
        body = []
        while self._at < len(self._tokens):
            body.append(self._any())
        return tuple(body)

    def _any(self) -> Node:
        token = self._peek()
        if token.kind == lexer.TEXT:
            self._at += 1
            return nodes.Text(token.start, token.value)
        if token.kind == lexer.COMMENT:
            self._at += 1
            return nodes.Comment(token.start)
        if token.kind == lexer.OPEN_EXPRESSION:
            self._at += 1
            result = self._expression()
            self._expect(lexer.CLOSE_EXPRESSION)
            return result
        if token.kind == lexer.OPEN_STATEMENT:
            return self._nested(self._statement)
        raise Unreadable(f"Unexpected token type: {token.kind}", token.start)

    def _body(self, *ends: str) -> tuple[Node, ...]:
        body = []
        while not self._is_statement(*ends):
            body.append(self._any())
        return tuple(body)

    def _close(self, end: str) -> None:
        self._expect(lexer.OPEN_STATEMENT)
        self._expect_name(end)
        self._expect(lexer.CLOSE_STATEMENT)

    def _statement(self) -> Node:
        self._expect(lexer.OPEN_STATEMENT)
        word = self._peek()
        if word.kind != lexer.NAME:
            raise Unreadable("Unknown statement", word.start)
        self._at += 1
        rules = {
            "set": self._set,
            "if": self._if,
            "macro": self._macro,
            "for": self._for,
            "break": self._jump,
            "continue": self._jump,
            "call": self._call_block,
            "filter": self._filter_block,
            "generation": self._generation,
            "endgeneration": self._generation,
        }
        if word.value not in rules:
            raise Unreadable(f"Unknown statement: {word.value}", word.start)
        return rules[word.value](word)

    def _set(self, word: Token) -> Node:
        target = self._sequence(self._expression)
        value: Node | None = None
        body: tuple[Node, ...] = ()
        if self._skip("="):
            value = self._sequence(self._expression)
        else:
            self._expect(lexer.CLOSE_STATEMENT)
            body = self._body("endset")
            self._expect(lexer.OPEN_STATEMENT)
            self._expect_name("endset")
        self._expect(lexer.CLOSE_STATEMENT)
        return nodes.Set(word.start, target, value, body)

    def _if(self, word: Token) -> Node:
        branches: list[tuple[int, Node, tuple[Node, ...]]] = []
        start = word.start
        while True:
            test = self._expression()
            self._expect(lexer.CLOSE_STATEMENT)
            branches.append((start, test, self._body("elif", "else", "endif")))
            if not self._is_statement("elif"):
                break
            start = self._peek().start
            self._at += 2
        otherwise: tuple[Node, ...] = ()
        if self._is_statement("else"):
            self._at += 2
            self._expect(lexer.CLOSE_STATEMENT)
            otherwise = self._body("endif")
        self._close("endif")
        for begin, test, body in reversed(branches):
            otherwise = (nodes.If(begin, test, body, otherwise),)
        return otherwise[0]

    def _macro(self, word: Token) -> Node:
        title = self._primary()
        parameters = self._arguments()
        self._expect(lexer.CLOSE_STATEMENT)
        body = self._body("endmacro")
        self._close("endmacro")
        return nodes.Macro(word.start, title, parameters, body)

    def _for(self, word: Token) -> Node:
        target = self._sequence(self._primary)
        if not self._skip_name("in"):
            raise Unreadable("Expected 'in'", self._peek().start)
        iterable = self._expression()
        self._expect(lexer.CLOSE_STATEMENT)
        body = self._body("endfor", "else")
        otherwise: tuple[Node, ...] = ()
        if self._is_statement("else"):
            self._at += 2
            self._expect(lexer.CLOSE_STATEMENT)
            otherwise = self._body("endfor")
        self._close("endfor")
        return nodes.For(word.start, target, iterable, body, otherwise)

    def _jump(self, word: Token) -> Node:
        self._expect(lexer.CLOSE_STATEMENT)
        return nodes.Break(word.start) if word.value == "break" else nodes.Continue(word.start)

    def _call_block(self, word: Token) -> Node:
        parameters = self._arguments() if self._is("(") else ()
        callee = self._primary()
        if not isinstance(callee, nodes.Name):
            raise Unreadable("Expected identifier", callee.start)
        call = nodes.Call(word.start, callee, self._arguments())
        self._expect(lexer.CLOSE_STATEMENT)
        body = self._body("endcall")
        self._close("endcall")
        return nodes.CallBlock(word.start, call, parameters, body)

    def _filter_block(self, word: Token) -> Node:
        node = self._primary()
        if isinstance(node, nodes.Name) and self._is("("):
            node = self._call(node)
        self._expect(lexer.CLOSE_STATEMENT)
        body = self._body("endfilter")
        self._close("endfilter")
        return nodes.FilterBlock(word.start, node, body)

    def _generation(self, word: Token) -> Node:
        self._at += 1
        return nodes.Noop(word.start)
