"""Loops that a Go template runs: ``range`` over what is in a chat, over numbers, over parts of texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.template.convert.translate.code.go_code import Cond, Do, Loop, Truth, applied, both, operand, quoted
from modelsmith.template.convert.translate.loops.growing import (
    Added,
    add_grown,
    filled,
    grown_in,
    hollow,
    mentions,
    unset,
)
from modelsmith.template.convert.translate.operations import results
from modelsmith.template.convert.translate.operations.lists import ELEMENTS, element, item, meets
from modelsmith.template.convert.translate.values.remembering import over_seen
from modelsmith.template.convert.translate.values.values import (
    FAILED,
    FRESH,
    MAPS,
    MISSING,
    Built,
    Each,
    Fields,
    Go,
    Items,
    NeedsVariable,
    Pick,
    Rest,
    Seen,
    Thing,
    Unset,
    Value,
    boolean,
    cannot,
    number,
    size_of,
)
from modelsmith.template.jinja.engine.tree import nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from modelsmith.template.convert.translate.code.go_code import Code, Piece
    from modelsmith.template.convert.translate.state import State
    from modelsmith.template.convert.translate.values.variables import Key

    Branches = Callable[[State, Truth, Callable[[], bool], Callable[[], bool]], bool]


def put(state: State, target: nodes.Node, value: Value) -> None:
    """Give the name that a loop goes with its value of this round."""
    if isinstance(target, nodes.Name):
        state.bound.pop(target.text, None)
        state.names[target.text] = value
        return
    if isinstance(target, nodes.TupleOf) and isinstance(value, Items) and len(value.values) == len(target.items):
        for node, part in zip(target.items, value.values, strict=True):
            put(state, node, part)
        return
    raise cannot("what a loop goes over")


def ranged(state: State, node: nodes.For, thing: Thing, test: nodes.Node | None, branches: Branches) -> bool:
    """Run a loop over what is in a chat, or in a value of it."""
    kind, pairs = thing.kind, False
    if kind.startswith("items of "):
        kind, pairs = kind[9:], True
    if kind == "parts" and not thing.reversed:
        return _splitting(state, node, thing, test, branches)
    if kind == "numbers":
        return _counting(state, node, thing, test, branches)
    if kind not in ELEMENTS:
        raise cannot(f"a loop over {kind}")
    state.made += 1
    place, item_name = f"$i{state.made}", f"${_WORDS.get(kind, 'each')}{state.made}"
    is_map = kind in MAPS
    whole = operand(thing.expression)
    sorts = state.shape.sorted and kind == "messages"
    if sorts:
        results.begin(state, thing, item_name)
    lead: list[Piece] = []
    expression = item_name
    if thing.reversed:
        if is_map:
            raise cannot("a loop from the end of this")
        lead.append(Do(f"{item_name} := index {whole} (len (slice (slice {whole} {place}) 1))"))
    first = (
        both(thing.first, f"eq {place} 0")
        if not thing.reversed
        else both(thing.first, f"eq (len (slice {whole} {place})) 1")
    )
    found = item(kind, expression, first)
    if is_map:
        key = Go(place, "text")
        found = Items((key, found)) if pairs else key
    elif pairs:
        raise cannot("a loop over the members of this")
    counter = _counter(state, node, thing, test)
    loop_object = _loop(state, thing, place, counter, is_map=is_map)

    def chosen() -> Truth:
        holds: Truth = meets(state, thing, found) if thing.tests else True
        return holds if test is None else both(holds, state.truth(state.value(state, test)))

    code, grown = _body(state, node, found, loop_object, chosen, counter, branches)
    head = f"{place}, $_ := {thing.expression}" if thing.reversed else f"{place}, {item_name} := {thing.expression}"
    dot = "" if thing.reversed else item_name
    if sorts and (moved := results.in_order(state, item_name, place)):
        lead += moved
        dot = ""
    start: Code = (Do(f"{counter} = 0"),) if counter else ()

    def around(body: Code) -> Code:
        return (*start, Loop(head, dot, (*lead, *body)))

    state.emit(*around(code))
    add_grown(state, grown, code, around)
    return True


def _body(
    state: State,
    node: nodes.For,
    value: Value,
    loop_object: Value,
    chosen: Callable[[], Truth],
    counter: str,
    branches: Branches,
) -> tuple[Code, dict[Key, Code | Added]]:
    """Return the code of one round, and what it adds to texts; what it leaves to the next otherwise has variables."""
    if node.otherwise and any(not isinstance(child, nodes.Text) or child.value for child in node.otherwise):
        raise cannot("what a loop does where there is nothing to go over")
    carried = _carried(state, node)
    state.facts = {fact: holds for fact, holds in state.facts.items() if not mentions(fact, state.changing)}
    outer = state.unrolled, state.undecided
    state.unrolled, state.undecided = [], 0
    state.depth += 1
    state.rounds.append(node.start)
    fresh = [key for key, kinds in state.variables.items() if key[:2] == (FRESH, node.start) and kinds == [FRESH]]
    unset(state, fresh)
    before = {key: hollow(state, key) for key in grown_in(state, node)}
    state.starts.append(dict(state.cells))
    with state.writing() as code, state.scope(), state.given("", True):
        for name, key in carried.items():
            if key in state.variables:
                state.bound[name] = key
            else:
                state.bound.pop(name, None)
                state.names[name] = Unset(key)
        put(state, node.target, value)
        state.names["loop"] = loop_object

        def run() -> bool:
            if counter:
                state.emit(Do(f"{counter} = {number(Go(counter, 'int', 1))}"))
            return state.body(state, node.body)

        branches(state, chosen(), run, lambda: True)
    state.depth -= 1
    state.rounds.pop()
    state.starts.pop()
    unset(state, fresh)
    state.unrolled, state.undecided = outer
    return tuple(code), {key: filled(state, key, old) for key, old in before.items()}


_WORDS = {"messages": "message", "calls": "call", "tools": "tool", "properties": "property", "arguments": "argument"}


def _counting(state: State, node: nodes.For, thing: Thing, test: nodes.Node | None, branches: Branches) -> bool:
    """Run a loop over numbers."""
    state.made += 1
    place = f"$i{state.made}"
    start = thing.tests[0] if thing.tests else 0
    value = Go(place, "int", start) if isinstance(start, int) else _added(place, start)
    if thing.reversed:
        value = Go(f'len (slice (printf "%*s" {operand(thing.expression)} "") {place})', "int", -1)
    loop_object = Fields({"index0": Go(place, "int"), "index": Go(place, "int", 1)})

    def chosen() -> Truth:
        return True if test is None else state.truth(state.value(state, test))

    code, grown = _body(state, node, value, loop_object, chosen, "", branches)

    def whole(body: Code) -> Code:
        return (Loop(f"{place} := {thing.expression}", "", body),)

    state.emit(*whole(code))
    add_grown(state, grown, code, whole)
    return True


def grown_list(state: State, node: nodes.For, items: Items, test: nodes.Node | None, branches: Branches) -> bool:
    """Run a loop over items that other loops add."""
    counter = state.fresh("round")
    loop_object = Fields(
        {"index": Go(counter, "int"), "index0": Go(counter, "int", -1), "first": boolean(f"eq {counter} 1")}
    )
    state.emit(Do(f"{counter} = 0"))
    for place, inner in enumerate(items.values):
        if isinstance(inner, Rest):
            raise NeedsVariable(inner.key, FAILED)
        guard: Truth = inner.guard if isinstance(inner, Each) else True
        value = inner.value if isinstance(inner, Each) else inner

        both_guards = both(items.guard(place), guard)

        def chosen(guard: Truth = both_guards) -> Truth:
            return guard if test is None else both(guard, state.truth(state.value(state, test)))

        around = inner.around if isinstance(inner, Each) else _once
        code, grown = _body(state, node, value, loop_object, chosen, counter, branches)
        state.emit(*around(code))
        add_grown(state, grown, code, around)
    return True


def _once(code: Code) -> Code:
    return (Loop("$_ := 1", "", code),)


def _added(place: str, start: Go) -> Go:
    return Go(
        f'len (print (printf "%*s" {place} "") (printf "%*s" {operand(start.expression)} ""))', "int", start.offset
    )


def _splitting(state: State, node: nodes.For, thing: Thing, test: nodes.Node | None, branches: Branches) -> bool:
    """Run a loop over the parts of a text: each ends with a separator, which is put behind the last one too."""
    text, size = state.fresh("text"), len(thing.expression.encode())
    state.emit(Do(f"{text} = print {operand(state.text(thing.tests[0]))} {quoted(thing.expression)}"))
    start, part = state.fresh("start"), state.fresh("part")
    last = boolean(f"eq (len (slice {text} {start})) 0")
    loop_object = Fields({"last": last})

    def chosen() -> Truth:
        return True if test is None else state.truth(state.value(state, test))

    code, grown = _body(state, node, Go(part, "text"), loop_object, chosen, "", branches)

    def whole(body: Code) -> Code:
        begins = f"and (ge $at {start}) (ge (len (slice {text} $at)) {size}) (eq (slice (slice {text} $at) 0 {size}) {quoted(thing.expression)})"
        taken: Code = (
            Do(f"{part} = slice {text} {start} $at"),
            Do(f"{start} = {number(Go('$at', 'int', size))}"),
            *body,
        )
        return (Do(f"{start} = 0"), Loop(f"$at := len {text}", "", (Cond(begins, taken),)))

    state.emit(*whole(code))
    add_grown(state, grown, code, whole)
    return True


def remembered_texts(state: State, node: nodes.For, seen: Seen, test: nodes.Node | None, branches: Branches) -> bool:
    """Run a loop over texts that the template has put into a list."""
    if not seen.complete:
        raise cannot("a loop over texts of which some are undefined")
    whole, counter = state.fresh("list"), state.fresh("round")
    start, part = state.fresh("start"), state.fresh("part")
    state.emit(Do(f"{whole} = {state.text(Built(seen.code))}"))
    loop_object = Fields(
        {
            "index": Go(counter, "int"),
            "index0": Go(counter, "int", -1),
            "first": boolean(f"eq {counter} 1"),
            "last": boolean(f"eq {start} (len {whole})"),
        }
    )

    def chosen() -> Truth:
        return True if test is None else state.truth(state.value(state, test))

    code, grown = _body(state, node, Go(part, "text"), loop_object, chosen, counter, branches)

    def around(body: Code) -> Code:
        return (Do(f"{counter} = 0"), *over_seen(whole, start, part, body))

    state.emit(*around(code))
    add_grown(state, grown, code, around)
    return True


def _carried(state: State, node: nodes.For) -> dict[str, tuple[object, ...]]:
    """Return the names that the body sets, each with the key of the variable that would keep it; fill those that there are."""
    found: dict[str, tuple[object, ...]] = {}
    for name in dict.fromkeys(_names_set(node.body)):
        key = ("name", node.start, name)
        found[name] = key
        if key in state.variables:
            before = state.slot(state.bound[name]) if name in state.bound else state.names.get(name, MISSING)
            state.store(key, before)
    return found


def _names_set(statements: Sequence[nodes.Node]) -> Iterator[str]:
    for node in statements:
        if isinstance(node, nodes.Set):
            targets = node.target.items if isinstance(node.target, nodes.TupleOf) else (node.target,)
            yield from (name.text for name in targets if isinstance(name, nodes.Name))
        elif isinstance(node, nodes.If):
            yield from _names_set(node.body)
            yield from _names_set(node.otherwise)


def _counter(state: State, node: nodes.For, thing: Thing, test: nodes.Node | None) -> str:
    """Return the variable that counts rounds where Go's own index does not; empty where none is needed."""
    counts = thing.kind in MAPS or thing.kind.startswith("items of ") or thing.tests or test is not None
    return state.fresh("round") if counts and _mentions_loop(node.body) else ""


