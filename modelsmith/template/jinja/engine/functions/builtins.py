"""The functions that templates find by their name alone, and the tests of ``is``.

Source: llama.cpp, common/jinja/value.cpp (``global_builtins``).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from modelsmith.template.jinja.engine.budget import MAPPING, SMALL
from modelsmith.template.jinja.engine.failures import Failure, Raised, Unimplemented
from modelsmith.template.jinja.engine.functions.arguments import (
    BOOLEAN,
    FLOAT,
    INTEGER,
    STRING,
    Arguments,
    ArgumentType,
)
from modelsmith.template.jinja.engine.values.compare import compare_values, is_in
from modelsmith.template.jinja.engine.values.model import Function, Named, Undefined, Value, Watched, type_name
from modelsmith.template.jinja.engine.values.printing import as_ascii, to_json, to_text
from modelsmith.template.jinja.engine.values.texts import from_bytes, to_bytes

Builtin = Callable[[Arguments], Value]
"""What a function, a test or a method is: it gets its arguments and returns a value."""

_LONGEST_DATE = 99


def raise_exception(arguments: Arguments) -> Value:
    """Let a template refuse a conversation."""
    message = arguments.demand(STRING)[0]
    raise Raised(f"Jinja Exception: {message}")


def namespace(arguments: Arguments) -> Value:
    """Make an object whose members can be set."""
    made: dict[Value, Value] = {}
    arguments.run.spend(MAPPING)
    for value in arguments.values:
        if not isinstance(value, Named):
            raise Failure("namespace() arguments must be kwargs")
        made[value.key] = value.value
    return made


def strftime_now(arguments: Arguments) -> Value:
    """Write the date as C's ``strftime`` does; a result of nothing or of 100 bytes is refused."""
    form = from_bytes(arguments.demand(STRING)[0])
    if len(form) > _LONGEST_DATE and "%" not in form:
        raise Failure("strftime_now: failed to format time")
    arguments.run.spend(len(form))
    text = to_bytes(time.strftime(form.replace("\0", ""), arguments.run.now.timetuple()))
    if not 0 < len(text) <= _LONGEST_DATE:
        raise Failure("strftime_now: failed to format time")
    return text


def integers(arguments: Arguments) -> Value:
    """Make an array of integers: ``range``."""
    count = arguments.count(1, 3)
    first, last, step = (*arguments.demand(INTEGER), None, None)[:3]
    if count == 1:
        first, last, step = 0, first, 1
    elif count == 2:
        step = 1
    last, step = _integer(last), _integer(step)
    if step == 0:
        raise Failure("range() step argument must not be zero")
    found = range(first, last, step)
    arguments.run.spend(len(found) * SMALL)
    return list(found)


def _integer(value: Value) -> int:
    if INTEGER.holds(value) or BOOLEAN.holds(value) or FLOAT.holds(value):
        return int(value)
    raise Failure(f"{type_name(value)} is not an int value")


def tojson(arguments: Arguments) -> Value:
    """Write a value as JSON."""
    arguments.count(1, 5)
    ascii_only = arguments.named_or_at("ensure_ascii", 1)
    indent = arguments.named_or_at("indent", 2)
    separators = arguments.named_or_at("separators", 3)
    if arguments.named_or_at("sort_keys", 4):
        raise Unimplemented("tojson sort_keys=true not implemented")
    if arguments.run.watching:
        mark_all(arguments.at(0))
    margin = indent if INTEGER.holds(indent) else -1
    if margin > 1000:
        arguments.run.spend(margin * 1000)
    given = separators if isinstance(separators, (list, tuple)) else ()
    between = to_text(given[0]) if given else (", " if margin < 0 else ",")
    after_key = to_text(given[1]) if len(given) > 1 else ": "
    text = to_json(arguments.at(0), margin, between, after_key)
    text = as_ascii(text) if ascii_only else text
    arguments.run.spend(len(text))
    return text


def as_text(kind: ArgumentType) -> Builtin:
    """Return the function that writes an array or an object as text, and looks at all that is in it."""

    def string(arguments: Arguments) -> Value:
        value = arguments.demand(kind)[0]
        if arguments.run.watching:
            mark_all(value)
        text = to_text(value)
        arguments.run.spend(len(text))
        return text

    return string


