"""Run the statements of a Jinja template before it runs: both sides of what is not decided yet, and each loop's body once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import ConversionError
from modelsmith.template.convert.translate.branches import branches, restore, snapshot
from modelsmith.template.convert.translate.code.go_code import Do, Lit, joined
from modelsmith.template.convert.translate.expressions import filter_call, value_of
from modelsmith.template.convert.translate.leaving import without_lost
from modelsmith.template.convert.translate.loops.loops import loop
from modelsmith.template.convert.translate.operations.cells import new_cell
from modelsmith.template.convert.translate.operations.filters import filtered
from modelsmith.template.convert.translate.operations.json_text import printed_by
from modelsmith.template.convert.translate.values.printed import printed, text_of
from modelsmith.template.convert.translate.values.remembering import remembered
from modelsmith.template.convert.translate.values.values import (
    FAILED,
    FRESH,
    GROWN,
    MISSING,
    Broken,
    Built,
    Cell,
    Fields,
    Function,
    Items,
    Known,
    NeedsVariable,
    Pick,
    Refused,
    Seen,
    TooMuch,
    Unset,
    Value,
    cannot,
    is_text,
    pick,
)
from modelsmith.template.jinja.engine.tree import nodes
from modelsmith.template.jinja.engine.values.texts import from_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from modelsmith.template.convert.translate.state import State
    from modelsmith.template.convert.translate.values.variables import Key


def body(state: State, statements: Sequence[nodes.Node]) -> bool:
    """Run statements; say whether what follows them is reached."""
    return all(_tried(state, statement) for statement in statements)


def _tried(state: State, node: nodes.Node) -> bool:
    """Run a statement; what no Go template can say fails where it is reached, if it is."""
    state.work[0] -= 1
    if not state.work[0]:
        raise TooMuch
    if isinstance(node, (nodes.Text, nodes.Comment)):
        return _run(state, node)
    before = snapshot(state)
    place = len(state.code)
    depths = state.depth, state.undecided, len(state.rounds), len(state.unrolled), len(state.calls)
    try:
        return _run(state, node)
    except ConversionError as error:
        refused = isinstance(error, Refused)
        if (
            not refused
            and isinstance(node, nodes.Set)
            and node.value is not None
            and isinstance(node.target, nodes.Name)
            and not _changes(node.value)
        ):
            broken = Broken(error.message)
            if node.target.text in state.bound:
                state.store(state.bound[node.target.text], broken)
            else:
                state.names[node.target.text] = broken
            return True
        restore(state, before)
        del state.code[place:]
        state.depth, state.undecided = depths[:2]
        del state.rounds[depths[2] :], state.starts[depths[2] :], state.unrolled[depths[3] :], state.calls[depths[4] :]
        if not refused:
            state.gaps.append(error.message)
        line = state.source[: node.start].count("\n") + 1
        state.fail(f"line {line} of the Jinja template")
        return False


def _changes(node: nodes.Node) -> bool:
    """Say whether an expression changes a list: to leave it out would leave that out too."""
    callee = node.callee if isinstance(node, nodes.Call) else None
    return (
        isinstance(callee, nodes.Member)
        and isinstance(callee.property, nodes.Name)
        and callee.property.text in {"append", "pop"}
    )


def _run(state: State, node: nodes.Node) -> bool:
    run = _STATEMENTS.get(type(node))
    if run is not None:
        return run(state, node)
    if _refuses(node):
        return False
    state.emit(*printed_by(state, value_of(state, node)))
    return True


def _refuses(node: nodes.Node) -> bool:
    return (
        isinstance(node, nodes.Call) and isinstance(node.callee, nodes.Name) and node.callee.text == "raise_exception"
    )


def _only_refuses(statements: Sequence[nodes.Node]) -> bool:
    others = [
        node
        for node in statements
        if not isinstance(node, (nodes.Comment, nodes.Noop))
        and not (isinstance(node, nodes.Text) and not node.value.strip())
    ]
    return bool(others) and _refuses(others[-1]) and all(isinstance(node, nodes.Set) for node in others[:-1])


def _text(state: State, node: nodes.Text) -> bool:
    state.emit(Lit(from_bytes(node.value)))
    return True


def _if(state: State, node: nodes.If) -> bool:
    if _only_refuses(node.body):
        return _unless_refused(state, node, node.otherwise, holds=False)
    if _only_refuses(node.otherwise):
        return _unless_refused(state, node, node.body, holds=True)
    test = state.truth(value_of(state, node.test))
    return branches(state, test, lambda: _branch(state, node.body), lambda: _branch(state, node.otherwise))


def _branch(state: State, statements: Sequence[nodes.Node]) -> bool:
    """Run one side of an ``if``."""
    with state.writing() as code:
        goes_on = body(state, statements)
    state.emit(*without_lost(tuple(code), goes_on=goes_on, left=bool(state.unrolled and state.left)))
    return goes_on


def _unless_refused(state: State, node: nodes.If, rest: Sequence[nodes.Node], *, holds: bool) -> bool:
    """Go on with what is not refused: no prompt comes of the other side."""
    try:
        with state.writing() as code:
            test = state.truth(value_of(state, node.test))
    except ConversionError:
        return _branch(state, rest)
    if isinstance(test, bool):
        return _branch(state, rest) if test == holds else False
    if not code:
        state.learn(test, holds)
    return _branch(state, rest)


def _set(state: State, node: nodes.Set) -> bool:
    if node.value is not None:
        value = value_of(state, node.value)
    else:
        with state.writing() as code:
            body(state, node.body)
        found = joined(tuple(code))
        known = text_of(found)
        value = Built(found) if known is None else Known(known)
    _assign(state, node.target, value)
    return True


def _assign(state: State, target: nodes.Node, value: Value) -> None:
    if isinstance(target, nodes.Name):
        if isinstance(value, Items) and not value.values:
            value = new_cell(state, value, (target.start,))
        if isinstance(value, Broken):
            raise ConversionError(value.reason)
        if target.text in state.bound:
            state.store(state.bound[target.text], value)
        else:
            state.names[target.text] = state.kept(value)
        return
    if isinstance(target, nodes.TupleOf) and isinstance(value, Items) and len(value.values) == len(target.items):
        for node, part in zip(target.items, value.values, strict=True):
            _assign(state, node, part)
        return
    if isinstance(target, nodes.Member) and not target.computed and isinstance(target.property, nodes.Name):
        assign_member(state, value_of(state, target.object), target.property.text, value)
        return
    raise cannot("setting this")


def append(state: State, owner: nodes.Node, value: Value) -> bool:
    """Add an item to a list that is a member of an object, or a list of a name; say whether it is such a one."""
    cell, name = (
        (owner.object, owner.property) if isinstance(owner, nodes.Member) and not owner.computed else (owner, None)
    )
    found = value_of(state, cell)
    if not isinstance(found, Cell) or (name is None) != found.is_list:
        return False
    member_name = name.text if isinstance(name, nodes.Name) else ""
    key = ("cell", found.number, member_name)
    if key in state.variables:
        state.store(key, _longer(state, state.slot(key), value))
        return True
    known = state.cells[found.number].values.get(member_name, MISSING)
    if isinstance(known, Unset):
        raise NeedsVariable(known.key)
    if not isinstance(known, Items):
        return False
    guards = (*known.guards, True) if known.guards else ()
    assign_member(state, found, member_name, Items((*known.values, value), guards))
    return True


def _longer(state: State, known: Value, value: Value) -> Value:
    """Return a list that is kept in a variable with an item more."""
    match state.simple(known):
        case Pick(test, yes, no):
            return pick(test, _longer(state, yes, value), _longer(state, no, value))
        case Seen(code, complete):
            more = remembered(Items((value,)), state.text)
            return Seen(code + more.code, complete and more.complete)
        case Items(values, guards):
            return Items((*values, value), (*guards, True) if guards else ())
        case _:
            raise cannot("adding to this")


def assign_member(state: State, owner: Value, name: str, value: Value) -> None:
    """Set a member of an object; raises ConversionError for what is none that can be changed."""
    if not isinstance(owner, Cell):
        raise cannot("a member that is set")
    key = ("cell", owner.number, name)
    if key in state.variables:
        state.store(key, value)
        return
    if state.homes[owner.number] != state.depth:
        _check_grows(state, key, value)
    known = state.cells[owner.number]
    state.cells[owner.number] = Fields({**known.values, name: state.kept(value)})


def _check_grows(state: State, key: Key, value: Value) -> None:
    """Take a text that a loop only adds to as code; raises NeedsVariable for what needs a variable."""
    for place in state.rounds[state.homes[key[1]] :]:
        grown = (GROWN, place, *key[1:])
        kinds = state.variables.get(grown, [])
        fresh = (FRESH, place, *key[1:])
        if FAILED in state.variables.get(fresh, []):
            raise NeedsVariable(key)
        if FAILED in kinds or not (is_text(value) or isinstance(value, Items)):
            if fresh not in state.variables:
                raise NeedsVariable(fresh, FRESH)
        elif GROWN not in kinds:
            raise NeedsVariable(grown, GROWN)


def _macro(state: State, node: nodes.Macro) -> bool:
    if isinstance(node.title, nodes.Name):
        state.names[node.title.text] = Function(node.title.text, node)
    return True


def _filter_block(state: State, node: nodes.FilterBlock) -> bool:
    with state.writing() as code:
        body(state, node.body)
    name, arguments, named = filter_call(state, node.filter)
    value = filtered(state, name, Built(joined(tuple(code))), arguments, named)
    state.emit(*printed(value))
    return True


def _leave(word: str) -> Callable[..., bool]:
    def run(state: State, _node: nodes.Node) -> bool:
        if state.unrolled:
            if state.undecided != state.unrolled[-1]:
                raise cannot(f"a {word} that depends on the chat")
            state.left = word
        else:
            _check_outlives(state)
            state.emit(Do(word))
        return False

    return run


def _check_outlives(state: State) -> None:
    """Raise NeedsVariable for what this round has changed, where what follows in the round is not reached."""
    for number, start in state.starts[-1].items() if state.starts else ():
        for name, value in state.cells[number].values.items():
            old = start.values.get(name, MISSING)
            if value != old and not isinstance(old, Unset):
                raise NeedsVariable(("cell", number, name))


def _nothing(_state: State, _node: nodes.Node) -> bool:
    return True


_STATEMENTS: Mapping[type[nodes.Node], Callable[..., bool]] = {
    nodes.Text: _text,
    nodes.Comment: _nothing,
    nodes.Noop: _nothing,
    nodes.If: _if,
    nodes.For: lambda state, node: loop(state, node, branches),
    nodes.Set: _set,
    nodes.Macro: _macro,
    nodes.FilterBlock: _filter_block,
    nodes.Break: _leave("break"),
    nodes.Continue: _leave("continue"),
}
