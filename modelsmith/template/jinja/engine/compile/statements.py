"""Compile statements into functions that add what they print to a list of texts.

Variables are one mapping. A loop, a macro and a ``call`` work on a copy of it: a loop's own lasts over all its rounds, a macro's is
that of its caller. What is printed is counted where it is added, before the texts are joined: a long text that a loop prints again
and again is no memory until then.

Source: llama.cpp, common/jinja/runtime.cpp.
"""

from __future__ import annotations

from sys import getrefcount
from typing import TYPE_CHECKING

from modelsmith.template.jinja.engine.budget import POINTER, ROUNDS
from modelsmith.template.jinja.engine.compile.calls import filter_code
from modelsmith.template.jinja.engine.failures import Breaking, Continuing, Failure, Leave
from modelsmith.template.jinja.engine.tree import nodes
from modelsmith.template.jinja.engine.values.model import Bare, Parts, Undefined, Value, Watched, noticing, type_name
from modelsmith.template.jinja.engine.values.printing import gather

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelsmith.template.jinja.engine.budget import Run
    from modelsmith.template.jinja.engine.compile.code import Code, Compiler, Writer
    from modelsmith.template.jinja.engine.functions.arguments import Variables

Body = tuple[list[tuple[str, "Writer"]], str, int]
"""Statements: the text before each that is no text, the text after the last, and how many bytes these texts are together."""

_LONG = 1000
_NOBODY_ELSE = 2
"""A text in a variable that is given another one: only the function that asks refers to it still, and it gives its bytes back."""
_PREVIOUS = Undefined("previtem")
_NEXT = Undefined("nextitem")


def body_of(compiler: Compiler, statements: Sequence[nodes.Node]) -> Body:
    """Compile statements; the text between them is put together here."""
    pairs: list[tuple[str, Writer]] = []
    text = ""
    for node in statements:
        if isinstance(node, nodes.Text) and not compiler.in_parts:
            text += node.value
        elif not isinstance(node, (nodes.Comment, nodes.Noop)):
            pairs.append((text, compiler.writer(node)))
            text = ""
    return pairs, text, len(text) + sum(len(before) for before, _ in pairs)


def write(body: Body, scope: Variables, run: Run, texts: list[str]) -> None:
    """Run statements and add what they print."""
    pairs, last, size = body
    run.left -= size
    for text, writer in pairs:
        if text:
            texts.append(text)
        writer(scope, run, texts)
    if last:
        texts.append(last)


def printed(code: Code) -> Writer:
    """Compile what an expression prints."""

    def write_value(scope: Variables, run: Run, texts: list[str]) -> None:
        value = code(scope, run)
        if type(value) is str:
            run.left -= len(value)
            texts.append(value)
        elif value is not None:
            start = len(texts)
            gather(value, texts)
            run.left -= sum(map(len, texts[start:]))

    return write_value


def block(compiler: Compiler, statements: Sequence[nodes.Node]) -> Code:
    """Compile statements into a function that returns what they print."""
    body = body_of(compiler, statements)
    in_parts = compiler.in_parts

    def run_block(scope: Variables, run: Run) -> Value:
        texts: list[str] = []
        write(body, scope, run, texts)
        if run.left < 0:
            run.look_around()
        if in_parts:
            return Parts.of(*texts)
        text = "".join(texts)
        run.left -= len(text)
        return text

    return run_block


