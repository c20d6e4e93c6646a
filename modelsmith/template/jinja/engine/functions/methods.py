"""What can be done with a value: its filters, which are its methods too.

Source: llama.cpp, common/jinja/value.cpp (``get_builtins`` of each type).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.template.jinja.engine.failures import Failure
from modelsmith.template.jinja.engine.functions.arguments import BOOLEAN, FLOAT, INTEGER, Arguments
from modelsmith.template.jinja.engine.functions.array import ARRAY_METHODS
from modelsmith.template.jinja.engine.functions.builtins import tojson
from modelsmith.template.jinja.engine.functions.object import OBJECT_METHODS
from modelsmith.template.jinja.engine.functions.text import TEXT_METHODS, default_value
from modelsmith.template.jinja.engine.values.model import (
    UNDEFINED,
    Bare,
    Function,
    Named,
    Undefined,
    Value,
    Watched,
    as_integer,
    type_name,
)

if TYPE_CHECKING:
    from modelsmith.template.jinja.engine.functions.builtins import Builtin


def _absolute_integer(arguments: Arguments) -> Value:
    return abs(arguments.demand(INTEGER)[0])


def _absolute_float(arguments: Arguments) -> Value:
    value = arguments.demand(FLOAT)[0]
    return -value if value < 0.0 else value


def _same_integer(arguments: Arguments) -> Value:
    return arguments.demand(INTEGER)[0]


def _integer_to_float(arguments: Arguments) -> Value:
    return float(arguments.demand(INTEGER)[0])


def _float_to_integer(arguments: Arguments) -> Value:
    return as_integer(arguments.demand(FLOAT)[0])


def _same_float(arguments: Arguments) -> Value:
    return arguments.demand(FLOAT)[0]


def _boolean_to_text(arguments: Arguments) -> Value:
    return "True" if arguments.demand(BOOLEAN)[0] else "False"


def _boolean_to_integer(arguments: Arguments) -> Value:
    return int(arguments.demand(BOOLEAN)[0])


def _boolean_to_float(arguments: Arguments) -> Value:
    return float(arguments.demand(BOOLEAN)[0])


def _none_to_text(_: Arguments) -> Value:
    return "None"


def _no_array(_: Arguments) -> Value:
    return []


def _no_text(_: Arguments) -> Value:
    return ""


def _no_number(_: Arguments) -> Value:
    return 0


def _nothing(_: Arguments) -> Value:
    return UNDEFINED


_INTEGER_METHODS: dict[str, Builtin] = {
    "default": default_value,
    "abs": _absolute_integer,
    "int": _same_integer,
    "float": _integer_to_float,
    "safe": tojson,
    "string": tojson,
    "tojson": tojson,
}
_FLOAT_METHODS: dict[str, Builtin] = {
    "default": default_value,
    "abs": _absolute_float,
    "int": _float_to_integer,
    "float": _same_float,
    "safe": tojson,
    "string": tojson,
    "tojson": tojson,
}
_BOOLEAN_METHODS: dict[str, Builtin] = {
    "default": default_value,
    "int": _boolean_to_integer,
    "float": _boolean_to_float,
    "safe": _boolean_to_text,
    "string": _boolean_to_text,
    "tojson": tojson,
}
_NONE_METHODS: dict[str, Builtin] = {
    "default": default_value,
    "tojson": tojson,
    "string": _none_to_text,
    "safe": _none_to_text,
    **dict.fromkeys(("items", "map", "reject", "rejectattr", "select", "selectattr", "unique"), _no_array),
}
_UNDEFINED_METHODS: dict[str, Builtin] = {
    "default": default_value,
    **dict.fromkeys(("first", "last", "max", "min"), _nothing),
    **dict.fromkeys(("length", "sum", "wordcount"), _no_number),
    **dict.fromkeys(
        ("capitalize", "join", "lower", "replace", "safe", "string", "strip", "title", "truncate", "upper"), _no_text
    ),
    **dict.fromkeys(
        ("items", "list", "map", "reject", "rejectattr", "reverse", "select", "selectattr", "sort", "unique"), _no_array
    ),
}
_NO_METHODS: dict[str, Builtin] = {}

_METHODS: dict[type, dict[str, Builtin]] = {
    str: TEXT_METHODS,
    list: ARRAY_METHODS,
    tuple: ARRAY_METHODS,
    Bare: _NO_METHODS,
    dict: OBJECT_METHODS,
    bool: _BOOLEAN_METHODS,
    int: _INTEGER_METHODS,
    float: _FLOAT_METHODS,
    type(None): _NONE_METHODS,
    Undefined: _UNDEFINED_METHODS,
}

ALL_METHODS = frozenset(name for methods in _METHODS.values() for name in methods)
"""Every name that some value has a method of."""


def method_of(value: Value, name: str) -> Builtin | None:
    """Return the method of a value that has this name; raises Failure for a function, which has no methods at all."""
    methods = _METHODS.get(type(value))
    return methods.get(name) if methods is not None else _method_of_another(value, name)


def _method_of_another(value: Value, name: str) -> Builtin | None:
    if isinstance(value, (Function, Named)):
        raise Failure(f"{type_name(value)} has no builtins")
    if isinstance(value, Watched):
        value.note(name)
    return next(methods for kind, methods in _METHODS.items() if isinstance(value, kind)).get(name)
