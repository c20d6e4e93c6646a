"""What can be done with an object. Of an object that has a member of such a name, ``a.items`` is still the method.

Source: llama.cpp, common/jinja/value.cpp (``value_object_t::get_builtins``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.template.jinja.engine.budget import SMALL
from modelsmith.template.jinja.engine.failures import Failure, Unimplemented
from modelsmith.template.jinja.engine.functions.arguments import OBJECT, Arguments
from modelsmith.template.jinja.engine.functions.builtins import as_text, tojson
from modelsmith.template.jinja.engine.values.compare import compare_values, in_order

if TYPE_CHECKING:
    from modelsmith.template.jinja.engine.functions.builtins import Builtin
    from modelsmith.template.jinja.engine.values.model import Value


def _get(arguments: Arguments) -> Value:
    count = arguments.count(2, 3)
    value, key = arguments.values[:2]
    if not isinstance(value, dict):
        raise Failure("get: first argument must be an object")
    if not isinstance(key, str):
        raise Failure("get: second argument must be a string (key)")
    return value.get(key, arguments.values[2] if count == 3 else None)


def _object(arguments: Arguments) -> Any:
    value = arguments.demand(OBJECT)[0]
    arguments.run.spend(len(value) * SMALL)
    return value


def _keys(arguments: Arguments) -> Value:
    return list(_object(arguments))


def _values(arguments: Arguments) -> Value:
    return list(_object(arguments).values())


def _items(arguments: Arguments) -> Value:
    return list(_object(arguments).items())


def _length(arguments: Arguments) -> Value:
    return len(arguments.demand(OBJECT)[0])


def _dictsort(arguments: Arguments) -> Value:
    value = arguments.at(0)
    by = arguments.named_or_at("by", 2)
    operator = "gt" if arguments.named_or_at("reverse", 3) else "lt"
    place = 1 if by == "value" else 0

    def before(left: tuple[Value, Value], right: tuple[Value, Value]) -> bool:
        return compare_values(left[place], right[place], operator)

    arguments.run.spend(len(value) * 2 * SMALL)
    return dict(in_order(list(value.items()), before))


def _join(_: Arguments) -> Value:
    raise Unimplemented("object join not implemented")


OBJECT_METHODS: dict[str, Builtin] = {
    "get": _get,
    "keys": _keys,
    "values": _values,
    "items": _items,
    "tojson": tojson,
    "string": as_text(OBJECT),
    "length": _length,
    "dictsort": _dictsort,
    "join": _join,
}
