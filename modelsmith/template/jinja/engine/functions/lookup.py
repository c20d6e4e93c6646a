"""Members: ``a.b`` and ``a[b]``.

Source: llama.cpp, common/jinja/runtime.cpp (``member_expression``).
"""

from __future__ import annotations

from modelsmith.template.jinja.engine.failures import Failure
from modelsmith.template.jinja.engine.functions.methods import method_of
from modelsmith.template.jinja.engine.values.compare import check_key, is_comparable
from modelsmith.template.jinja.engine.values.model import Function, Undefined, Value, Watched, is_integer, type_name
from modelsmith.template.jinja.engine.values.printing import to_text

_NOTHING = Undefined("object_property")


def attribute(value: Value, name: str) -> Value:
    """Return ``value.name``: a method before a member."""
    method = method_of(value, name)
    return Function(name, method, value) if method else item(value, name)


def item(value: Value, key: Value) -> Value:
    """Return ``value[key]``: a member before a method; undefined where there is neither."""
    if isinstance(key, Undefined):
        return _NOTHING
    if isinstance(key, Function) or (isinstance(key, (list, tuple, dict)) and not is_comparable(key)):
        raise Failure(f"Type: {type_name(key)} is not allowed as object key")
    if isinstance(value, Undefined):
        return _NOTHING
    found = _found(value, key)
    _note(value, key, found)
    return found


def _found(value: Value, key: Value) -> Value:
    if isinstance(value, dict):
        name = to_text(key)
        check_key(key)
        found = value.get(key, _NOTHING)
        return _method(value, name) if isinstance(found, Undefined) else found
    if isinstance(value, (list, tuple, str)):
        if is_integer(key):
            size = len(value)
            place = key + size if key < 0 and not isinstance(value, str) else key
            return value[place] if 0 <= place < size else _NOTHING
        if not isinstance(key, str):
            raise Failure(f"Cannot access property with non-string/non-number: got {type_name(key)}")
    elif not isinstance(key, str):
        raise Failure(f"Cannot access property with non-string: got {type_name(key)}")
    return _method(value, key)


def _method(value: Value, name: str) -> Value:
    method = method_of(value, name)
    return Function(name, method, value) if method else Undefined(name)


def _note(value: Value, key: Value, found: Value) -> None:
    """Let watched values know that they were looked up, and looked into."""
    for operand in (value, found):
        if isinstance(operand, Watched):
            operand.used = True
    if isinstance(value, Watched) and (is_integer(key) or isinstance(key, str)):
        value.note("array_access" if is_integer(key) else "object_access")
