"""The variables that a chat template asks for besides messages and tools, and the values that it tests them for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.template.jinja.engine.functions.builtins import FUNCTIONS
from modelsmith.template.jinja.engine.server.safe_ends import descendants
from modelsmith.template.jinja.engine.tree import nodes
from modelsmith.template.jinja.engine.values.texts import from_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.template.jinja.engine.program import Program

_SUPPLIED = frozenset(
    {
        *("messages", "tools", "add_generation_prompt", "bos_token", "eos_token", "date_string", "datetime"),
        *("true", "True", "false", "False", "none", "None", "loop", "caller"),
        *FUNCTIONS,
    }
)


@dataclass(frozen=True, slots=True)
class TemplateVariable:
    """A variable that a request may set; ``values`` are those that the template compares it with, as JSON would write them."""

    name: str
    values: tuple[str, ...]


def template_variables(program: Program) -> tuple[TemplateVariable, ...]:
    """Return the variables that a template reads and neither sets first nor gets from the server, by their names."""
    everything = [each for node in program.body for each in descendants(node)]
    words = {id(word) for each in everything for word in _words(each)}
    bound = _bound(everything)
    found: dict[str, list[str]] = {}
    for each in sorted(everything, key=lambda node: node.start):
        if isinstance(each, nodes.Name) and id(each) not in words and each.start < bound.get(each.text, each.start + 1):
            found.setdefault(each.text, [])
    for name, value in (pair for each in everything for pair in _comparisons(each)):
        if name in found and value not in found[name]:
            found[name].append(value)
    asked = sorted(found.keys() - _SUPPLIED)
    return tuple(TemplateVariable(from_bytes(name), tuple(map(from_bytes, sorted(found[name])))) for name in asked)


def _words(node: nodes.Node) -> Iterator[nodes.Node]:
    """Yield the names in a node that are no variables: of members, filters, tests and arguments, and those that get a value."""
    if isinstance(node, nodes.Member) and not node.computed:
        yield node.property
    elif isinstance(node, nodes.Keyword):
        yield node.key
    elif isinstance(node, (nodes.Set, nodes.For)):
        yield from node.target.items if isinstance(node.target, nodes.TupleOf) else (node.target,)
    elif isinstance(node, (nodes.Filter, nodes.FilterBlock)):
        yield node.filter.callee if isinstance(node.filter, nodes.Call) else node.filter
    elif isinstance(node, nodes.Test):
        yield node.test.callee if isinstance(node.test, nodes.Call) else node.test


def _bound(everything: list[nodes.Node]) -> dict[str, int]:
    """Return where each name is first given a value by the template itself."""
    bound: dict[str, int] = {}

    def bind(node: nodes.Node, start: int) -> None:
        for each in node.items if isinstance(node, nodes.TupleOf) else (node,):
            name = each.key if isinstance(each, nodes.Keyword) else each
            if isinstance(name, nodes.Name):
                bound[name.text] = min(start, bound.get(name.text, start))

    for node in everything:
        if isinstance(node, (nodes.Set, nodes.For)):
            source = node.value if isinstance(node, nodes.Set) else node.iterable
            read = [each.start for each in descendants(source)] if source else []
            bind(node.target, max(read, default=node.start) + 1)  # what it is made of is read before
        elif isinstance(node, nodes.Macro):
            bind(node.title, 0)
        if isinstance(node, (nodes.Macro, nodes.CallBlock)):
            for parameter in node.parameters:
                bind(parameter, 0)
    return bound


def _comparisons(node: nodes.Node) -> Iterator[tuple[str, str]]:
    """Yield names with the constants that a node compares them with."""
    if isinstance(node, nodes.Binary) and node.operator in {"==", "!=", "in", "not in"}:
        for one, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(one, nodes.Name):
                items = other.items if isinstance(other, (nodes.ArrayOf, nodes.TupleOf)) else (other,)
                yield from ((one.text, value) for each in items if (value := _constant(each)))
    elif isinstance(node, nodes.Test) and isinstance(node.operand, nodes.Name) and isinstance(node.test, nodes.Name):
        if node.test.text in {"true", "false"}:
            yield node.operand.text, node.test.text
    elif isinstance(node, (nodes.If, nodes.Ternary)):
        yield from ((name, value) for name in _truths(node.test) for value in ("true", "false"))


def _truths(test: nodes.Node) -> Iterator[str]:
    """Yield the names whose truth alone decides a test, or a part of it."""
    if isinstance(test, nodes.Name):
        yield test.text
    elif isinstance(test, nodes.Not):
        yield from _truths(test.operand)
    elif isinstance(test, nodes.Binary) and test.operator in {"and", "or"}:
        yield from _truths(test.left)
        yield from _truths(test.right)


def _constant(node: nodes.Node) -> str:
    """Return a constant as JSON, "" for what is none."""
    if isinstance(node, nodes.Text):
        return json.dumps(node.value, ensure_ascii=False)
    if isinstance(node, (nodes.Integer, nodes.Float)):
        return json.dumps(node.value)
    if isinstance(node, nodes.Name) and node.text.lower() in {"true", "false", "none"}:
        return {"none": "null"}.get(node.text.lower(), node.text.lower())
    return ""
