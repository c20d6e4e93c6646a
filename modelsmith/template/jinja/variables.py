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
    from collections.abc import Iterable, Iterator

    from modelsmith.template.jinja.engine.program import Program

SUPPLIED = frozenset(
    {
        *("messages", "tools", "add_generation_prompt", "bos_token", "eos_token", "date_string", "datetime"),
        *("true", "True", "false", "False", "none", "None", "loop", "caller"),
        *FUNCTIONS,
    }
)
"""Names that every template has, whatever a request gives it."""

_KEEPING = frozenset({"default", "d", "lower", "trim", "string"})
"""Filters that leave it to be seen which value a variable has."""
_COMPARING = frozenset({"eq", "equalto", "ne", "in", "sameas"})


@dataclass(frozen=True, slots=True)
class TemplateVariable:
    """A variable that a request may set; ``values`` are those that the template compares it with, as JSON would write them."""

    name: str
    values: tuple[str, ...]


def template_variables(program: Program) -> tuple[TemplateVariable, ...]:
    """Return the variables that a template reads and neither sets first nor gets from the server, by their names."""
    everything = [descendant for node in program.body for descendant in descendants(node)]
    words = {id(word) for child in everything for word in _words(child)}
    bound = _bound(everything)
    later = {id(inner) for child in everything if isinstance(child, nodes.Macro) for inner in descendants(child)}
    outside = _bound([child for child in everything if id(child) not in later])
    found: dict[str, list[str]] = {}
    for part in sorted(everything, key=lambda node: node.start):
        if not isinstance(part, nodes.Name) or id(part) in words or part.start >= bound.get(part.text, part.start + 1):
            continue
        # a macro runs where it is called, and sees what was set until then
        if id(part) not in later or part.text not in outside:
            found.setdefault(part.text, [])
    sources = _sources(everything)
    for name, value in (pair for child in everything for pair in _comparisons(child)):
        for source in _behind(name, sources):
            if source in found and value not in found[source]:
                found[source].append(value)
    asked = sorted(found.keys() - SUPPLIED)
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
        for item in node.items if isinstance(node, nodes.TupleOf) else (node,):
            name = item.key if isinstance(item, nodes.Keyword) else item
            if isinstance(name, nodes.Name):
                bound[name.text] = min(start, bound.get(name.text, start))

    for node in everything:
        if isinstance(node, (nodes.Set, nodes.For)):
            source = node.value if isinstance(node, nodes.Set) else node.iterable
            if isinstance(source, nodes.Select) and isinstance(node, nodes.For):
                source = source.value  # its condition is asked of each item
            read = [descendant.start for descendant in descendants(source)] if source else []
            bind(node.target, max(read, default=node.start) + 1)  # what it is made of is read before
        elif isinstance(node, nodes.Macro):
            bind(node.title, 0)
        if isinstance(node, (nodes.Macro, nodes.CallBlock)):
            for parameter in node.parameters:
                bind(parameter, 0)
    return bound


def _sources(everything: list[nodes.Node]) -> dict[str, set[str]]:
    """Return for each variable or member that the template sets what it is made of, where that is one variable or its default."""
    sources: dict[str, set[str]] = {}
    for node in everything:
        if isinstance(node, nodes.Set) and node.value is not None:
            name, source = _subject(node.target), _subject(node.value)
            if name and source and name != source:
                sources.setdefault(name, set()).add(source)
    return sources


def _behind(name: str, sources: dict[str, set[str]]) -> set[str]:
    """Return a name and all that it is made of."""
    reached, left = {name}, [name]
    while left:
        more = sources.get(left.pop(), set()) - reached
        reached |= more
        left += more
    return reached


def _subject(node: nodes.Node) -> str:
    """Return the variable (or its member) that a value is, but for a default or a filter; "" where there is none such."""
    if isinstance(node, nodes.Name):
        return node.text
    if isinstance(node, nodes.Member) and not node.computed and isinstance(node.property, nodes.Name):
        owner = _subject(node.object)
        return f"{owner}.{node.property.text}" if owner else ""
    if isinstance(node, nodes.Filter):
        word = node.filter.callee if isinstance(node.filter, nodes.Call) else node.filter
        return _subject(node.operand) if isinstance(word, nodes.Name) and word.text in _KEEPING else ""
    if isinstance(node, nodes.Binary) and node.operator == "or":
        return _subject(node.left)
    if isinstance(node, nodes.Ternary):
        return _subject(node.value) or _subject(node.otherwise)
    return ""


def _comparisons(node: nodes.Node) -> Iterator[tuple[str, str]]:
    """Yield names with the constants that a node compares them with."""
    if isinstance(node, nodes.Binary) and node.operator in {"==", "!=", "in", "not in"}:
        for one, other in ((node.left, node.right), (node.right, node.left)):
            if name := _subject(one):
                yield from ((name, value) for value in _constants(other))
    elif isinstance(node, nodes.Test) and (name := _subject(node.operand)):
        test = node.test
        if isinstance(test, nodes.Name) and test.text in {"true", "false"}:
            yield name, test.text
        elif isinstance(test, nodes.Call) and isinstance(test.callee, nodes.Name) and test.callee.text in _COMPARING:
            yield from ((name, value) for argument in test.arguments for value in _constants(argument))
    elif isinstance(node, nodes.Member) and node.computed and isinstance(node.object, nodes.ObjectOf):
        if name := _subject(node.property):
            yield from ((name, value) for value in _constants(node.object))
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


def _constants(node: nodes.Node) -> Iterator[str]:
    """Yield the constants that something is, or holds: items of a list, keys of an object."""
    items: Iterable[nodes.Node] = (node,)
    if isinstance(node, (nodes.ArrayOf, nodes.TupleOf)):
        items = node.items
    elif isinstance(node, nodes.ObjectOf):
        items = [key for key, _ in node.items]
    yield from (value for item in items if (value := _constant(item)))


def _constant(node: nodes.Node) -> str:
    """Return a constant as JSON, "" for what is none."""
    if isinstance(node, nodes.Text):
        return json.dumps(node.value, ensure_ascii=False)
    if isinstance(node, (nodes.Integer, nodes.Float)):
        return json.dumps(node.value)
    if isinstance(node, nodes.Name) and node.text.lower() in {"true", "false", "none"}:
        return {"none": "null"}.get(node.text.lower(), node.text.lower())
    return ""
