"""``index``, ``slice`` and ``len``. Source of the rules: Go, ``text/template/funcs.go`` and ``reflect``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.syntax.gotemplate.literals import decode, encode
from modelsmith.template.go.state import CallError
from modelsmith.template.go.values.values import (
    ANY,
    NIL,
    NO_VALUE,
    Byte,
    Interface,
    Map,
    Pointer,
    Slice,
    type_of,
    unwrap,
    zero,
)

if TYPE_CHECKING:
    from modelsmith.template.go.state import State


def _position(index: Any, limit: int) -> int:
    """Return an index as a number; ``limit`` itself is still accepted here."""
    if index is NO_VALUE:
        raise CallError("cannot index slice/array with nil")
    if type(index) is not int and type(index) is not Byte:
        raise CallError(f"cannot index slice/array with type {type_of(index).name}")
    if not 0 <= index <= limit:
        raise CallError(f"index out of range: {int(index)}")
    return int(index)


def _followed(value: Any, function: str) -> Any:
    """Follow a pointer."""
    if value is NIL or (isinstance(value, Pointer) and value.target is None):
        raise CallError(f"{function} of nil pointer")
    return value.target if isinstance(value, Pointer) else value


def index(_state: State, values: list[Any]) -> Any:
    """Return ``x[i][j]…`` of a list, a map or a string."""
    item = unwrap(values[0])
    if item is NO_VALUE:
        raise CallError("index of untyped nil")
    for at in map(unwrap, values[1:]):
        item = _followed(item.value if type(item) is Interface else item, "index")
        if isinstance(item, str):
            data = encode(item)
            place = _position(at, len(data))
            if place == len(data):
                raise CallError("reflect: string index out of range")
            item = Byte(data[place])
        elif isinstance(item, Slice):
            place = _position(at, len(item))
            if place == len(item):
                raise CallError("reflect: slice index out of range")
            item = _element(item, item[place])
        elif isinstance(item, Map):
            if at is NO_VALUE:
                raise CallError("value is nil; should be of type string")
            if type(at) is not str:
                raise CallError(f"value has type {type_of(at).name}; should be string")
            found = item.entries.get(at)
            item = zero(item.type.element or ANY) if found is None else _element(item, found)
        else:
            raise CallError(f"can't index item of type {type_of(item).name}")
    return item


def _element(container: Slice | Map, found: Any) -> Any:
    if container.type.element is ANY and found is not NIL:
        return Interface(found)
    return Byte(found) if isinstance(container, Slice) and isinstance(container.items, bytes) else found


def slice_(_state: State, values: list[Any]) -> Any:
    """Return ``x[i:j]`` of a string, by bytes, or ``x[i:j:k]`` of a list, which may grow up to its capacity."""
    item = unwrap(values[0])
    if item is NO_VALUE:
        raise CallError("slice of untyped nil")
    item = _followed(item, "slice")
    if len(values) > 4:
        raise CallError(f"too many slice indexes: {len(values) - 1}")
    if isinstance(item, str):
        if len(values) == 4:
            raise CallError("cannot 3-index slice a string")
        # a character of ASCII is a byte
        data = item if item.isascii() else encode(item)
        length = capacity = len(data)
    elif isinstance(item, Slice):
        length, capacity = len(item), item.capacity
    else:
        raise CallError(f"can't slice item of type {type_of(item).name}")
    bounds = [_position(at, capacity) for at in values[1:]]
    start, stop, limit = (bounds + [0, length, capacity][len(bounds) :])[:3]
    if start > stop:
        raise CallError(f"invalid slice index: {start} > {stop}")
    if stop > limit:
        raise CallError(f"invalid slice index: {stop} > {limit}")
    if isinstance(item, str):
        part = data[start:stop]
        return part if isinstance(part, str) else decode(part)
    items, first = item.items, item.start
    beyond = first + stop - len(items)
    if beyond > 0:
        items = (
            items + bytes(beyond) if isinstance(items, bytes) else [*items, *[zero(item.type.element or ANY)] * beyond]
        )
    taken = Slice(item.type, items, start=first + start, stop=first + stop, capacity=limit - start)
    taken.is_nil = item.is_nil
    return taken


def length(_state: State, values: list[Any]) -> int:
    """Return how many items, or bytes of a string, there are."""
    value = values[0]
    if value is NO_VALUE:
        raise CallError("reflect: call of reflect.Value.Type on zero Value")
    item = _followed(value.value if type(value) is Interface else value, "len")
    if isinstance(item, str):
        return len(item) if item.isascii() else len(encode(item))
    if isinstance(item, Slice | Map):
        return len(item)
    raise CallError(f"len of type {type_of(item).name}")
