"""What texts and actions write, as closures. Source of the rules: Go, ``text/template/exec.go`` (printValue)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.syntax.gotemplate.printed import go_text
from modelsmith.template.go.functions import printf
from modelsmith.template.go.functions.escape import printable
from modelsmith.template.go.state import too_long
from modelsmith.template.go.values.values import Function

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.syntax.gotemplate.nodes import ListItem
    from modelsmith.template.go.evaluate.parts import Run
    from modelsmith.template.go.state import Site, State

    Mark = Callable[[str, ListItem], Any]


def writing(piece: Any) -> Run:
    """Write a text."""
    return lambda state, _dot: state.write(piece)


def printing(value: Run, site: Site) -> Run:
    """Print a value."""

    def run(state: State, dot: Any) -> None:
        found = value(state, dot)
        text = found if type(found) is str else _printed(found, state, site)
        state.room -= len(text)
        if state.room < 0:
            raise too_long()
        state.write(text)

    return run


def printing_behind(before: str, value: Run, site: Site) -> Run:
    """Write the text that stands before an action, and print its value: one call less than one by one."""

    def run(state: State, dot: Any) -> None:
        write = state.write
        write(before)
        found = value(state, dot)
        text = found if type(found) is str else _printed(found, state, site)
        state.room -= len(text)
        if state.room < 0:
            raise too_long()
        write(text)

    return run


def printing_marked(value: Run, site: Site, mark: Mark, node: ListItem) -> Run:
    """Print a value, wrapped with the node that printed it."""

    def run(state: State, dot: Any) -> None:
        found = value(state, dot)
        state.write(mark(state.made(found if type(found) is str else _printed(found, state, site)), node))

    return run


def _printed(value: Any, state: State, site: Site) -> str:
    """Return what an action prints."""
    shown = printable(value)
    if isinstance(shown, Function):
        raise site.error(f"can't print {go_text(site.node)} of type {shown.type.name}")
    return printf.text_of(shown, state.room)
