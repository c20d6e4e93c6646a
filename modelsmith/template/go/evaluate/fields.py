"""``.A.B`` and ``$x.A``: methods, fields of structs, entries of maps. Source: Go, ``text/template/exec.go`` (evalField)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.template.go.state import CallError
from modelsmith.template.go.values.values import (
    ANY,
    MAP,
    NIL,
    NO_VALUE,
    Interface,
    Map,
    Pointer,
    Struct,
    kept,
    type_of,
    zero,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.template.go.state import Site, State
    from modelsmith.template.go.values.values import Keep, Method

    Run = Callable[[State, Any], Any]
    Where = Callable[[State], Site]


def field_of(receiver: Any, name: str, missing: Any, arguments: int | None, where: Where, state: State) -> Any:
    """Return ``receiver.name``, known as "any" where Go would know it so.

    ``missing`` is what a map without the key gives, None for the zero of its elements; ``arguments`` counts those that
    follow, None if nothing follows.
    """
    if receiver is NO_VALUE:
        return NO_VALUE
    if receiver is NIL:
        raise where(state).error(f"nil pointer evaluating interface {{}}.{name}")
    kind = type_of(receiver)
    value = receiver.value if type(receiver) is Interface else receiver
    own = type_of(value)
    method = own.methods.get(name)
    if method is not None:
        return _call(value, name, method, arguments or 0, where, state)
    if type(value) is Pointer and value.target is not None:
        value = value.target
    if type(value) is Struct:
        part = value.type.fields.get(name)
        if part is not None:
            if not part.in_json:
                raise where(state).error(f"{name} is an unexported field of struct type {kind.name}")
            if arguments is not None:
                raise where(state).error(f"{name} has arguments but cannot be invoked as function")
            found = value.fields[name]
            return Interface(found) if part.type is ANY and found is not NIL else found
    elif isinstance(value, Map):
        if arguments is not None:
            raise where(state).error(f"{name} is not a method but has arguments")
        found = value.entries.get(name)
        if found is None:
            return missing if missing is not None else zero(value.type.element or ANY)
        return Interface(found) if value.type.element is ANY and found is not NIL else found
    elif type(value) is Pointer and own.element is not None and name in own.element.fields:
        raise where(state).error(f"nil pointer evaluating {kind.name}.{name}")
    raise where(state).error(f"can't evaluate field {name} in type {kind.name}")


def _call(value: Any, name: str, method: Method, arguments: int, where: Where, state: State) -> Any:
    if arguments != method.arguments:
        raise where(state).error(f"wrong number of args for {name}: want {method.arguments} got {arguments}")
    if method.refusal:
        raise where(state).error(method.refusal)
    try:
        return method.call(value, *[None] * arguments)
    except (CallError, ValueError) as wrong:
        raise where(state).error(f"error calling {name}: {wrong}") from None


def chain_of(
    names: tuple[str, ...], missing: Any, where: Where, arguments: int | None, *, keep: Keep
) -> Callable[[State, Any], Any]:
    """Return the closure that takes a value and follows the names; the last may be a method with arguments."""
    *before, last = names
    follow = _follower(last, missing, where, arguments, keep=keep)
    if not before:
        return follow
    steps = tuple(_follower(name, missing, where, None, keep="all") for name in before)

    def follow_all(state: State, value: Any) -> Any:
        for step in steps:
            value = step(state, value)
        return follow(state, value)

    return follow_all


def _follower(
    name: str, missing: Any, where: Where, arguments: int | None, *, keep: Keep
) -> Callable[[State, Any], Any]:
    """Return the closure that follows one name."""
    finish = kept(keep)
    wraps = keep == "all"

    def follow(state: State, value: Any) -> Any:
        found = field_of(value, name, missing, arguments, where, state)
        return found if wraps else finish(found)

    if arguments is not None:
        return follow

    def follow_fast(state: State, value: Any) -> Any:
        # what fields are nearly always taken of: a message, the data, a struct; anything odd goes the long way
        if type(value) is Pointer:
            found = value.plain.get(name)
            if found is not None:
                return found
        else:
            receiver = value.value if type(value) is Interface else value
            kind = type(receiver)
            if kind is Map and receiver.type is MAP:
                found = receiver.entries.get(name)
                if found is not None and found is not NIL:
                    return Interface(found) if wraps else found
            elif kind is Struct and name in receiver.type.plain:
                return receiver.fields[name]
        return follow(state, value)

    return follow_fast
