"""``{{range}}``. Source of the rules: Go, ``text/template/exec.go`` (walkRange)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from modelsmith.template.go.functions import printf
from modelsmith.template.go.values.values import ANY, NIL, NO_VALUE, Byte, Function, Interface, Map, Pointer, Slice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from modelsmith.template.go.evaluate.parts import Run
    from modelsmith.template.go.state import Site, State


class BreakLoop(Exception):
    """``{{break}}``."""


class ContinueLoop(Exception):
    """``{{continue}}``."""


class Loop(NamedTuple):
    """What a range is compiled of; ``steps`` and ``text`` are what one round costs."""

    value: Run
    body: Run
    otherwise: Run | None
    declared: tuple[str, ...]
    assigns: bool
    where: Callable[[State], Site]
    steps: int
    text: int
    breaks: bool
    continues: bool

    def compiled(self) -> Run:
        """Return the closure of the whole loop."""
        return _breakable(self._loop()) if self.breaks else self._loop()

    def _loop(self) -> Run:
        value, otherwise, where = self.value, self.otherwise, self.where
        steps, text, variables = self.steps, self.text, len(self.declared)
        body = _continuable(self.body) if self.continues else self.body

        def run(state: State, dot: Any) -> None:
            found = value(state, dot)
            ran = False
            index_cell, element_cell = self._cells(state)
            for index, element in _rounds(found, variables, where, state):
                ran = True
                state.steps -= steps
                state.room -= text
                if state.steps < 0 or state.room < 0:
                    state.go_on()
                index_cell[0] = index
                element_cell[0] = element
                body(state, element)
            if not ran and otherwise is not None:
                otherwise(state, dot)

        return run

    def rounds(self, state: State, dot: Any) -> Iterator[Any]:
        """Yield the dot of each round, charged and with the variables set, for a body that is too deep to be called."""
        found = self.value(state, dot)
        index_cell, element_cell = self._cells(state)
        for index, element in _rounds(found, len(self.declared), self.where, state):
            state.spend(self.steps, self.text)
            index_cell[0] = index
            element_cell[0] = element
            yield element

    def _cells(self, state: State) -> tuple[list[Any], list[Any]]:
        """Return where the index and the element of a round go; a list of nobody's for what has no variable."""
        if not self.declared:
            return [None], [None]
        # the pipeline has just declared (or found) them
        cells = [state.variables[name] for name in self.declared]
        if len(cells) == 1 or (not self.assigns and self.declared[0] == self.declared[1]):
            return [None], cells[-1]
        return cells[0], cells[1]


def raising(kind: type[BreakLoop | ContinueLoop]) -> Run:
    """Jump."""

    def run(_state: State, _dot: Any) -> None:
        raise kind

    return run


def _breakable(loop: Run) -> Run:
    def run(state: State, dot: Any) -> None:
        try:
            loop(state, dot)
        except BreakLoop:
            return

    return run


def _continuable(body: Run) -> Run:
    def run(state: State, dot: Any) -> None:
        try:
            body(state, dot)
        except ContinueLoop:
            return

    return run


def _rounds(value: Any, variables: int, where: Callable[[State], Site], state: State) -> Iterable[tuple[Any, Any]]:
    """Return what there is to go through, as index and element."""
    kind = type(value)
    if kind is Slice:
        return _items(value)
    if isinstance(value, Map):
        return _entries(value)
    if value is NO_VALUE:
        return ()
    if kind is int or kind is Byte:
        if variables > 1:
            raise where(state).error(f"can't use {value:d} to iterate over more than one variable")
        return _numbers(value)
    if kind is Function:
        pairs: Iterator[tuple[str, Any]] = value.pairs()
        return pairs if variables > 1 else ((NO_VALUE, key) for key, _ in pairs)
    shown = value.target if isinstance(value, Pointer) and value.target is not None else value
    raise where(state).error(f"range can't iterate over {printf.text_of(shown, state.room)}")


def _items(value: Slice) -> Iterable[tuple[int, Any]]:
    if isinstance(value.items, bytes):
        return enumerate(map(Byte, value))
    if value.type.element is ANY:
        return enumerate(item if item is NIL else Interface(item) for item in value)
    return enumerate(value)


def _entries(value: Map) -> Iterable[tuple[str, Any]]:
    if value.type.element is ANY:
        return ((key, item if item is NIL else Interface(item)) for key, item in value.items())
    return value.items()


def _numbers(count: int) -> Iterator[tuple[Any, Any]]:
    make = type(count)
    return ((NO_VALUE, make(number)) for number in range(count))
