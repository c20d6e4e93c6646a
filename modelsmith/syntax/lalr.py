"""Run lark's LALR tables in one tight loop.

Lark builds the tables and keeps them; its own loop looks up a rule's callback by comparing whole rules, at every step.
Here each step is one look-up in a small table that is made once. Source of the tables: lark, ``parsers/lalr_analysis.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import lark

    Rule: TypeAlias = tuple[int, Callable[[list[Any]], Any], str]
    """How many parts a rule has, what makes a value of them, and the rule's name."""


_APPEND = -1  # the size of a rule that appends


class UnexpectedTerminal(Exception):
    """A terminal that the grammar does not allow where it stands."""

    def __init__(self, terminal: Any) -> None:
        super().__init__(terminal.type)
        self.terminal = terminal


class _End:
    """What stands behind the last terminal."""

    type = "$END"


class Tables:
    """The states of a parser, each a mapping from names to what follows.

    Under a terminal's name stands the state to go to, or the rule to apply; under a rule's name the state behind it.
    """

    def __init__(
        self, parser: lark.Lark, start: str = "start", append: Callable[[list[Any]], Any] | None = None
    ) -> None:
        """Take the tables of a lark parser whose transformer makes the values.

        ``append`` is the callback of rules like ``list: list item`` that append: those are applied in place.
        """
        from lark.parsers.lalr_analysis import Shift

        frontend: Any = parser.parser
        table, callbacks = frontend.parser.parser.parse_table, frontend.parser.parser.callbacks
        states: dict[int, dict[str, Any]] = {number: {} for number in table.states}
        rules: dict[int, Rule] = {}
        for number, row in table.states.items():
            for name, (action, argument) in row.items():
                if action is Shift:
                    states[number][name] = states[argument]
                else:
                    make = callbacks[argument]
                    size = _APPEND if append is not None and make == append else len(argument.expansion)
                    rule = size, make, argument.origin.name
                    states[number][name] = rules.setdefault(id(argument), rule)
        self._start = start
        self._first = states[table.start_states[start]]

    def run(self, terminals: Iterable[Any]) -> Any:
        """Return the value of the start rule; each terminal has a ``type``. Raises UnexpectedTerminal."""
        row = self._first
        rows: list[dict[str, Any]] = [row]
        values: list[Any] = []
        push_row, push_value = rows.append, values.append
        for terminal in terminals:
            kind = terminal.type
            while True:
                step = row.get(kind)
                if step.__class__ is dict:
                    row = step
                    push_row(row)
                    push_value(terminal)
                    break
                if step is None:
                    raise UnexpectedTerminal(terminal)
                size, make, name = step
                if size == 1:
                    values[-1] = make(values[-1:])
                    row = rows[-1] = rows[-2][name]
                    continue
                if size == _APPEND:
                    # the list stays where it is, and with it the state behind it
                    item = values.pop()
                    values[-1].append(item)
                    rows.pop()
                    row = rows[-1]
                    continue
                if size:
                    value = make(values[-size:])
                    del rows[-size:], values[-size:]
                else:
                    value = make([])
                row = rows[-1][name]
                push_row(row)
                push_value(value)
        return self._end(row, rows, values)

    def _end(self, row: dict[str, Any], rows: list[dict[str, Any]], values: list[Any]) -> Any:
        """Apply the rules that the end of the text completes, up to the start rule."""
        while (step := row.get("$END")) is not None:
            size, make, name = step
            size = 2 if size == _APPEND else size
            value = make(values[-size:] if size else [])
            if name == self._start:
                return value
            if size:
                del rows[-size:], values[-size:]
            row = rows[-1][name]
            rows.append(row)
            values.append(value)
        raise UnexpectedTerminal(_End())
