"""Both sides of what is not decided yet: each is run, and what differs afterwards becomes a choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.template.convert.translate.code.go_code import Cond, both, negated
from modelsmith.template.convert.translate.values.values import (
    MISSING,
    Fields,
    Items,
    TooMuch,
    Value,
    pick,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelsmith.template.convert.translate.code.go_code import Truth
    from modelsmith.template.convert.translate.state import State
    from modelsmith.template.convert.translate.values.variables import Key

MOST_OF_A_TEST = 2_000
"""A condition of more characters is the sign of a template that grows without end."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the variables of the Jinja template are at one point."""

    names: Mapping[str, Value]
    bound: Mapping[str, Key]
    cells: Mapping[int, Fields]
    loose: Mapping[Key, Value]


def snapshot(state: State) -> Snapshot:
    """Return what the variables are now."""
    return Snapshot(dict(state.names), dict(state.bound), dict(state.cells), dict(state.loose))


def restore(state: State, snapshot: Snapshot) -> None:
    """Make the variables what they were."""
    state.names, state.bound = dict(snapshot.names), dict(snapshot.bound)
    state.cells, state.loose = dict(snapshot.cells), dict(snapshot.loose)


def branches(state: State, test: Truth, yes: Callable[[], bool], no: Callable[[], bool]) -> bool:
    """Run one side or both; what differs afterwards becomes a choice."""
    test = state.decided(test)
    if isinstance(test, bool):
        return yes() if test else no()
    whole = test
    if len(whole) > MOST_OF_A_TEST:
        raise TooMuch
    test = whole if "$asks" in whole else str(state.held(whole))
    before = snapshot(state)
    state.undecided += 1
    with state.writing() as one, state.given(whole, True), state.given(test, True):
        goes_on = yes()
    after = snapshot(state)
    restore(state, before)
    with state.writing() as other, state.given(whole, False), state.given(test, False):
        goes_on_too = no()
    state.undecided -= 1
    if goes_on and goes_on_too:
        _merge(state, test, after)
        test = state.merged_test or test
        state.merged_test = ""
    elif goes_on:
        restore(state, after)
    if one or other:
        state.emit(Cond(test, tuple(one), tuple(other)) if one else Cond(str(negated(test)), tuple(other)))
    if goes_on != goes_on_too:
        state.learn(test, goes_on)
    return goes_on or goes_on_too


def _merge(state: State, test: str, after: Snapshot) -> None:
    """Choose between the values of the side that ``after`` was taken of, and those of now."""
    changed = [name for name in {**after.names, **state.names} if after.names.get(name) != state.names.get(name)]
    cells = [number for number in {**after.cells, **state.cells} if after.cells.get(number) != state.cells.get(number)]
    loose = [key for key in {**after.loose, **state.loose} if after.loose.get(key) != state.loose.get(key)]
    if not changed and not cells and not loose:
        return
    held = str(state.held(test))
    state.merged_test = held
    for name in changed:
        one, other = after.names.get(name, MISSING), state.names.get(name, MISSING)
        state.names[name] = _merged(held, one, other)
    for number in cells:
        state.cells[number] = _merged_cell(held, after.cells.get(number), state.cells.get(number))
    for key in loose:
        other = state.slot(key)
        one = after.loose[key] if key in after.loose else state.kept_slot(key)
        state.loose[key] = pick(held, one, other)


def _merged_cell(test: str, one: Fields | None, other: Fields | None) -> Fields:
    if one is None or other is None:
        return one or other or Fields({})
    names = {**other.values, **one.values}
    return Fields(
        {name: _merged(test, one.values.get(name, MISSING), other.values.get(name, MISSING)) for name in names}
    )


def _merged(test: str, one: Value, other: Value) -> Value:
    """Return one value or another; of lists, one whose items are there under conditions."""
    if not isinstance(one, Items) or not isinstance(other, Items) or one == other:
        return pick(test, one, other)
    same = 0
    while same < min(len(one.values), len(other.values)) and one.values[same] == other.values[same]:
        same += 1
    guards: list[Truth] = [one.guard(place) for place in range(same)]
    guards += [both(test, one.guard(place)) for place in range(same, len(one.values))]
    guards += [both(negated(test), other.guard(place)) for place in range(same, len(other.values))]
    return Items((*one.values, *other.values[same:]), tuple(guards))