def condition(compiler: Compiler, node: nodes.If) -> Writer:
    """Compile ``{% if %}`` with all its ``elif``; what a branch printed is lost where it leaves the loop or the round."""
    branches = []
    current: nodes.If = node
    while True:
        branches.append((current, compiler.code(current.test), body_of(compiler, current.body)))
        otherwise = current.otherwise
        if len(otherwise) != 1 or not isinstance(otherwise[0], nodes.If):
            break
        current = otherwise[0]
    rest = body_of(compiler, otherwise)

    def write_condition(scope: Variables, run: Run, texts: list[str]) -> None:
        for branch, test, body in branches:
            try:
                holds = test(scope, run)
                if holds is not True and holds is not False:
                    holds = bool(holds)
            except Failure as failure:
                failure.at(branch)
                raise
            if holds:
                pairs, last, size = body
                break
        else:
            pairs, last, size = rest
        run.left -= size
        start = len(texts)
        try:
            for text, writer in pairs:
                if text:
                    texts.append(text)
                writer(scope, run, texts)
        except Leave:
            del texts[start:]
            raise
        if last:
            texts.append(last)

    return write_condition


def loop(compiler: Compiler, node: nodes.For) -> Writer:
    """Compile ``{% for %}``."""
    chosen = node.iterable if isinstance(node.iterable, nodes.Select) else None
    iterable = compiler.code(chosen.value if chosen else node.iterable)
    test = compiler.code(chosen.test) if chosen else None
    put = _target(node.target)
    name = node.target.text if isinstance(node.target, nodes.Name) else None
    is_single = name is not None
    body, otherwise = body_of(compiler, node.body), body_of(compiler, node.otherwise)
    pairs, last, size = body
    has_loop = compiler.mentions("loop")

    def write_loop(scope: Variables, run: Run, texts: list[str]) -> None:
        inner = dict(scope)
        start = len(texts)
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
                run.left -= size
                if run.left < 0 or run.steps < 0 or not run.steps & ROUNDS:
                    run.look_around()
                if has_loop:
                    inner["loop"] = _loop_values(items, place)
                if name is None:
                    put(inner, value)
                else:
                    inner[name] = value
                try:
                    for text, writer in pairs:
                        if text:
                            texts.append(text)
                        writer(inner, run, texts)
                    if last:
                        texts.append(last)
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
        except Leave:
            del texts[start:]
            raise

    return write_loop


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


def assignment(compiler: Compiler, node: nodes.Set) -> Writer:
    """Compile ``{% set %}``."""
    value_code = compiler.code(node.value) if node.value else block(compiler, node.body)
    if isinstance(node.target, nodes.Name):
        return _named(node, node.target.text, value_code)
    assign = _assigning(compiler, node.target)

    def write_assignment(scope: Variables, run: Run, _: list[str]) -> None:
        try:
            assign(scope, value_code(scope, run), run)
        except Failure as failure:
            failure.at(node)
            raise

    return write_assignment


def _named(node: nodes.Set, key: str, value_code: Code) -> Writer:
    """Compile what gives one variable a value."""

    def write_named(scope: Variables, run: Run, _: list[str]) -> None:
        try:
            value = value_code(scope, run)
        except Failure as failure:
            failure.at(node)
            raise
        if type(value) is str and len(value) > _LONG:
            old = scope.get(key)
            scope[key] = value
            if type(old) is str and getrefcount(old) == _NOBODY_ELSE:
                run.left += len(old)
        else:
            scope[key] = value

    return write_named


def _assigning(compiler: Compiler, target: nodes.Node) -> Callable[[Variables, Value, Run], None]:
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


def filter_block(compiler: Compiler, node: nodes.FilterBlock) -> Writer:
    """Compile ``{% filter %}``."""
    body = block(compiler, node.body)
    apply = filter_code(compiler, node.filter)

    def run_filter(scope: Variables, run: Run) -> Value:
        try:
            return apply(body(scope, run), scope, run)
        except Failure as failure:
            failure.at(node)
            raise

    return printed(run_filter)


def breaking(_: Compiler, __: nodes.Break) -> Writer:
    """Compile ``{% break %}``."""

    def write_break(_: Variables, __: Run, ___: list[str]) -> None:
        raise Breaking

    return write_break


def continuing(_: Compiler, __: nodes.Continue) -> Writer:
    """Compile ``{% continue %}``."""

    def write_continue(_: Variables, __: Run, ___: list[str]) -> None:
        raise Continuing

    return write_continue
