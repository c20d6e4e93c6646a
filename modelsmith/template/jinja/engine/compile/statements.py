"""Compile statements into functions: each returns what it prints, or nothing.

Variables are one mapping. A loop, a macro and a ``call`` work on a copy of it: a loop's own lasts over all its rounds, a macro's is
that of its caller.

Source: llama.cpp, common/jinja/runtime.cpp.
"""

from __future__ import annotations

from sys import getrefcount
from typing import TYPE_CHECKING

from modelsmith.template.jinja.engine.budget import POINTER, ROUNDS
from modelsmith.template.jinja.engine.compile.calls import filter_code
from modelsmith.template.jinja.engine.failures import Breaking, Continuing, Failure
from modelsmith.template.jinja.engine.tree import nodes
from modelsmith.template.jinja.engine.values.model import Bare, Parts, Undefined, Value, Watched, noticing, type_name
from modelsmith.template.jinja.engine.values.printing import gather

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelsmith.template.jinja.engine.budget import Run
    from modelsmith.template.jinja.engine.compile.code import Code, Compiler
    from modelsmith.template.jinja.engine.functions.arguments import Variables

Body = tuple[list[tuple[str, "Code"]], str]
"""Statements: the text before each that is no text, and the text after the last."""

_LONG = 1000
_NOBODY_ELSE = 2
"""A text in a variable that is given another one: only the function that asks refers to it still, and it gives its bytes back."""
_PREVIOUS = Undefined("previtem")
_NEXT = Undefined("nextitem")


def body_of(compiler: Compiler, statements: Sequence[nodes.Node]) -> Body:
    """Compile statements; the text between them is put together here."""
    pairs: list[tuple[str, Code]] = []
    text = ""
    for node in statements:
        if isinstance(node, nodes.Text) and not compiler.in_parts:
            text += node.value
        elif not isinstance(node, (nodes.Comment, nodes.Noop)):
            pairs.append((text, compiler.code(node)))
            text = ""
    return pairs, text


def write(body: Body, scope: Variables, run: Run, texts: list[str]) -> None:
    """Run statements and add what they print."""
    pairs, last = body
    for text, code in pairs:
        if text:
            texts.append(text)
        value = code(scope, run)
        if type(value) is str:
            texts.append(value)
        elif value is not None:
            gather(value, texts)
    if last:
        texts.append(last)


def block(compiler: Compiler, statements: Sequence[nodes.Node]) -> Code:
    """Compile statements into a function that returns what they print."""
    body = body_of(compiler, statements)
    in_parts = compiler.in_parts
    pairs, last = body
    if len(pairs) == 1 and not in_parts:
        return _single(*pairs[0], last)
    if not pairs:

        def run_text(_: Variables, __: Run) -> Value:
            return last

        return run_text

    def run_block(scope: Variables, run: Run) -> Value:
        texts: list[str] = []
        write(body, scope, run, texts)
        return _joined(texts, run, in_parts=in_parts)

    return run_block


def _single(before: str, code: Code, after: str) -> Code:
    """Compile a block of one statement."""

    def run_single(scope: Variables, run: Run) -> Value:
        value = code(scope, run)
        if type(value) is not str:
            if value is None:
                return before + after
            texts: list[str] = []
            gather(value, texts)
            value = "".join(texts)
        run.left -= len(value)
        return before + value + after if before or after else value

    return run_single


def _joined(texts: list[str], run: Run, *, in_parts: bool) -> str:
    if in_parts:
        return Parts.of(*texts)
    text = "".join(texts)
    run.left -= len(text)
    return text


def condition(compiler: Compiler, node: nodes.If) -> Code:
    """Compile ``{% if %}`` with all its ``elif``."""
    branches = []
    current: nodes.If = node
    while True:
        branches.append((current, compiler.code(current.test), block(compiler, current.body)))
        otherwise = current.otherwise
        if len(otherwise) != 1 or not isinstance(otherwise[0], nodes.If):
            break
        current = otherwise[0]
    rest = block(compiler, otherwise)

    def run_condition(scope: Variables, run: Run) -> Value:
        for branch, test, body in branches:
            try:
                holds = test(scope, run)
                if holds is not True and holds is not False:
                    holds = bool(holds)
            except Failure as failure:
                failure.at(branch)
                raise
            if holds:
                return body(scope, run)
        return rest(scope, run)

    return run_condition


def loop(compiler: Compiler, node: nodes.For) -> Code:
    """Compile ``{% for %}``."""
    chosen = node.iterable if isinstance(node.iterable, nodes.Select) else None
    iterable = compiler.code(chosen.value if chosen else node.iterable)
    test = compiler.code(chosen.test) if chosen else None
    put = _target(node.target)
    name = node.target.text if isinstance(node.target, nodes.Name) else None
    is_single = name is not None
    body, otherwise = body_of(compiler, node.body), body_of(compiler, node.otherwise)
    has_loop, in_parts = compiler.mentions("loop"), compiler.in_parts

    def run_loop(scope: Variables, run: Run) -> Value:
        inner = dict(scope)
        texts: list[str] = []
        try:
            items = _items(iterable(inner, run), is_single=is_single)
            run.left -= len(items) * POINTER
            if items:
                items = _checked(items, node.target)
            if test:
                items = _chosen(items, put, test, dict(inner), run)
            ran = False
            for place, value in enumerate(items):
                run.steps -= 1
                if run.left < 0 or run.steps < 0 or not run.steps & ROUNDS:
                    run.look_around()
                if has_loop:
                    inner["loop"] = _loop_values(items, place)
                if name is None:
                    put(inner, value)
                else:
                    inner[name] = value
                try:
                    write(body, inner, run, texts)
                except Continuing:
                    continue
                except Breaking:
                    break
                ran = True
            if not ran:
                write(otherwise, scope, run, texts)
        except Failure as failure:
            failure.at(node)
            raise
        return _joined(texts, run, in_parts=in_parts)

    return run_loop


