"""Go's pipelines as Jinja expressions, the dot and the variables being known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from modelsmith.errors import ConversionError
from modelsmith.syntax.gotemplate import nodes as go
from modelsmith.template.convert.to_jinja import values
from modelsmith.template.convert.to_jinja.calls import call
from modelsmith.template.convert.to_jinja.values import NOTHING, ROOT, Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class TranslationScope:
    """What is known at a place: the dot, the root, variables, the loops around it (innermost last)."""

    dot: Value
    root: Value
    variables: Mapping[str, Value]
    loops: tuple[int, ...] = ()
    depth: int = 0

    @property
    def loop(self) -> int | None:
        """The innermost loop."""
        return self.loops[-1] if self.loops else None


class Expressions:
    """Translates pipelines; ``root`` says what the keys of Ollama's map of values are.

    ``kinds`` are the kinds that variables have by now whose code is the key: they can change when they are set again.
    """

    def __init__(self, root: Mapping[str, Value]) -> None:
        self._root = root
        self.kinds: dict[str, str] = {}

    def value(self, pipeline: go.Pipeline, scope: TranslationScope) -> Value:
        """Return what a pipeline gives."""
        piped: tuple[Value, ...] = ()
        for command in pipeline.commands:
            first, *rest = command.operands
            given = [*(self._operand(operand, scope) for operand in rest), *piped]
            if isinstance(first, go.Identifier):
                piped = (call(first.name, given, scope.loop),)
            elif given:
                raise ConversionError("a value that is called cannot be written in Jinja")
            else:
                piped = (self._operand(first, scope),)
        return piped[0]

    def _operand(self, operand: go.Operand, scope: TranslationScope) -> Value:
        match operand:
            case go.Dot():
                return scope.dot
            case go.Field():
                return self._fields(scope.dot, operand.names)
            case go.Variable():
                if operand.names[0] not in scope.variables:
                    raise ConversionError(f"the variable {operand.names[0]} cannot be followed")
                value = scope.variables[operand.names[0]]
                value = replace(value, kind=self.kinds.get(value.code, value.kind))
                return self._fields(value, operand.names[1:])
            case go.Parenthesized():
                return self.value(operand.pipeline, scope)
            case go.Chain():
                inner = operand.operand
                start = (
                    call(inner.name, (), scope.loop)
                    if isinstance(inner, go.Identifier)
                    else self._operand(inner, scope)
                )
                return self._fields(start, operand.names)
            case go.String():
                return values.text(operand.value)
            case go.Bool():
                return values.truth(operand.value)
            case go.Number() if isinstance(operand.value, int):
                return values.number(operand.value)
            case go.Identifier():
                return call(operand.name, (), scope.loop)
        raise ConversionError("a number that is not whole, or nil, cannot be written in Jinja")

    def _fields(self, value: Value, names: Sequence[str]) -> Value:
        for name in names:
            value = self._root.get(name, NOTHING) if value.kind == ROOT else values.field(value, name)
        return value
