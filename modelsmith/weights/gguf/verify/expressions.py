"""Expressions of tables: ``i >= leading_dense_block_count and 'ffn_gate_up_exps.weight' not in blk``, in Python's syntax.

They are compiled once into functions of a scope. What a file does not tell is None, and so is what depends on it; a condition of which one part
decides is told all the same, as in SQL.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

Value = int | None


class Scope(Protocol):
    """What the names of an expression mean for one block of one file."""

    block: int

    def name(self, name: str, block: int | None) -> Value:
        """Return what a name or a key is; ``block`` is None where the expression does not say of which block."""

    def key(self, key: str, default: Value) -> Value:
        """Return a key that is one number, or the default where there is none."""

    def has_key(self, key: str) -> bool:
        """Return whether there is such a key."""

    def is_number(self, key: str) -> bool:
        """Return whether there is such a key and it is no list."""

    def item(self, key: str, index: int) -> Value:
        """Return an item of a key, or the key itself where it is one number."""

    def length(self, key: str) -> Value:
        """Return how many items a key has."""

    def has_tensor(self, name: str, block: int | None) -> bool:
        """Return whether there is such a tensor, in a block or outside of them."""

    def dim(self, name: str, axis: int) -> Value:
        """Return a size of a tensor."""


Function = Callable[[Scope], Value]

_SIGNS: dict[type[ast.AST], Callable[[int, int], int]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
_FUNCTIONS = ("given", "has_key", "is_number", "length", "dim", "min", "max", "blk")
_CHOICES: dict[str, Callable[[int, int], int]] = {"min": min, "max": max}


@cache
def compiled(expression: str) -> Function:
    """Return the function of an expression; raises ValueError for what no table may hold."""
    return _function(ast.parse(expression, mode="eval").body)


def names_of(expression: str) -> tuple[str, ...]:
    """Return the names and keys that an expression speaks of, in its order."""
    found: list[str] = []

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.Name | ast.Attribute):
            found.append(_dotted(node))
            return
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id not in _FUNCTIONS:
                found.append(node.func.id)
            for argument in node.args:
                visit(argument)
            return
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(expression, mode="eval").body)
    return tuple(dict.fromkeys(found))


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    raise ValueError(f"{ast.unparse(node)} is no name")


def _function(node: ast.AST) -> Function:
    match node:
        case ast.Constant(value=int(value)):
            return lambda _scope: value
        case ast.Name(id="i"):
            return lambda scope: scope.block
        case ast.Name() | ast.Attribute():
            name = _dotted(node)
            return lambda scope: scope.name(name, None)
        case ast.BinOp(left=left, op=op, right=right):
            return _binary(_SIGNS[type(op)], _function(left), _function(right))
        case ast.Compare(left=ast.Constant(value=str(tensor)), ops=[ast.In() | ast.NotIn() as op], comparators=[place]):
            return _presence(tensor, place, wanted=isinstance(op, ast.In))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _binary(_SIGNS[type(op)], _function(left), _function(right))
        case ast.BoolOp(op=ast.And(), values=values):
            return _decided([_function(value) for value in values], decides=False)
        case ast.BoolOp(op=ast.Or(), values=values):
            return _decided([_function(value) for value in values], decides=True)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = _function(operand)
            return lambda scope: None if (value := inner(scope)) is None else int(not value)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _binary(operator.sub, lambda _scope: 0, _function(operand))
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return _choice(_function(test), _function(body), _function(orelse))
        case ast.Subscript(value=key, slice=index):
            return _item(_dotted(key), _function(index))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _call(name, arguments)
    raise ValueError(f"{ast.unparse(node)} is nothing that a table may hold")


def _binary(sign: Callable[[int, int], int], left: Function, right: Function) -> Function:
    def value(scope: Scope) -> Value:
        first, second = left(scope), right(scope)
        if first is None or second is None or (second == 0 and sign in (operator.floordiv, operator.mod)):
            return None
        return int(sign(first, second))

    return value


def _decided(parts: list[Function], *, decides: bool) -> Function:
    def value(scope: Scope) -> Value:
        unknown = False
        for part in parts:
            found = part(scope)
            if found is None:
                unknown = True
            elif bool(found) is decides:
                return int(decides)
        return None if unknown else int(not decides)

    return value


def _choice(test: Function, body: Function, orelse: Function) -> Function:
    def value(scope: Scope) -> Value:
        found = test(scope)
        return None if found is None else body(scope) if found else orelse(scope)

    return value


def _presence(tensor: str, place: ast.expr, *, wanted: bool) -> Function:
    match place:
        case ast.Name(id="model"):
            return lambda scope: int(scope.has_tensor(tensor, None) is wanted)
        case ast.Name(id="blk"):
            return lambda scope: int(scope.has_tensor(tensor, scope.block) is wanted)
        case ast.Call(func=ast.Name(id="blk"), args=[index]):
            block = _function(index)
            return lambda scope: None if (at := block(scope)) is None else int(scope.has_tensor(tensor, at) is wanted)
    raise ValueError(f"{ast.unparse(place)} holds no tensors")


def _item(key: str, index: Function) -> Function:
    return lambda scope: None if (at := index(scope)) is None else scope.item(key, at)


def _call(name: str, arguments: list[ast.expr]) -> Function:
    match name, arguments:
        case "given", [key, default]:
            short, otherwise = _dotted(key), _function(default)
            return lambda scope: scope.key(short, otherwise(scope))
        case "has_key", [key]:
            return _of_key(lambda scope, short: int(scope.has_key(short)), key)
        case "is_number", [key]:
            return _of_key(lambda scope, short: int(scope.is_number(short)), key)
        case "length", [key]:
            return _of_key(lambda scope, short: scope.length(short), key)
        case "dim", [ast.Constant(value=str(tensor)), ast.Constant(value=int(axis))]:
            return lambda scope: scope.dim(tensor, axis)
        case (("min" | "max"), [first, second]):
            return _binary(_CHOICES[name], _function(first), _function(second))
        case _, [index]:
            block = _function(index)
            return lambda scope: None if (at := block(scope)) is None else scope.name(name, at)
    raise ValueError(f"{name} is no function of tables")


def _of_key(function: Callable[[Any, str], Value], key: ast.expr) -> Function:
    short = _dotted(key)
    return lambda scope: function(scope, short)