def _mentions_loop(tree: object) -> bool:
    if isinstance(tree, nodes.Name):
        return tree.text == "loop"
    if isinstance(tree, tuple):
        return any(map(_mentions_loop, tree))
    if isinstance(tree, nodes.Node):
        return any(_mentions_loop(getattr(tree, name)) for name in tree.__dataclass_fields__ if name != "start")
    return False


def _loop(state: State, thing: Thing, place: str, counter: str, *, is_map: bool) -> Value:
    whole = operand(thing.expression)
    if counter:
        fields: dict[str, Value] = {
            "index": Go(counter, "int"),
            "index0": Go(counter, "int", -1),
            "first": boolean(f"eq {counter} 1"),
        }
        if is_map and not thing.tests:
            fields["last"] = boolean(f"eq {counter} {operand(size_of(thing))}")
            fields["length"] = Go(size_of(thing), "int")
        return Fields(fields)
    if is_map or thing.tests:
        return Fields({})
    following = Go(place, "int", 1)
    around: dict[str, Value] = {}
    if not thing.reversed:
        before = f"index {whole} (len (slice (slice {whole} 0 {place}) 1))"
        around = {
            "previtem": Pick(place, item(thing.kind, before), MISSING),
            "nextitem": element(state, thing, following),
        }
    return Fields(
        {
            "index": following,
            "index0": Go(place, "int"),
            "first": boolean(applied("eq", place, "0")),
            "last": boolean(f"eq (len (slice {whole} {place})) 1"),
            "length": Go(f"len {whole}", "int"),
            "revindex": Go(f"len (slice {whole} {place})", "int"),
            "revindex0": Go(f"len (slice {whole} {place})", "int", -1),
            **around,
        }
    )
