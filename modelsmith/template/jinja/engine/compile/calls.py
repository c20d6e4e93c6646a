"""Compile calls, filters and tests.

Source: llama.cpp, common/jinja/runtime.cpp and runtime.h.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.template.jinja.engine.budget import POINTER
from modelsmith.template.jinja.engine.compile.names import known_method
from modelsmith.template.jinja.engine.failures import Failure
from modelsmith.template.jinja.engine.functions.arguments import Arguments
from modelsmith.template.jinja.engine.functions.builtins import test_named
from modelsmith.template.jinja.engine.functions.lookup import item
from modelsmith.template.jinja.engine.functions.methods import method_of
from modelsmith.template.jinja.engine.tree import nodes
from modelsmith.template.jinja.engine.values.model import (
    UNBOUND,
    Function,
    Named,
    Undefined,
    Value,
    noticing,
    type_name,
)
from modelsmith.template.jinja.engine.values.printing import to_text
from modelsmith.template.jinja.engine.values.texts import WHITE, lower, upper

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.template.jinja.engine.budget import Run
    from modelsmith.template.jinja.engine.compile.code import Code, Compiler
    from modelsmith.template.jinja.engine.functions.arguments import Variables
    from modelsmith.template.jinja.engine.functions.builtins import Builtin

_ALIASES = {"count": "length", "d": "default", "e": "escape", "trim": "strip"}
_OF_TEXTS = frozenset({"capitalize", "lower", "replace", "strip", "title", "upper", "wordcount"})


def call(compiler: Compiler, node: nodes.Call) -> Code:
    """Compile a call: of a function, a macro, or the method of a value."""
    arguments = [compiler.code(argument) for argument in node.arguments]
    callee = node.callee
    if isinstance(callee, nodes.Member) and not callee.computed and isinstance(callee.property, nodes.Name):
        return _method_call(compiler, node, callee, callee.property.text, arguments)
    callee_code = compiler.code(callee)

    def run_call(scope: Variables, run: Run) -> Value:
        try:
            values = [code(scope, run) for code in arguments]
            return invoke(callee_code(scope, run), values, scope, run)
        except Failure as failure:
            failure.at(node)
            raise

    return run_call


def _method_call(
    compiler: Compiler, node: nodes.Call, callee: nodes.Member, wanted: str, arguments: list[Code]
) -> Code:
    subject = compiler.code(callee.object)

    def run_method(scope: Variables, run: Run) -> Value:
        try:
            values = [code(scope, run) for code in arguments]
            try:
                value = subject(scope, run)
                method = method_of(value, wanted)
                found = None if method else item(value, wanted)
            except Failure as failure:
                failure.at(callee)
                raise
            if method:
                return result_of(method, Arguments(wanted, [value, *values], scope, run))
            return invoke(found, values, scope, run)
        except Failure as failure:
            failure.at(node)
            raise

    return run_method


def invoke(function: Value, values: list[Value], scope: Variables, run: Run) -> Value:
    """Call a function; raises Failure for what is none."""
    if not isinstance(function, Function):
        raise Failure(f"Callee is not a function: got {type_name(function)}")
    bound = values if function.subject is UNBOUND else [function.subject, *values]
    return result_of(function.body, Arguments(function.name, bound, scope, run))


def result_of(body: Builtin, arguments: Arguments) -> Value:
    """Return what a function makes of its arguments; while values are watched, it is watched too."""
    result = body(arguments)
    return noticing(result) if arguments.run.watching else result


def keyword(compiler: Compiler, node: nodes.Keyword) -> Code:
    """Compile ``key=value`` of a call."""
    value = compiler.code(node.value)
    key = node.key.text if isinstance(node.key, nodes.Name) else None

    def run_keyword(scope: Variables, run: Run) -> Value:
        if key is None:
            failure = Failure("Keyword argument key must be identifiers")
            failure.at(node)
            raise failure
        return Named(key, value(scope, run))

    return run_keyword


def spread(_: Compiler, node: nodes.Spread) -> Code:
    """Compile ``*a``, which llama.cpp reads and cannot run."""

    def run_spread(_: Variables, __: Run) -> Value:
        failure = Failure("cannot exec SpreadExpression")
        failure.at(node)
        raise failure

    return run_spread


def filtered(compiler: Compiler, node: nodes.Filter) -> Code:
    """Compile ``a|b``."""
    operand = compiler.code(node.operand)
    apply = filter_code(compiler, node.filter)

    def run_filter(scope: Variables, run: Run) -> Value:
        try:
            return apply(operand(scope, run), scope, run)
        except Failure as failure:
            failure.at(node)
            raise

    return run_filter


def filter_code(compiler: Compiler, node: nodes.Node) -> Callable[[Value, Variables, Run], Value]:
    """Compile what stands behind a ``|``."""
    arguments: list[Code] = []
    is_bare = isinstance(node, nodes.Name)
    if isinstance(node, nodes.Call) and isinstance(node.callee, nodes.Name):
        arguments = [compiler.code(argument) for argument in node.arguments]
        node = node.callee
    if not isinstance(node, nodes.Name):
        is_call = isinstance(node, nodes.Call)
        return _broken_filter("Filter callee must be an identifier" if is_call else "Invalid filter expression")
    wanted = _ALIASES.get(node.text, node.text)
    coerces = is_bare and wanted in _OF_TEXTS

    if is_bare and not compiler.watching and not compiler.in_parts and wanted in _PLAIN_FILTERS:
        return _plain_filter(wanted)

    def apply(value: Value, scope: Variables, run: Run) -> Value:
        if coerces and not isinstance(value, (str, Undefined)):
            value = to_text(value)
        values = [value, *[code(scope, run) for code in arguments]] if arguments else [value]
        return result_of(known_method(value, wanted), Arguments(wanted, values, scope, run))

    return apply


def _plain_filter(wanted: str) -> Callable[[Value, Variables, Run], Value]:
    """Compile a filter without arguments that most often gets a text, or an array."""
    kinds, change, size = _PLAIN_FILTERS[wanted]
    coerces = wanted in _OF_TEXTS

    def apply(value: Value, scope: Variables, run: Run) -> Value:
        if type(value) in kinds:
            run.left -= len(value) * size
            return change(value)
        if coerces and not isinstance(value, (str, Undefined)):
            value = to_text(value)
        return known_method(value, wanted)(Arguments(wanted, [value], scope, run))

    return apply


def _stripped(value: str) -> str:
    return value.strip(WHITE)


_PLAIN_FILTERS: dict[str, tuple[frozenset[type], Callable[[Value], Value], int]] = {
    "strip": (frozenset({str}), _stripped, 1),
    "upper": (frozenset({str}), upper, 1),
    "lower": (frozenset({str}), lower, 1),
    "string": (frozenset({str}), str, 0),
    "length": (frozenset({str, list, tuple, dict}), len, 0),
    "list": (frozenset({list}), list, POINTER),
}
"""Filters that can do without the arguments of a call for some kinds of values, and the bytes that they build for each byte or item."""


def _broken_filter(message: str) -> Callable[[Value, Variables, Run], Value]:
    def apply(_: Value, __: Variables, ___: Run) -> Value:
        raise Failure(message)

    return apply


def tested(compiler: Compiler, node: nodes.Test) -> Code:
    """Compile ``a is b``."""
    operand = compiler.code(node.operand)
    test, arguments = node.test, []
    if isinstance(test, nodes.Call) and isinstance(test.callee, nodes.Name):
        arguments = [compiler.code(argument) for argument in test.arguments]
        test = test.callee
    wanted = test.text if isinstance(test, nodes.Name) else ""
    negated = node.negated
    if not arguments and wanted in _PLAIN_TESTS:
        holds = _PLAIN_TESTS[wanted]

        def run_plain(scope: Variables, run: Run) -> Value:
            return holds(operand(scope, run)) is not negated

        return run_plain
    problem = f"Unknown test '{wanted}'" if wanted else "Invalid test expression"
    if isinstance(test, nodes.Call):
        problem = "Test callee must be an identifier"
    found = test_named(wanted) or _refusing(problem)

    def run_test(scope: Variables, run: Run) -> Value:
        try:
            values = [operand(scope, run), *[code(scope, run) for code in arguments]]
            result = found(Arguments("", values, scope, run))
        except Failure as failure:
            failure.at(node)
            raise
        return not result if negated else result

    return run_test


def _refusing(problem: str) -> Builtin:
    def test(_: Arguments) -> Value:
        raise Failure(problem)

    return test


def _is_defined(value: Value) -> bool:
    return not isinstance(value, Undefined)


def _is_undefined(value: Value) -> bool:
    return isinstance(value, Undefined)


def _is_none(value: Value) -> bool:
    return value is None


def _is_string(value: Value) -> bool:
    return isinstance(value, str)


def _is_mapping(value: Value) -> bool:
    return isinstance(value, dict)


def _is_sequence(value: Value) -> bool:
    return isinstance(value, (list, tuple, str, Undefined))


def _is_true(value: Value) -> bool:
    return value is True


def _is_false(value: Value) -> bool:
    return value is False


_PLAIN_TESTS: dict[str, Callable[[Value], bool]] = {
    "true": _is_true,
    "false": _is_false,
    "defined": _is_defined,
    "undefined": _is_undefined,
    "none": _is_none,
    "string": _is_string,
    "mapping": _is_mapping,
    "iterable": _is_sequence,
    "sequence": _is_sequence,
}
