"""What the dot is at every place of a template, as far as it can be known without running it.

Ollama hands templates few types, and ``range``, ``with`` and variables lead from one to the next. Where a value may be
several things it counts as unknown, and nothing is said of its fields.

Source of the scopes: Go, text/template/exec.go.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from modelsmith.lint.templates.types import ROOT, STRUCTS, called, element, field, is_list
from modelsmith.syntax.gotemplate.nodes import (
    Action,
    Block,
    Branch,
    Chain,
    Define,
    Dot,
    Field,
    Identifier,
    Parenthesized,
    Range,
    String,
    TemplateCall,
    Variable,
    With,
)
from modelsmith.template.go.values.values import INT, STRING, GoType

if TYPE_CHECKING:
    from modelsmith.syntax.gotemplate.nodes import Body, Operand, Pipeline
    from modelsmith.syntax.gotemplate.tree import Tree
    from modelsmith.template.go.template import Template

LONGEST = 100_000
"""Templates with more characters are not looked into; the longest known has some ten thousand."""

_Names = dict[str, GoType | None]


class UnknownField(NamedTuple):
    """A field that the value before it does not have; ``is_first`` says that it is asked of the dot or a variable itself."""

    name: str
    start: int
    end: int
    owner: GoType
    is_first: bool
    is_printed: bool
    in_definition: bool


class PrintedValue(NamedTuple):
    """An action that prints a Go value which has no text of its own."""

    start: int
    end: int
    type: GoType


class Fields(NamedTuple):
    """What is found in a template."""

    unknown: tuple[UnknownField, ...]
    printed: tuple[PrintedValue, ...]


@lru_cache(maxsize=64)
def fields_of(template: Template) -> Fields:
    """Return the fields that do not exist and the Go values that are printed, in order."""
    if len(template.text) > LONGEST:
        return Fields((), ())
    try:
        walk = _Walk(template.tree)
        walk.body(template.tree.templates[""], ROOT, {"$": ROOT})
        for name, body in template.tree.templates.items():
            if name and name in walk.arguments:
                walk.in_definition = True
                dot = walk.argument(name)
                walk.body(body, dot, {"$": dot})
    except RecursionError:
        return Fields((), ())  # nested as no person nests it
    return Fields(tuple(dict.fromkeys(walk.unknown)), tuple(dict.fromkeys(walk.printed)))


class _Walk:
    def __init__(self, tree: Tree) -> None:
        self._text = tree.text
        self._assigned = _assigned(tree)
        self.unknown: list[UnknownField] = []
        self.printed: list[PrintedValue] = []
        self.arguments: dict[str, set[GoType | None]] = {}
        self.in_definition = False
        self._prints = False

    def argument(self, name: str) -> GoType | None:
        """Return what a named template is called with, None where that is several things."""
        given = self.arguments[name]
        return next(iter(given)) if len(given) == 1 else None

    def body(self, body: Body, dot: GoType | None, names: _Names) -> None:
        for node in body.for_go:
            if isinstance(node, Action):
                self._action(node, dot, names)
            elif isinstance(node, Branch):
                self._branch(node, dot, dict(names))
            elif isinstance(node, TemplateCall | Block):
                given = self.pipeline(node.pipeline, dot, names) if node.pipeline else None
                self.arguments.setdefault(node.name, set()).add(given)

    def _action(self, node: Action, dot: GoType | None, names: _Names) -> None:
        self._prints = not node.pipeline.declared
        value = self.pipeline(node.pipeline, dot, names)
        self._prints = False
        if node.pipeline.declared:
            if not node.pipeline.assigns:
                self._declare(names, node.pipeline.declared[0], value)
        elif value in STRUCTS and value is not None:
            self.printed.append(PrintedValue(node.pipeline.start, node.pipeline.end, value))

    def _branch(self, node: Branch, dot: GoType | None, names: _Names) -> None:
        value = self.pipeline(node.pipeline, dot, names)
        declared, inner = node.pipeline.declared, dot
        if isinstance(node, With):
            inner = value
        if isinstance(node, Range):
            inner = element(value)
            for variable, part in zip(reversed(declared), (inner, INT), strict=False):
                self._declare(names, variable, part if part is not INT or is_list(value) else None)
        elif declared:
            self._declare(names, declared[0], value)
        self.body(node.body, inner, dict(names))
        if node.otherwise:
            self.body(
                node.otherwise,
                dot,
                dict(names)
                if not isinstance(node, Range)
                else {**names, **{variable.names[0]: None for variable in declared}},
            )

    def _declare(self, names: _Names, variable: Variable, value: GoType | None) -> None:
        name = variable.names[0]
        names[name] = None if name in self._assigned else value

    def pipeline(self, node: Pipeline, dot: GoType | None, names: _Names) -> GoType | None:
        """Return what a pipeline gives, and take note of what is unknown in it."""
        result: GoType | None = None
        for number, command in enumerate(node.commands):
            first, *rest = command.operands
            if isinstance(first, Identifier):
                prints, self._prints = self._prints, False
                given = [self.operand(argument, dot, names) for argument in rest]
                self._prints = prints
                result = called(first.name, [*given, result] if number else given)
            else:
                result = self.operand(first, dot, names)
                for argument in rest:
                    self.operand(argument, dot, names)
        return result

    def operand(self, node: Operand, dot: GoType | None, names: _Names) -> GoType | None:
        if isinstance(node, Dot):
            return dot
        if isinstance(node, String):
            return STRING
        if isinstance(node, Field):
            return self._fields(dot, node.names, node.start, node.end)
        if isinstance(node, Variable):
            start = node.start + len(node.names[0])
            return self._fields(names.get(node.names[0]), node.names[1:], start, node.end)
        if isinstance(node, Parenthesized):
            return self.pipeline(node.pipeline, dot, names)
        if isinstance(node, Chain):
            return self._fields(self.operand(node.operand, dot, names), node.names, node.operand.end, node.end)
        return None

    def _fields(self, value: GoType | None, names: tuple[str, ...], start: int, end: int) -> GoType | None:
        for number, name in enumerate(names):
            place = self._text.find("." + name, start, end)
            if value is None or place < 0:
                return None
            known, found = field(value, name)
            if not known:
                prints = self._prints and number == len(names) - 1
                self.unknown.append(
                    UnknownField(name, place, place + 1 + len(name), value, number == 0, prints, self.in_definition)
                )
            value, start = found, place + 1 + len(name)
        return value


def _assigned(tree: Tree) -> frozenset[str]:
    """Return the variables that are set anywhere: what they hold is not known."""
    found: set[str] = set()

    def visit(body: Body) -> None:
        for node in body.nodes:
            pipeline = getattr(node, "pipeline", None)
            if pipeline is not None and pipeline.assigns:
                found.update(variable.names[0] for variable in pipeline.declared)
            if isinstance(node, Branch | Define | Block):
                visit(node.body)
            if isinstance(node, Branch) and node.otherwise:
                visit(node.otherwise)

    visit(tree.root)
    return frozenset(found)
