"""Expressions of a chat template, as llama.cpp reads them.

It takes more than jinja2 does (commas may be missing) and less: no ``-x``, no chained comparison, a tuple has no comma at its end.

Source: llama.cpp, common/jinja/parser.cpp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.template.jinja.engine.tree import lexer, nodes
from modelsmith.template.jinja.engine.tree.lexer import Token, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.template.jinja.engine.tree.nodes import Node

DEEPEST = 48
"""More expressions or statements within each other are not read. llama.cpp has no limit, and a stack that overflows after some
thousands; real templates have at most a dozen."""

_MAX_INTEGER = 2**63


class Expressions:
    """Reads the tokens from the left to the right, one function a rule."""

    def __init__(self, tokens: list[Token], size: int) -> None:
        self._tokens = tokens
        self._end = Token(lexer.END, "", size)
        self._at = 0
        self._depth = 0

    # Looking at tokens

    def _peek(self, ahead: int = 0) -> Token:
        place = self._at + ahead
        return self._tokens[place] if place < len(self._tokens) else self._end

    def _next(self) -> Token:
        if self._at >= len(self._tokens):
            raise Unreadable("Parser Error: Unexpected EOF", self._end.start)
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, kind: str, what: str = "") -> None:
        token = self._peek()
        if token.kind != kind:
            raise Unreadable(f"Parser Error: Expected {what or kind} (Got {token.value})", token.start)
        self._at += 1

    def _expect_name(self, name: str) -> None:
        token = self._peek()
        if token.kind != lexer.NAME or token.value != name:
            raise Unreadable(f"Expected identifier: {name}", token.start)
        self._at += 1

    def _is(self, kind: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at].kind == kind

    def _is_name(self, name: str) -> bool:
        return self._is(lexer.NAME) and self._tokens[self._at].value == name

    def _skip(self, kind: str) -> bool:
        if self._is(kind):
            self._at += 1
            return True
        return False

    def _skip_name(self, name: str) -> bool:
        if self._is_name(name):
            self._at += 1
            return True
        return False

    def _is_statement(self, *names: str) -> bool:
        word = self._peek(1)
        return self._is(lexer.OPEN_STATEMENT) and word.kind == lexer.NAME and word.value in names

    def _nested(self, rule: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Unreadable(f"it nests too deeply to be read: more than {DEEPEST} levels", self._peek().start)
        node = rule()
        self._depth -= 1
        return node

    # Expressions, the loosest binding first

    def _expression(self) -> Node:
        return self._nested(self._conditional)

    def _sequence(self, rule: Callable[[], Node]) -> Node:
        start = self._peek().start
        items = [rule()]
        is_tuple = self._is(",")
        while self._skip(","):
            items.append(rule())
        return nodes.TupleOf(start, tuple(items)) if is_tuple else items[0]

    def _conditional(self) -> Node:
        value = self._or()
        if not self._is_name("if"):
            return value
        start = self._next().start
        test = self._or()
        if not self._is_name("else"):
            return nodes.Select(start, value, test)
        start = self._next().start
        return nodes.Ternary(start, test, value, self._nested(self._conditional))

    def _or(self) -> Node:
        left = self._and()
        while self._is_name("or"):
            start = self._next().start
            left = nodes.Binary(start, "or", left, self._and())
        return left

    def _and(self) -> Node:
        left = self._not()
        while self._is_name("and"):
            start = self._next().start
            left = nodes.Binary(start, "and", left, self._not())
        return left

    def _not(self) -> Node:
        if self._is_name("not"):
            start = self._next().start
            return nodes.Not(start, self._nested(self._not))
        return self._comparison()

    def _comparison(self) -> Node:
        left = self._additive()
        while True:
            token = self._peek()
            operator = token.value
            if self._is_name("not") and self._peek(1)[:2] == (lexer.NAME, "in"):
                operator = "not in"
                self._at += 1
            elif not self._is_name("in") and not self._is(lexer.COMPARISON):
                return left
            self._at += 1
            left = nodes.Binary(token.start, operator, left, self._additive())

    def _additive(self) -> Node:
        left = self._multiplicative()
        while self._is(lexer.ADDITIVE):
            operator = self._next()
            left = nodes.Binary(operator.start, operator.value, left, self._multiplicative())
        return left

    def _multiplicative(self) -> Node:
        left = self._test()
        while self._is(lexer.MULTIPLICATIVE):
            operator = self._next()
            left = nodes.Binary(operator.start, operator.value, left, self._test())
        return left

    def _test(self) -> Node:
        operand = self._filter()
        while self._is_name("is"):
            start = self._next().start
            negated = self._skip_name("not")
            test = self._primary()
            if self._is("("):
                test = self._call(test)
            operand = nodes.Test(start, operand, negated, test)
        return operand

    def _filter(self) -> Node:
        operand = self._call_or_member()
        while self._is("|"):
            start = self._next().start
            node = self._primary()
            if self._is("("):
                node = self._call(node)
            operand = nodes.Filter(start, operand, node)
        return operand

    def _call_or_member(self) -> Node:
        member = self._member(self._primary())
        return self._call(member) if self._is("(") else member

    def _call(self, callee: Node) -> Node:
        while True:
            start = self._peek().start
            callee = self._member(nodes.Call(start, callee, self._arguments()))
            if not self._is("("):
                return callee

    def _arguments(self) -> tuple[Node, ...]:
        self._expect("(")
        found: list[Node] = []
        while not self._is(")"):
            token = self._peek()
            if token.kind == lexer.MULTIPLICATIVE and token.value == "*":
                self._at += 1
                found.append(nodes.Spread(token.start, self._expression()))
            else:
                argument = self._expression()
                if self._is("="):
                    start = self._next().start
                    argument = nodes.Keyword(start, argument, self._expression())
                found.append(argument)
            self._skip(",")
        self._expect(")")
        return tuple(found)

    def _member(self, value: Node) -> Node:
        start = self._peek().start
        while self._is(".") or self._is("["):
            computed = self._next().kind == "["
            if computed:
                key = self._subscript()
                self._expect("]")
            else:
                key = self._primary()
            value = nodes.Member(start, value, key, computed)
        return value

    def _subscript(self) -> Node:
        start = self._peek().start
        parts: list[Node | None] = []
        is_slice = False
        while not self._is("]"):
            if self._skip(":"):
                parts.append(None)
                is_slice = True
            else:
                parts.append(self._expression())
                is_slice = self._skip(":") or is_slice
        if is_slice:
            first, last, step = (*parts, None, None, None)[:3]
            return nodes.Slice(start, first, last, step)
        return parts[0] if parts and parts[0] is not None else nodes.Blank(start)

    def _primary(self) -> Node:
        token = self._next()
        start = token.start
        if token.kind == lexer.NAME:
            return nodes.Name(start, token.value)
        if token.kind == lexer.STRING:
            value = token.value
            while self._is(lexer.STRING):
                value += self._next().value
            return nodes.Text(start, value)
        if token.kind == lexer.NUMBER:
            return self._number(token)
        if token.kind == "(":
            inner = self._sequence(self._expression)
            self._expect(")")
            return inner
        if token.kind == "[":
            return nodes.ArrayOf(start, self._items())
        if token.kind == "{":
            return nodes.ObjectOf(start, self._pairs())
        raise Unreadable(f"Unexpected token: {token.value} ({token.kind})", start)

    def _items(self) -> tuple[Node, ...]:
        items = []
        while not self._skip("]"):
            items.append(self._expression())
            self._skip(",")
        return tuple(items)

    def _pairs(self) -> tuple[tuple[Node, Node], ...]:
        pairs = []
        while not self._skip("}"):
            key = self._expression()
            self._expect(":")
            pairs.append((key, self._expression()))
            self._skip(",")
        return tuple(pairs)

    def _number(self, token: Token) -> Node:
        if "." in token.value:
            number = float(token.value)
            if number in {float("inf"), float("-inf")}:
                raise Unreadable(f"the number {token.value[:30]} is too large", token.start)
            return nodes.Float(token.start, number)
        if len(token.value.lstrip("+-0")) > 19 or not -_MAX_INTEGER <= int(token.value) < _MAX_INTEGER:
            raise Unreadable(f"the number {token.value[:30]} is too large", token.start)
        return nodes.Integer(token.start, int(token.value))
