"""Macros: written out where they are called; those that call themselves become named templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.template.convert.translate.code.go_code import Use, joined
from modelsmith.template.convert.translate.values.printed import text_of as known_text
from modelsmith.template.convert.translate.values.values import (
    MISSING,
    Built,
    Fields,
    Function,
    Go,
    Items,
    Known,
    Thing,
    Value,
    cannot,
)
from modelsmith.template.jinja.engine.tree import nodes

if TYPE_CHECKING:
    from modelsmith.template.convert.translate.state import State

MOST_TITLES, MOST_CALLS, FEW_CALLS = 40, 12, 3


def called_macro(state: State, macro: nodes.Macro, arguments: list[Value], named: dict[str, Value]) -> Value:
    """Return what a macro prints."""
    given: dict[str, Value] = {}
    for place, parameter in enumerate(macro.parameters):
        keyword = isinstance(parameter, nodes.Keyword)
        target = parameter.key if isinstance(parameter, nodes.Keyword) else parameter
        name = target.text if isinstance(target, nodes.Name) else ""
        if place < len(arguments):
            given[name] = arguments[place]
        elif name in named:
            given[name] = named[name]
        elif keyword and isinstance(parameter, nodes.Keyword):
            given[name] = state.value(state, parameter.value)
        else:
            given[name] = MISSING
    if macro in state.calls and not _may_be_written_out(state, macro, given):
        return _called_by_itself(state, macro, given)
    with state.writing() as code, state.scope():
        state.names |= given
        for name in given:
            state.bound.pop(name, None)
        state.calls.append(macro)
        state.body(state, macro.body)
        state.calls.pop()
    return text_value(tuple(code))


def _may_be_written_out(state: State, macro: nodes.Macro, given: dict[str, Value]) -> bool:
    """Say whether a macro that calls itself comes to an end without a named template: what it is called with is known."""
    unknown = [value for name, value in given.items() if not _is_known(value) and _is_used(macro, name)]
    if not unknown:
        return state.calls.count(macro) < MOST_CALLS
    simple = len(unknown) == 1 and isinstance(unknown[0], (Thing, Go))
    return not simple and state.calls.count(macro) < FEW_CALLS


def _called_by_itself(state: State, macro: nodes.Macro, given: dict[str, Value]) -> Value:
    """Make a named template of a macro that calls itself, for one value that is not known; all else that it sees must be."""
    unknown = {name: value for name, value in given.items() if not _is_known(value) and _is_used(macro, name)}
    if not unknown:
        raise cannot("a macro that calls itself without end")
    subject, value = next(iter(unknown.items()))
    if (
        len(unknown) > 1
        or not isinstance(value, (Thing, Go))
        or (isinstance(value, Thing) and (value.tests or value.reversed))
    ):
        raise cannot("a macro that calls itself with several unknown values")
    known = {name: item if _is_known(item) else MISSING for name, item in given.items() if name != subject}
    signature = f"{macro.start} {value.kind} {sorted((name, repr(item)) for name, item in known.items())}"
    title = state.titles.get(signature)
    if title is None:
        title = state.titles[signature] = f"macro {len(state.titles) + 1}"
        if len(state.titles) > MOST_TITLES:
            raise cannot("a macro that calls itself in so many ways")
        state.define(title, macro, {**known, subject: _as_dot(value)})
    return Built((Use(title, value.expression),))


def _as_dot(value: Thing | Go) -> Value:
    return Go("$", value.kind) if isinstance(value, Go) else Thing(value.kind, "$")


def _is_known(value: Value) -> bool:
    match value:
        case Known() | Function():
            return True
        case Items(values):
            return not value.guards and all(map(_is_known, values))
        case Fields(values):
            return all(map(_is_known, values.values()))
        case _:
            return False


def _is_used(macro: nodes.Macro, name: str) -> bool:
    """Say whether a macro does anything with a parameter but hand it on to itself."""
    own = macro.title.text if isinstance(macro.title, nodes.Name) else ""
    places = [node.text if isinstance(node, nodes.Name) else "" for node in macro.parameters]

    def uses(tree: object) -> bool:
        if isinstance(tree, nodes.Call) and isinstance(tree.callee, nodes.Name) and tree.callee.text == own:
            return any(
                uses(node)
                for place, node in enumerate(tree.arguments)
                if not (places[place : place + 1] == [name] and isinstance(node, nodes.Name) and node.text == name)
            )
        if isinstance(tree, nodes.Name):
            return tree.text == name
        if isinstance(tree, nodes.Member) and not tree.computed:
            return uses(tree.object)
        if isinstance(tree, nodes.Keyword):
            return uses(tree.value)
        if isinstance(tree, tuple):
            return any(map(uses, tree))
        if isinstance(tree, nodes.Node):
            return any(uses(getattr(tree, field)) for field in tree.__dataclass_fields__ if field != "start")
        return False

    return uses(macro.body)


def text_value(code: Any) -> Value:
    """Return code as a value: a text that is known, if it is."""
    code = joined(code)
    known = known_text(code)
    return Built(code) if known is None else Known(known)
