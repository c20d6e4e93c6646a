"""Compile a tree into functions, one a node, that are called for each rendering."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.template.jinja.engine.compile import calls, macros, names, operations, statements
from modelsmith.template.jinja.engine.compile.code import Compiler
from modelsmith.template.jinja.engine.tree import nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelsmith.template.jinja.engine.compile.code import Code, Writer

_RULES: dict[type[nodes.Node], Callable[[Compiler, Any], Code]] = {
    nodes.Name: names.name,
    nodes.Integer: names.literal,
    nodes.Float: names.literal,
    nodes.Text: names.literal,
    nodes.ArrayOf: names.array,
    nodes.TupleOf: names.array,
    nodes.ObjectOf: names.mapping,
    nodes.Binary: operations.binary,
    nodes.Not: operations.negation,
    nodes.Ternary: operations.ternary,
    nodes.Select: operations.select,
    nodes.Member: names.member,
    nodes.Call: calls.call,
    nodes.Keyword: calls.keyword,
    nodes.Spread: calls.spread,
    nodes.Filter: calls.filtered,
    nodes.Test: calls.tested,
    nodes.Blank: names.blank,
}
_STATEMENTS: dict[type[nodes.Node], Callable[[Compiler, Any], Writer]] = {
    nodes.If: statements.condition,
    nodes.For: statements.loop,
    nodes.Set: statements.assignment,
    nodes.Macro: macros.macro,
    nodes.CallBlock: macros.call_block,
    nodes.FilterBlock: statements.filter_block,
    nodes.Break: statements.breaking,
    nodes.Continue: statements.continuing,
}


def compile_program(words: frozenset[str], body: Sequence[nodes.Node], *, watching: bool) -> Code:
    """Compile all statements of a template; ``watching`` where it runs on values that notice their use."""
    return statements.block(Compiler(words, _RULES, _STATEMENTS, statements.printed, watching=watching), body)
