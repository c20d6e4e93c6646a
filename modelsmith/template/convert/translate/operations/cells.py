"""Objects and lists that a template changes as it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.template.convert.translate.values.values import Cell, Fields, Items, cannot

if TYPE_CHECKING:
    from modelsmith.template.convert.translate.state import State


def new_cell(state: State, values: Fields | Items, place: tuple[Any, ...]) -> Cell:
    """Return a new object whose members can be set, or a list that can grow."""
    cell = Cell(place[0], isinstance(values, Items))
    members = Fields({"": values}) if isinstance(values, Items) else values
    state.cells[cell.number] = members
    state.homes[cell.number] = state.depth
    for name, value in members.values.items():
        key = ("cell", cell.number, name)
        if key in state.variables:
            state.store(key, value)
    return cell


def content_of(state: State, cell: Cell) -> Fields | Items:
    """Return the list, or the members, of what a template changes."""
    members = state.cells[cell.number]
    if not cell.is_list:
        return members
    if ("cell", cell.number, "") in state.variables:
        raise cannot("a list that changes while the chat goes on")
    found = members.values[""]
    return found if isinstance(found, Items) else Items(())
