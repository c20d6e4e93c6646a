"""Compile variables, literals and members.

Source: llama.cpp, common/jinja/runtime.cpp and runtime.h.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.template.jinja.engine.budget import MAPPING, SMALL
from modelsmith.template.jinja.engine.compile.code import constant
from modelsmith.template.jinja.engine.failures import Failure
from modelsmith.template.jinja.engine.functions.arguments import Arguments
from modelsmith.template.jinja.engine.functions.builtins import FUNCTIONS
from modelsmith.template.jinja.engine.functions.lookup import attribute, item
from modelsmith.template.jinja.engine.functions.methods import ALL_METHODS, method_of
from modelsmith.template.jinja.engine.functions.text import whole
from modelsmith.template.jinja.engine.tree import nodes
from modelsmith.template.jinja.engine.values.compare import check_key
from modelsmith.template.jinja.engine.values.model import (
    UNBOUND,
    UNDEFINED,
    Function,
    Undefined,
    Value,
    Watched,
    WatchedArray,
    WatchedObject,
    noticing,
    type_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.template.jinja.engine.budget import Run
    from modelsmith.template.jinja.engine.compile.code import Code, Compiler
    from modelsmith.template.jinja.engine.functions.arguments import Variables
    from modelsmith.template.jinja.engine.functions.builtins import Builtin


def name(compiler: Compiler, node: nodes.Name) -> Code:
    """Compile a variable; what is undefined may be a function."""
    text = node.text
    missing = Function(text, FUNCTIONS[text], UNBOUND) if text in FUNCTIONS else Undefined(text)
    if compiler.watching:

        def run_watched(scope: Variables, _: Run) -> Value:
            value = scope.get(text, missing)
            if isinstance(value, Watched):
                value.used = True
            return missing if isinstance(value, Undefined) else value

        return run_watched
    if text in FUNCTIONS:

        def run_function(scope: Variables, _: Run) -> Value:
            value = scope.get(text, missing)
            return missing if isinstance(value, Undefined) else value

        return run_function

    def run_name(scope: Variables, _: Run) -> Value:
        return scope.get(text, missing)

    return run_name


def array(compiler: Compiler, node: nodes.ArrayOf | nodes.TupleOf) -> Code:
    """Compile ``[a, b]`` and ``a, b``."""
    items = [compiler.code(element) for element in node.items]
    is_tuple, kind = isinstance(node, nodes.TupleOf), WatchedArray if compiler.watching else list

    def run_array(scope: Variables, run: Run) -> Value:
        made = [code(scope, run) for code in items]
        run.left -= (len(made) + 1) * SMALL
        return tuple(made) if is_tuple else kind(made)

    return run_array


def mapping(compiler: Compiler, node: nodes.ObjectOf) -> Code:
    """Compile ``{a: b}``."""
    pairs = [(compiler.code(key), compiler.code(value)) for key, value in node.items]
    kind = WatchedObject if compiler.watching else dict

    def run_mapping(scope: Variables, run: Run) -> Value:
        try:
            made: dict[Value, Value] = kind()
            for key_code, value_code in pairs:
                key, value = key_code(scope, run), value_code(scope, run)
                if type(key) is not str:
                    check_key(key)
                made[key] = value
        except Failure as failure:
            failure.at(node)
            raise
        run.left -= len(made) * SMALL + MAPPING
        return made

    return run_mapping


def member(compiler: Compiler, node: nodes.Member) -> Code:
    """Compile ``a.b``, ``a[b]`` and ``a[b:c:d]``."""
    subject = compiler.code(node.object)
    if isinstance(node.property, nodes.Slice) and node.computed:
        return _slice(compiler, node, node.property, subject)
    if not node.computed:
        return _attribute(compiler, node, subject)
    if isinstance(node.property, nodes.Text):
        return _known_member(compiler, node, subject, node.property.value, item)
    key_code = compiler.code(node.property)

    def run_item(scope: Variables, run: Run) -> Value:
        try:
            value, key = subject(scope, run), key_code(scope, run)
            if type(key) is str and type(value) is dict and key in value:
                found = value[key]
                if type(found) is not Undefined:
                    return found
            elif type(value) is list and type(key) is int and -len(value) <= key < len(value):
                return value[key]
            return item(value, key)
        except Failure as failure:
            failure.at(node)
            raise

    return run_item


def _attribute(compiler: Compiler, node: nodes.Member, subject: Code) -> Code:
    if not isinstance(node.property, nodes.Name):

        def run_wrong(scope: Variables, run: Run) -> Value:
            subject(scope, run)
            failure = Failure("Static member property must be an identifier")
            failure.at(node)
            raise failure

        return run_wrong
    key = node.property.text
    if key not in ALL_METHODS:
        return _known_member(compiler, node, subject, key, attribute)

    def run_attribute(scope: Variables, run: Run) -> Value:
        try:
            return attribute(subject(scope, run), key)
        except Failure as failure:
            failure.at(node)
            raise

    return run_attribute


def _known_member(
    compiler: Compiler, node: nodes.Member, subject: Code, key: str, look_up: Callable[[Value, str], Value]
) -> Code:
    """Compile a member whose name is known and is, in most objects, no method's."""
    if isinstance(node.object, nodes.Name) and node.object.text not in FUNCTIONS and not compiler.watching:
        variable, missing = node.object.text, Undefined(node.object.text)

        def run_of_variable(scope: Variables, _: Run) -> Value:
            value = scope.get(variable, missing)
            if type(value) is dict:
                found = value.get(key, missing)
                if type(found) is not Undefined:
                    return found
            try:
                return look_up(value, key)
            except Failure as failure:
                failure.at(node)
                raise

        return run_of_variable

    def run_known(scope: Variables, run: Run) -> Value:
        value = subject(scope, run)
        if type(value) is dict:
            found = value.get(key, UNDEFINED)
            if type(found) is not Undefined:
                return found
        try:
            return look_up(value, key)
        except Failure as failure:
            failure.at(node)
            raise

    return run_known


def _slice(compiler: Compiler, node: nodes.Member, ends: nodes.Slice, subject: Code) -> Code:
    first, last, step = (end and compiler.code(end) for end in (ends.first, ends.last, ends.step))

    def run_slice(scope: Variables, run: Run) -> Value:
        try:
            value = subject(scope, run)
            size = len(value) if isinstance(value, (list, tuple, str)) else 0
            by = step(scope, run) if step else 1
            backwards = (not first or not last) and whole(by) < 0
            start = first(scope, run) if first else size - 1 if backwards else 0
            stop = last(scope, run) if last else -1 if backwards else size
            method = known_method(value, "slice")
            result = method(Arguments("slice", [value, start, stop, by], scope, run))
            return noticing(result) if run.watching else result
        except Failure as failure:
            failure.at(node)
            raise

    return run_slice


def known_method(value: Value, wanted: str) -> Builtin:
    """Return the method of a value that a filter asks for; raises Failure where it has none."""
    method = method_of(value, wanted)
    if method is None:
        raise Failure(f"Unknown (built-in) filter '{wanted}' for type {type_name(value)}")
    return method


def literal(_: Compiler, node: nodes.Integer | nodes.Float | nodes.Text) -> Code:
    """Compile a number or a text."""
    return constant(node.value)


def blank(_: Compiler, __: nodes.Blank) -> Code:
    """Compile the nothing of ``a[]``."""
    return constant(UNDEFINED)
