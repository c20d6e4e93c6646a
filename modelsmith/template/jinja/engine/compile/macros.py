"""Compile macros, and blocks that are handed to one.

Source: llama.cpp, common/jinja/runtime.cpp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.template.jinja.engine.compile.calls import invoke
from modelsmith.template.jinja.engine.compile.statements import block, printed
from modelsmith.template.jinja.engine.failures import Failure, LimitReached
from modelsmith.template.jinja.engine.tree import nodes
from modelsmith.template.jinja.engine.values.model import UNBOUND, Function, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelsmith.template.jinja.engine.budget import Run
    from modelsmith.template.jinja.engine.compile.code import Code, Compiler, Writer
    from modelsmith.template.jinja.engine.functions.arguments import Arguments, Variables


def macro(compiler: Compiler, node: nodes.Macro) -> Writer:
    """Compile ``{% macro %}``: it becomes a function among the variables."""
    title = node.title.text if isinstance(node.title, nodes.Name) else None
    bind = _binding(compiler, title or "", node.parameters)
    body = block(compiler, node.body)

    def run_macro(arguments: Arguments) -> Value:
        return _call_body(bind, body, arguments.scope, arguments)

    def define(scope: Variables, _: Run, __: list[str]) -> None:
        if title is None:
            failure = Failure("Macro name must be an identifier")
            failure.at(node)
            raise failure
        scope[title] = Function(title, run_macro, UNBOUND)

    return define


def _call_body(
    bind: Callable[[Variables, Arguments], None], body: Code, scope: Variables, arguments: Arguments
) -> Value:
    run = arguments.run
    run.step()
    run.depth += 1
    if run.depth > run.limits.depth:
        raise LimitReached("its macros call each other without end")
    inner = dict(scope)
    bind(inner, arguments)
    result = body(inner, run)
    run.depth -= 1
    return result


def _binding(
    compiler: Compiler, title: str, parameters: Sequence[nodes.Node]
) -> Callable[[Variables, Arguments], None]:
    """Return what gives a macro's parameters their values; a default counts only behind the last argument."""
    known = []
    for node in parameters:
        default = None
        if isinstance(node, nodes.Keyword):
            default = compiler.code(node.value)
            problem = f"Keyword argument key must be an identifier in '{title}'"
            key = node.key.text if isinstance(node.key, nodes.Name) else None
        else:
            problem = f"Invalid parameter type in '{title}'"
            key = node.text if isinstance(node, nodes.Name) else None
        known.append((key, default, problem))

    def bind(scope: Variables, arguments: Arguments) -> None:
        given = len(arguments.values)
        for place, (key, default, problem) in enumerate(known):
            if place >= given and default is None:
                raise Failure(f"Not enough arguments provided to '{title}'")
            if key is None:
                raise Failure(problem)
            if place < given:
                scope[key] = arguments.named_or_at(key, place)
            elif default is not None:
                scope[key] = default(arguments.scope, arguments.run)

    return bind


def call_block(compiler: Compiler, node: nodes.CallBlock) -> Writer:
    """Compile ``{% call %}``: the function that is called sees the block as ``caller``."""
    callee = compiler.code(node.call.callee)
    given = [compiler.code(argument) for argument in node.call.arguments]
    bind = _binding(compiler, "caller", node.parameters)
    body = block(compiler, node.body)

    def run_call(scope: Variables, run: Run) -> Value:
        outer = dict(scope)

        def run_caller(arguments: Arguments) -> Value:
            return _call_body(bind, body, outer, arguments)

        try:
            function = callee(scope, run)
            values = [code(scope, run) for code in given] if isinstance(function, Function) else []
            inner = dict(scope)
            inner["caller"] = Function("caller", run_caller, UNBOUND)
            return invoke(function, values, inner, run)
        except Failure as failure:
            failure.at(node)
            raise

    return printed(run_call)
