"""``eq ne lt le gt ge``. Source of the rules: Go, ``text/template/funcs.go``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.syntax.gotemplate.literals import encode
from modelsmith.template.go.functions import printf
from modelsmith.template.go.state import CallError
from modelsmith.template.go.values.values import NO_VALUE, Byte, Map, Pointer, Slice, type_of, unwrap

if TYPE_CHECKING:
    from modelsmith.template.go.state import State

# integers compare with bytes, and nothing else with what is not of its own kind
_KINDS = {bool: "bool", int: "integer", Byte: "integer", float: "float", complex: "complex", str: "string"}


def _incompatible(left: Any, right: Any) -> CallError:
    return CallError(f"incompatible types for comparison: {type_of(left).name} and {type_of(right).name}")


def _is_nil(value: Any) -> bool:
    if isinstance(value, Pointer):
        return value.target is None
    return value is NO_VALUE or (isinstance(value, Slice | Map) and value.is_nil)


def _equal(state: State, left: Any, right: Any) -> bool:
    kind = _KINDS.get(type(left))
    if kind != _KINDS.get(type(right)):
        if left is not NO_VALUE and right is not NO_VALUE:
            raise _incompatible(left, right)
        return False
    if kind:
        equal: bool = left == right
        return equal
    left_kind, right_kind = (None if one is NO_VALUE else type_of(one).kind for one in (left, right))
    if left_kind and right_kind and left_kind != right_kind:
        layout = "non-comparable types %s: %s, %s: %v"
        raise CallError(printf.sprintf(layout, [left, type_of(left).name, type_of(right).name, right], state.room))
    if _is_nil(left) or _is_nil(right):
        return _is_nil(left) and _is_nil(right)
    if not isinstance(right, Pointer):
        raise CallError(printf.sprintf("non-comparable type %s: %s", [right, type_of(right).name], state.room))
    return left is right


def eq(state: State, values: list[Any]) -> bool:
    """Say whether the first value equals any of the others."""
    first, *others = map(unwrap, values)
    if not others:
        raise CallError("missing argument for comparison")
    return any(_equal(state, first, other) for other in others)


def ne(state: State, values: list[Any]) -> bool:
    """Say whether two values differ."""
    return not _equal(state, unwrap(values[0]), unwrap(values[1]))


def lt(_state: State, values: list[Any]) -> bool:
    """Say whether the first value is less than the second."""
    left, right = map(unwrap, values)
    kind, other = _KINDS.get(type(left)), _KINDS.get(type(right))
    if kind is None or other is None:
        raise CallError("invalid type for comparison")
    if kind != other:
        raise _incompatible(left, right)
    if kind in ("bool", "complex"):
        raise CallError("invalid type for comparison")
    less: bool = encode(left) < encode(right) if kind == "string" else left < right
    return less


def le(state: State, values: list[Any]) -> bool:
    """Say whether the first value is not greater than the second."""
    return lt(state, values) or eq(state, values)


def gt(state: State, values: list[Any]) -> bool:
    """Say whether the first value is greater than the second."""
    return not le(state, values)


def ge(state: State, values: list[Any]) -> bool:
    """Say whether the first value is not less than the second."""
    return not lt(state, values)
