"""Members of values, and items of lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.template.convert.translate.code.go_code import (
    Cond,
    Lit,
    Out,
    both,
    either,
    field,
    operand,
    quoted,
)
from modelsmith.template.convert.translate.operations import results
from modelsmith.template.convert.translate.operations.cells import content_of
from modelsmith.template.convert.translate.operations.compare import equal
from modelsmith.template.convert.translate.operations.filters import part
from modelsmith.template.convert.translate.operations.lists import element
from modelsmith.template.convert.translate.values.members import MEMBERS, member_of
from modelsmith.template.convert.translate.values.values import (
    LISTS,
    MAPS,
    MISSING,
    Built,
    Cell,
    Fields,
    Function,
    Go,
    Items,
    Known,
    Refused,
    Thing,
    Value,
    cannot,
    is_number,
    is_text,
    pick,
)
from modelsmith.template.jinja.engine.values.model import Undefined

if TYPE_CHECKING:
    from modelsmith.template.convert.translate.state import State


def member(state: State, owner: Value, key: Value) -> Value:
    """Return a member of a value, or an item."""
    if isinstance(owner, Cell):
        if isinstance(key, Known) and isinstance(key.value, str):
            variable = ("cell", owner.number, key.value)
            if variable in state.variables:
                return state.slot(variable)
        return member(state, content_of(state, owner), key)
    if isinstance(owner, Known) and (owner.value is None or isinstance(owner.value, Undefined)):
        return MISSING
    if isinstance(owner, Fields):
        return _field(state, owner, key)
    if isinstance(owner, Items) and isinstance(key, Known) and isinstance(key.value, str):
        return MISSING
    if isinstance(owner, Thing) and owner.kind in MEMBERS:
        if isinstance(key, Known) and isinstance(key.value, str):
            return (
                message_member(state, owner, key.value)
                if owner.kind == "message"
                else _thing_member(state, owner, key.value)
            )
        raise cannot("a member whose name is not known")
    if isinstance(owner, Thing) and owner.kind == "parts" and isinstance(key, Known) and is_number(key):
        return part(state, owner, key.value)
    if isinstance(owner, Thing) and owner.kind in MAPS | LISTS:
        return element(state, owner, key)
    if isinstance(owner, Go) and owner.kind == "json" and isinstance(key, Known) and isinstance(key.value, str):
        return Go(f"index {operand(owner.expression)} {quoted(key.value)}", "json")
    if isinstance(owner, Items) and isinstance(key, Known) and is_number(key) and not owner.guards:
        place = key.value
        return owner.values[place] if -len(owner.values) <= place < len(owner.values) else MISSING
    if isinstance(owner, Items) and key in (Known(0), Known(-1)):
        found: Value = MISSING
        places = range(len(owner.values)) if key == Known(-1) else range(len(owner.values) - 1, -1, -1)
        for place in places:
            found = pick(owner.guard(place), owner.values[place], found)
        return found
    if is_text(owner) or isinstance(owner, (Function, Go)):
        return MISSING
    raise cannot("a member of this")


def _thing_member(state: State, owner: Thing, name: str) -> Value:
    found = member_of(owner, name)
    if owner.kind == "called" and name == "arguments" and not state.shape.objects:
        return Go(f"print {operand(field(owner.expression, 'Function.Arguments'))}", "text")
    return found


def message_member(state: State, owner: Thing, name: str) -> Value:
    """Return a member of a message, as llama-server hands messages to this template."""
    if name == "thinking" and state.shape.thinking:
        return member_of(owner, "reasoning_content")
    if state.shape.sorted and name in results.MOVED:
        results.looked_at(state, owner)
    found = member_of(owner, name)
    if name != "content":
        return found
    if state.shape.joined:
        prefix = both(owner.first, "$joined")
        if prefix is not False:
            test = prefix if isinstance(prefix, str) else "$joined"
            code = (Cond(test, (Out("$system"), Lit("\n"))), Out(field(owner.expression, "Content")))
            found = Built(code)
    text = Fields({"type": Known("text"), "text": found})
    if state.shape.blocks:
        thought = field(owner.expression, "Thinking")
        thinking = Fields({"type": Known("thinking"), "thinking": Go(thought, "text")})
        role = operand(field(owner.expression, "Role"))
        speaks = either(f'eq {role} "system"', f'eq {role} "assistant"')
        blocks = Items((thinking, text), (thought, True))
        plain: Value = Items((text,)) if state.shape.parts else found
        return pick(speaks, blocks, plain)
    return Items((text,)) if state.shape.parts else found


def _field(state: State, owner: Fields, key: Value) -> Value:
    if isinstance(key, Known):
        return owner.values.get(key.value, MISSING)
    if isinstance(key, Thing):
        raise Refused("a list as the name of a member is refused")
    if isinstance(key, Go):
        found: Value = MISSING
        for name, value in owner.values.items():
            found = pick(equal(state, key, Known(name)), value, found)
        return found
    raise cannot("a member whose name is not known")