def mark_all(value: Value) -> None:
    """Let watched values know that they, and all that is in them, were used."""
    left, known = [value], set()
    while left:
        found = left.pop()
        if id(found) in known:
            continue
        known.add(id(found))
        if isinstance(found, Watched):
            found.used = True
        if isinstance(found, (list, tuple)):
            left += found
        elif isinstance(found, dict):
            left += found.values()


def _of_type(*kinds: type, but: type | tuple[()] = ()) -> Builtin:
    def test(arguments: Arguments) -> Value:
        arguments.count(1)
        return isinstance(arguments.values[0], kinds) and not isinstance(arguments.values[0], but)

    return test


def _compared(operator: str) -> Builtin:
    def test(arguments: Arguments) -> Value:
        arguments.count(2, 2)
        return compare_values(arguments.values[0], arguments.values[1], operator)

    return test


def _unimplemented(name: str) -> Builtin:
    def test(_: Arguments) -> Value:
        raise Unimplemented(f"{name} test not implemented")

    return test


def _divisible(arguments: Arguments) -> Value:
    number, divisor = arguments.demand(INTEGER, INTEGER)[:2]
    if not divisor:
        raise Failure("it divides by zero, which ends llama-server")
    return number % divisor == 0


def _is_none(arguments: Arguments) -> Value:
    arguments.count(1)
    return arguments.values[0] is None


def _is_defined(arguments: Arguments) -> Value:
    arguments.count(1)
    return not isinstance(arguments.values[0], Undefined)


def _is(constant: bool) -> Builtin:
    def test(arguments: Arguments) -> Value:
        arguments.count(1)
        return arguments.values[0] is constant

    return test


def _test_in(arguments: Arguments) -> Value:
    arguments.count(2)
    return is_in(arguments.values[0], arguments.values[1])


def _is_lower(arguments: Arguments) -> Value:
    return not any("A" <= char <= "Z" for char in arguments.demand(STRING)[0])


def _is_upper(arguments: Arguments) -> Value:
    return not any("a" <= char <= "z" for char in arguments.demand(STRING)[0])


def _is_odd(arguments: Arguments) -> Value:
    return arguments.demand(INTEGER)[0] % 2 != 0


def _is_even(arguments: Arguments) -> Value:
    return arguments.demand(INTEGER)[0] % 2 == 0


def _is_test(arguments: Arguments) -> Value:
    return f"test_is_{arguments.demand(STRING)[0]}" in FUNCTIONS


_TESTS: dict[str, Builtin] = {
    "boolean": _of_type(bool),
    "callable": _of_type(Function),
    "odd": _is_odd,
    "even": _is_even,
    "false": _is(False),
    "true": _is(True),
    "divisibleby": _divisible,
    "string": _of_type(str),
    "integer": _of_type(int, but=bool),
    "float": _of_type(float),
    "number": _of_type(int, float, but=bool),
    "iterable": _of_type(list, tuple, str, Undefined),
    "sequence": _of_type(list, tuple, str, Undefined),
    "mapping": _of_type(dict),
    "lower": _is_lower,
    "upper": _is_upper,
    "none": _is_none,
    "defined": _is_defined,
    "undefined": _of_type(Undefined),
    "eq": _compared("eq"),
    "equalto": _compared("eq"),
    "ge": _compared("ge"),
    "gt": _compared("gt"),
    "greaterthan": _compared("gt"),
    "lt": _compared("lt"),
    "lessthan": _compared("lt"),
    "ne": _compared("ne"),
    "in": _test_in,
    "test": _is_test,
    "sameas": _unimplemented("sameas"),
    "escaped": _unimplemented("escaped"),
    "filter": _unimplemented("filter"),
}

FUNCTIONS: dict[str, Builtin] = {
    "raise_exception": raise_exception,
    "namespace": namespace,
    "strftime_now": strftime_now,
    "range": integers,
    "tojson": tojson,
    **{f"test_is_{name}": test for name, test in _TESTS.items()},
}
"""What a name can mean that is no variable: the functions, and each test as a function too."""


def test_named(name: str) -> Builtin | None:
    """Return the test that ``is name`` asks for."""
    return FUNCTIONS.get(f"test_is_{name}")
