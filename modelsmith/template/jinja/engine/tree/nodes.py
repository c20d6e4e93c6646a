"""The tree of a chat template; ``start`` is the byte that llama.cpp names when the node fails."""

from __future__ import annotations

from typing import ClassVar

from modelsmith.records import dataclass


@dataclass(frozen=True, slots=True)
class Node:
    """A statement or an expression; ``name`` is what llama.cpp calls its kind in errors."""

    name: ClassVar[str] = "Statement"
    start: int


@dataclass(frozen=True, slots=True)
class Comment(Node):
    """``{# text #}``."""

    name: ClassVar[str] = "Comment"


@dataclass(frozen=True, slots=True)
class Noop(Node):
    """``{% generation %}`` and its end: what a model was trained to write; nothing for a prompt."""

    name: ClassVar[str] = "Noop"


@dataclass(frozen=True, slots=True)
class Break(Node):
    """``{% break %}``."""

    name: ClassVar[str] = "Break"


@dataclass(frozen=True, slots=True)
class Continue(Node):
    """``{% continue %}``."""

    name: ClassVar[str] = "Continue"


@dataclass(frozen=True, slots=True)
class Blank(Node):
    """Nothing between brackets: ``a[]``."""

    name: ClassVar[str] = "BlankExpression"


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A variable, or one of the few functions."""

    name: ClassVar[str] = "Identifier"
    text: str


@dataclass(frozen=True, slots=True)
class Integer(Node):
    """A whole number."""

    name: ClassVar[str] = "IntegerLiteral"
    value: int


@dataclass(frozen=True, slots=True)
class Float(Node):
    """A number with a point."""

    name: ClassVar[str] = "FloatLiteral"
    value: float


@dataclass(frozen=True, slots=True)
class Text(Node):
    """A string, or the text outside of all braces."""

    name: ClassVar[str] = "StringLiteral"
    value: str


@dataclass(frozen=True, slots=True)
class ArrayOf(Node):
    """``[a, b]``."""

    name: ClassVar[str] = "ArrayLiteral"
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class TupleOf(Node):
    """``a, b``."""

    name: ClassVar[str] = "TupleLiteral"
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ObjectOf(Node):
    """``{a: b}``."""

    name: ClassVar[str] = "ObjectLiteral"
    items: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """``a + b``, ``a and b``, ``a in b`` and so on."""

    name: ClassVar[str] = "BinaryExpression"
    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Not(Node):
    """``not a``; llama.cpp knows no other operator of one operand."""

    name: ClassVar[str] = "UnaryExpression"
    operand: Node


@dataclass(frozen=True, slots=True)
class Ternary(Node):
    """``a if test else b``."""

    name: ClassVar[str] = "Ternary"
    test: Node
    value: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Select(Node):
    """``a if test``: nothing where the test fails; in a ``for`` the items for which it holds."""

    name: ClassVar[str] = "SelectExpression"
    value: Node
    test: Node


@dataclass(frozen=True, slots=True)
class Member(Node):
    """``a.b`` and, ``computed``, ``a[b]``."""

    name: ClassVar[str] = "MemberExpression"
    object: Node
    property: Node
    computed: bool


@dataclass(frozen=True, slots=True)
class Slice(Node):
    """``first:last:step`` between brackets; None for what is left out."""

    name: ClassVar[str] = "SliceExpression"
    first: Node | None
    last: Node | None
    step: Node | None


@dataclass(frozen=True, slots=True)
class Call(Node):
    """``a(b, c=d)``."""

    name: ClassVar[str] = "CallExpression"
    callee: Node
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Keyword(Node):
    """``key=value`` as an argument."""

    name: ClassVar[str] = "KeywordArgumentExpression"
    key: Node
    value: Node


@dataclass(frozen=True, slots=True)
class Spread(Node):
    """``*a`` as an argument; read and never run."""

    name: ClassVar[str] = "SpreadExpression"
    operand: Node


@dataclass(frozen=True, slots=True)
class Filter(Node):
    """``a|b`` and ``a|b(c)``."""

    name: ClassVar[str] = "FilterExpression"
    operand: Node
    filter: Node


@dataclass(frozen=True, slots=True)
class Test(Node):
    """``a is b`` and ``a is not b(c)``."""

    name: ClassVar[str] = "TestExpression"
    operand: Node
    negated: bool
    test: Node


@dataclass(frozen=True, slots=True)
class If(Node):
    """``{% if %}``; an ``elif`` is an ``if`` that is the whole alternative."""

    name: ClassVar[str] = "If"
    test: Node
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class For(Node):
    """``{% for %}``."""

    name: ClassVar[str] = "For"
    target: Node
    iterable: Node
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Set(Node):
    """``{% set a = b %}`` and ``{% set a %}…{% endset %}`` (value None)."""

    name: ClassVar[str] = "Set"
    target: Node
    value: Node | None
    body: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Macro(Node):
    """``{% macro a(b, c=d) %}``."""

    name: ClassVar[str] = "Macro"
    title: Node
    parameters: tuple[Node, ...]
    body: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class CallBlock(Node):
    """``{% call(a) b() %}…{% endcall %}``."""

    name: ClassVar[str] = "CallStatement"
    call: Call
    parameters: tuple[Node, ...]
    body: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class FilterBlock(Node):
    """``{% filter a %}…{% endfilter %}``."""

    name: ClassVar[str] = "FilterStatement"
    filter: Node
    body: tuple[Node, ...]
