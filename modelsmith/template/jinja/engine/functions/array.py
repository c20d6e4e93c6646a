"""What can be done with an array (and a tuple): llama.cpp's filters give arrays, never generators.

Source: llama.cpp, common/jinja/value.cpp (``value_array_t::get_builtins``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.template.jinja.engine.budget import POINTER, SMALL
from modelsmith.template.jinja.engine.failures import Failure, Unimplemented
from modelsmith.template.jinja.engine.functions.arguments import ARRAY, INTEGER, STRING, Arguments
from modelsmith.template.jinja.engine.functions.builtins import as_text, test_named, tojson
from modelsmith.template.jinja.engine.functions.text import default_value, sliced, whole
from modelsmith.template.jinja.engine.values.compare import check_key, compare_values, in_order
from modelsmith.template.jinja.engine.values.model import UNDEFINED, Named, Undefined, Value, is_number, type_name
from modelsmith.template.jinja.engine.values.printing import to_text

if TYPE_CHECKING:
    from modelsmith.template.jinja.engine.functions.builtins import Builtin


def _array(arguments: Arguments, message: str) -> Any:
    value = arguments.at(0)
    if not isinstance(value, (list, tuple)):
        raise Failure(message)
    return value


def _like(original: Value, items: list[Value]) -> Value:
    return tuple(items) if isinstance(original, tuple) else items


def _changeable(value: Value) -> list[Value]:
    if isinstance(value, tuple):
        raise Failure("Attempting to modify immutable type")
    changeable: list[Value] = value
    return changeable


def item_at(value: Value, place: int) -> Value:
    """Return an item of an array, counted from the end where negative; raises Failure where there is none."""
    index = place + len(value) if place < 0 else place
    if not 0 <= index < len(value):
        raise Failure(f"Index {index} out of bounds for array of size {len(value)}")
    return value[index]


def member_at(value: Value, key: Value) -> Value:
    """Return a member of an object; raises Failure where there is none."""
    check_key(key)
    if key not in value:
        raise Failure(f"Key '{to_text(key)}' not found in value of type Object")
    return value[key]


def _list(arguments: Arguments) -> Value:
    value = arguments.demand(ARRAY)[0]
    arguments.run.spend(len(value) * POINTER)
    return list(value)


def _first(arguments: Arguments) -> Value:
    value = arguments.demand(ARRAY)[0]
    return value[0] if value else UNDEFINED


def _last(arguments: Arguments) -> Value:
    value = arguments.demand(ARRAY)[0]
    return value[-1] if value else UNDEFINED


def _length(arguments: Arguments) -> Value:
    return len(arguments.demand(ARRAY)[0])


def _slice(arguments: Arguments) -> Value:
    return sliced(arguments, ARRAY)


def _selecting(*, wanted: bool) -> Builtin:
    def select(arguments: Arguments) -> Value:
        count = arguments.count(2, 4)
        items, attribute = arguments.demand(ARRAY, STRING)[:2]
        arguments.run.spend(len(items) * POINTER)
        if count == 2:
            return [item for item in items if bool(_attribute(item, attribute)) == wanted]
        name, extra = (attribute, arguments.values[2]) if count == 3 else arguments.values[2:4]
        test = test_named(to_text(name))
        if test is None:
            raise Failure(f"selectattr: unknown test '{to_text(name)}'")
        found = []
        for item in items:
            subject = item if count == 3 else _attribute(item, attribute)
            if bool(test(Arguments("", [subject, extra], arguments.scope, arguments.run))) == wanted:
                found.append(item)
        return found

    return select


def _attribute(item: Value, attribute: str) -> Value:
    if not isinstance(item, dict):
        raise Failure("selectattr: item is not an object")
    return item.get(attribute, UNDEFINED)


def _join(arguments: Arguments) -> Value:
    arguments.count(1, 3)
    items = _array(arguments, "join() first argument must be an array")
    between = arguments.named_or_at("d", 1)
    attribute = arguments.named_or_at("attribute", 2)
    by_place = INTEGER.holds(attribute)
    if not isinstance(attribute, (Undefined, str)) and not by_place:
        raise Failure("join() attribute must be string or integer")
    middle = "" if isinstance(between, Undefined) else to_text(between)
    texts = []
    for item in items:
        value = item
        if by_place and isinstance(value, (list, tuple)):
            value = item_at(value, attribute)
        elif isinstance(attribute, str) and isinstance(value, dict):
            value = member_at(value, attribute)
        if not isinstance(value, str) and not is_number(value):
            raise Failure("join() can only join arrays of strings or numerics")
        texts.append(to_text(value))
    arguments.run.spend(sum(map(len, texts)) + len(texts) * len(middle))
    return middle.join(texts)


def _map(arguments: Arguments) -> Value:
    arguments.count(2)
    items = _array(arguments, "map: first argument must be an array")
    if not isinstance(arguments.values[1], Named):
        raise Unimplemented("map: filter-mapping not implemented")
    attribute = arguments.named_or_at("attribute", 1)
    by_place = INTEGER.holds(attribute)
    if not isinstance(attribute, str) and not by_place:
        raise Failure("map: attribute must be string or integer")
    default = arguments.named("default")
    arguments.run.spend(len(items) * POINTER)
    found = []
    for item in items:
        value = default
        if by_place and isinstance(item, (list, tuple)):
            value = item[attribute] if -len(item) <= attribute < len(item) else default
        elif not by_place and isinstance(item, dict):
            value = item.get(attribute, default)
        found.append(value)
    return _like(items, found)


def _append(arguments: Arguments) -> Value:
    arguments.count(2)
    items = _array(arguments, "append: first argument must be an array")
    arguments.run.spend(SMALL)
    _changeable(items).append(arguments.values[1])
    return items


def _pop(arguments: Arguments) -> Value:
    count = arguments.count(1, 2)
    items = arguments.demand(ARRAY)[0]
    place = whole(arguments.values[1]) if count == 2 else -1
    found = item_at(_changeable(items), place)
    del items[place]
    return found


def _sort(arguments: Arguments) -> Value:
    arguments.count(1, 4)
    items = _array(arguments, "sort: first argument must be an array")
    operator = "gt" if arguments.named_or_at("reverse", 1) else "lt"
    attribute = arguments.named_or_at("attribute", 3)
    by_place = INTEGER.holds(attribute)

    def before(left: Value, right: Value) -> bool:
        pair = [left, right]
        if not isinstance(attribute, Undefined):
            if by_place and all(isinstance(value, (list, tuple)) for value in pair):
                pair = [item_at(value, attribute) for value in pair]
            elif not by_place and all(isinstance(value, dict) for value in pair):
                pair = [member_at(value, attribute) for value in pair]
            else:
                raise Failure(
                    f"sort: unsupported object attribute comparison between {type_name(left)} and {type_name(right)}"
                )
        return compare_values(pair[0], pair[1], operator)

    arguments.run.spend(len(items) * POINTER)
    return _like(items, in_order(list(items), before))


def _reverse(arguments: Arguments) -> Value:
    value = arguments.demand(ARRAY)[0]
    arguments.run.spend(len(value) * POINTER)
    return _like(value, list(reversed(value)))


def _outermost(name: str, operator: str) -> Builtin:
    def choose(arguments: Arguments) -> Value:
        arguments.count(1, 4)
        items = arguments.demand(ARRAY)[0]
        if not isinstance(arguments.named_or_at("attribute", 2), Undefined):
            raise Unimplemented(f"{name}: attribute not implemented")
        if not items:
            return UNDEFINED
        result = items[0]
        for item in items[1:]:
            if compare_values(item, result, operator):
                result = item
        return result

    return choose


def _unique(_: Arguments) -> Value:
    raise Unimplemented("Array unique builtin not implemented")


ARRAY_METHODS: dict[str, Builtin] = {
    "default": default_value,
    "list": _list,
    "first": _first,
    "last": _last,
    "length": _length,
    "slice": _slice,
    "selectattr": _selecting(wanted=True),
    "select": _selecting(wanted=True),
    "rejectattr": _selecting(wanted=False),
    "reject": _selecting(wanted=False),
    "join": _join,
    "string": as_text(ARRAY),
    "tojson": tojson,
    "map": _map,
    "append": _append,
    "pop": _pop,
    "sort": _sort,
    "reverse": _reverse,
    "min": _outermost("min", "lt"),
    "max": _outermost("max", "gt"),
    "unique": _unique,
}