def _items(value: Value, *, is_single: bool) -> list[Value]:
    if isinstance(value, Watched):
        value.note("array_access")
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, dict):
        return list(value) if is_single else list(value.items())
    if isinstance(value, Undefined):
        return []
    raise Failure(f"Expected iterable or object type in for loop: got {type_name(value)}")


def _checked(items: list[Value], target: nodes.Node) -> list[Value]:
    """Refuse items that the target cannot take, before the first round."""
    if isinstance(target, nodes.TupleOf):
        for value in items:
            if not isinstance(value, (list, tuple)):
                raise Failure(f"Cannot unpack non-iterable type: {type_name(value)}")
            _check_size(value, target, "")
    elif not isinstance(target, nodes.Name):
        raise Failure(f"Invalid loop variable(s): {target.name}")
    return items


def _check_size(value: Sequence[Value], target: nodes.TupleOf, where: str) -> None:
    if len(value) != len(target.items):
        raise Failure(f"Too {'few' if len(target.items) > len(value) else 'many'} items to unpack{where}")


def _chosen(
    items: list[Value], put: Callable[[Variables, Value], None], test: Code, scope: Variables, run: Run
) -> list[Value]:
    found = []
    for value in items:
        run.step()
        put(scope, value)
        if test(scope, run):
            found.append(value)
    return found


def _loop_values(items: list[Value], place: int) -> Bare:
    size = len(items)
    return Bare(
        index=place + 1,
        index0=place,
        revindex=size - place,
        revindex0=size - place - 1,
        first=place == 0,
        last=place == size - 1,
        length=size,
        previtem=items[place - 1] if place else _PREVIOUS,
        nextitem=items[place + 1] if place < size - 1 else _NEXT,
    )


def _target(node: nodes.Node) -> Callable[[Variables, Value], None]:
    """Return what gives a loop's variables their values."""
    if isinstance(node, nodes.TupleOf):
        items = node.items

        def put_all(scope: Variables, value: Value) -> None:
            for target, part in zip(items, value, strict=True):
                if not isinstance(target, nodes.Name):
                    raise Failure(f"Cannot unpack non-identifier type: {target.name}")
                scope[target.text] = part

        return put_all
    key = node.text if isinstance(node, nodes.Name) else ""

    def put(scope: Variables, value: Value) -> None:
        scope[key] = value

    return put


def assignment(compiler: Compiler, node: nodes.Set) -> Code:
    """Compile ``{% set %}``."""
    value_code = compiler.code(node.value) if node.value else block(compiler, node.body)
    assign = _assigning(compiler, node.target)

    def run_assignment(scope: Variables, run: Run) -> Value:
        try:
            assign(scope, value_code(scope, run), run)
        except Failure as failure:
            failure.at(node)
            raise

    return run_assignment


def _assigning(compiler: Compiler, target: nodes.Node) -> Callable[[Variables, Value, Run], None]:
    if isinstance(target, nodes.Name):
        key = target.text

        def assign(scope: Variables, value: Value, run: Run) -> None:
            if type(value) is str and len(value) > _LONG:
                old = scope.get(key)
                scope[key] = value
                if type(old) is str and getrefcount(old) == _NOBODY_ELSE:
                    run.left += len(old)
            else:
                scope[key] = value

        return assign
    if isinstance(target, nodes.TupleOf):
        items = target

        def assign_all(scope: Variables, value: Value, _: Run) -> None:
            if not isinstance(value, (list, tuple)):
                raise Failure(f"Cannot unpack non-iterable type in set: {type_name(value)}")
            _check_size(value, items, " in set")
            for node, part in zip(items.items, value, strict=True):
                if not isinstance(node, nodes.Name):
                    raise Failure(f"Cannot unpack to non-identifier in set: {node.name}")
                scope[node.text] = part

        return assign_all
    if isinstance(target, nodes.Member) and not target.computed and isinstance(target.property, nodes.Name):
        subject, member = compiler.code(target.object), target.property.text

        def assign_member(scope: Variables, value: Value, run: Run) -> None:
            owner = subject(scope, run)
            if not isinstance(owner, dict):
                raise Failure("Cannot assign to member of non-object")
            if run.watching:
                owner[member] = noticing(value)
            elif type(value) is str and len(value) > _LONG:
                old = owner.get(member)
                owner[member] = value
                if type(old) is str and getrefcount(old) == _NOBODY_ELSE:
                    run.left += len(old)
            else:
                owner[member] = value

        return assign_member
    message = f"Invalid LHS inside assignment expression: {target.name}"
    if isinstance(target, nodes.Member):
        kind = "computed member" if target.computed else "member with non-identifier property"
        message = f"Cannot assign to {kind}"

    def refuse(_: Variables, __: Value, ___: Run) -> None:
        raise Failure(message)

    return refuse


def filter_block(compiler: Compiler, node: nodes.FilterBlock) -> Code:
    """Compile ``{% filter %}``."""
    body = block(compiler, node.body)
    apply = filter_code(compiler, node.filter)

    def run_filter(scope: Variables, run: Run) -> Value:
        try:
            return apply(body(scope, run), scope, run)
        except Failure as failure:
            failure.at(node)
            raise

    return run_filter


def breaking(_: Compiler, __: nodes.Break) -> Code:
    """Compile ``{% break %}``."""

    def run_break(_: Variables, __: Run) -> Value:
        raise Breaking

    return run_break


def continuing(_: Compiler, __: nodes.Continue) -> Code:
    """Compile ``{% continue %}``."""

    def run_continue(_: Variables, __: Run) -> Value:
        raise Continuing

    return run_continue
