"""Compile operators and conditions.

Source: llama.cpp, common/jinja/runtime.cpp and runtime.h.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.template.jinja.engine.failures import Failure
from modelsmith.template.jinja.engine.functions.builtins import FUNCTIONS
from modelsmith.template.jinja.engine.functions.methods import ALL_METHODS
from modelsmith.template.jinja.engine.tree import nodes
from modelsmith.template.jinja.engine.values.compare import equal
from modelsmith.template.jinja.engine.values.model import UNDEFINED, Value
from modelsmith.template.jinja.engine.values.operators import operate

if TYPE_CHECKING:
    from modelsmith.template.jinja.engine.budget import Run
    from modelsmith.template.jinja.engine.compile.code import Code, Compiler
    from modelsmith.template.jinja.engine.functions.arguments import Variables

_JOINING = frozenset({"+", "~"})


def binary(compiler: Compiler, node: nodes.Binary) -> Code:
    """Compile an operator; a chain of ``+`` and ``~``, of ``and`` or of ``or`` is one function."""
    if node.operator in {"and", "or"}:
        return _logical(compiler, node)
    if node.operator in _JOINING:
        return _joined(compiler, node)
    if node.operator in {"==", "!="}:
        return _compared(compiler, node)
    if node.operator in {"in", "not in"}:
        return _membership(compiler, node)
    left, right, operator = compiler.code(node.left), compiler.code(node.right), node.operator

    def run_binary(scope: Variables, run: Run) -> Value:
        try:
            return operate(operator, left(scope, run), right(scope, run), run)
        except Failure as failure:
            failure.at(node)
            raise

    return run_binary


def _compared(compiler: Compiler, node: nodes.Binary) -> Code:
    left, right, wanted = compiler.code(node.left), compiler.code(node.right), node.operator == "=="
    if isinstance(node.right, nodes.Text):
        text = node.right.value
        variable, key = _member_of_variable(node.left)
        if variable:

            def run_compared_member(scope: Variables, run: Run) -> Value:
                owner = scope.get(variable)
                found = owner.get(key) if type(owner) is dict else None
                if type(found) is not str:
                    found = left(scope, run)
                return (isinstance(found, str) and found == text) is wanted

            return run_compared_member

        def run_compared_text(scope: Variables, run: Run) -> Value:
            value = left(scope, run)
            return (isinstance(value, str) and value == text) is wanted

        return run_compared_text

    def run_compared(scope: Variables, run: Run) -> Value:
        one, two = left(scope, run), right(scope, run)
        if type(one) is str is type(two):
            if len(one) > _LARGE:
                run.spend(len(one))
            return (one == two) is wanted
        return equal(one, two) is wanted

    return run_compared


def _member_of_variable(node: nodes.Node) -> tuple[str, str]:
    """Return variable and key of ``a['b']`` and ``a.b``, which most comparisons are about; two empty texts for anything else."""
    if isinstance(node, nodes.Member) and isinstance(node.object, nodes.Name) and node.object.text not in FUNCTIONS:
        word = node.property
        if isinstance(word, nodes.Text) and node.computed:
            return node.object.text, word.value
        if isinstance(word, nodes.Name) and not node.computed and word.text not in ALL_METHODS:
            return node.object.text, word.text
    return "", ""


def _membership(compiler: Compiler, node: nodes.Binary) -> Code:
    left, right, operator, wanted = (
        compiler.code(node.left),
        compiler.code(node.right),
        node.operator,
        node.operator == "in",
    )

    def run_membership(scope: Variables, run: Run) -> Value:
        one, two = left(scope, run), right(scope, run)
        if type(one) is str and type(two) in _HOLDERS:
            run.left -= len(two) >> 6
            if len(two) > _LARGE:
                run.spend(len(two))
            return (one in two) is wanted
        try:
            return operate(operator, one, two, run)
        except Failure as failure:
            failure.at(node)
            raise

    return run_membership


_LARGE = 100_000
"""To look through a text of more bytes, or an array of more items, counts as if it were built."""

_HOLDERS = frozenset({str, list, tuple, dict})
"""Kinds of values in which Python finds a text where llama.cpp does."""


def _chain(node: nodes.Binary, operators: frozenset[str]) -> tuple[nodes.Node, list[nodes.Binary]]:
    """Return the leftmost operand, and the operations on it from the left to the right."""
    operations = [node]
    while isinstance(operations[-1].left, nodes.Binary) and operations[-1].left.operator in operators:
        operations.append(operations[-1].left)
    return operations[-1].left, operations[::-1]


def _logical(compiler: Compiler, node: nodes.Binary) -> Code:
    first, operations = _chain(node, frozenset({node.operator}))
    start, stops = compiler.code(first), node.operator == "or"
    rest = [(child, compiler.code(child.right)) for child in operations]

    def run_logical(scope: Variables, run: Run) -> Value:
        value = start(scope, run)
        for operation, code in rest:
            try:
                if bool(value) is stops:
                    return value
            except Failure as failure:
                failure.at(operation)
                raise
            value = code(scope, run)
        return value

    return run_logical


def _joined(compiler: Compiler, node: nodes.Binary) -> Code:
    first, operations = _chain(node, _JOINING)
    start, in_parts = compiler.code(first), compiler.in_parts
    rest = [
        (child, child.right.value if isinstance(child.right, nodes.Text) else None, compiler.code(child.right))
        for child in operations
    ]

    def run_joined(scope: Variables, run: Run) -> Value:
        value = start(scope, run)
        texts = [value] if type(value) is str and not in_parts else []
        for operation, known, code in rest:
            other = code(scope, run) if known is None else known
            if texts:
                if type(other) is str:
                    texts.append(other)
                    continue
                value = "".join(texts)
                texts = []
            try:
                value = operate(operation.operator, value, other, run, in_parts=in_parts)
            except Failure as failure:
                failure.at(operation)
                raise
            if type(value) is str and not in_parts:
                texts = [value]
        if texts:
            value = "".join(texts)
            run.left -= len(value)
        return value

    return run_joined


def negation(compiler: Compiler, node: nodes.Not) -> Code:
    """Compile ``not a``."""
    operand = compiler.code(node.operand)

    def run_negation(scope: Variables, run: Run) -> Value:
        try:
            return not operand(scope, run)
        except Failure as failure:
            failure.at(node)
            raise

    return run_negation


def ternary(compiler: Compiler, node: nodes.Ternary) -> Code:
    """Compile ``a if test else b``."""
    test, value, otherwise = compiler.code(node.test), compiler.code(node.value), compiler.code(node.otherwise)

    def run_ternary(scope: Variables, run: Run) -> Value:
        try:
            return value(scope, run) if test(scope, run) else otherwise(scope, run)
        except Failure as failure:
            failure.at(node)
            raise

    return run_ternary


def select(compiler: Compiler, node: nodes.Select) -> Code:
    """Compile ``a if test``; llama.cpp names this node where one of its two parts fails."""
    test, value = compiler.code(node.test), compiler.code(node.value)

    def run_select(scope: Variables, run: Run) -> Value:
        try:
            return value(scope, run) if test(scope, run) else UNDEFINED
        except Failure as failure:
            failure.at(node)
            if failure.node is node.test or failure.node is node.value:
                failure.node = node
            raise

    return run_select
