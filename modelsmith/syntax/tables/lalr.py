"""Run lark's LALR tables in one tight loop, without lark.

Lark computes the tables (syntax/grammar.py keeps them); its own loop looks up a rule's callback by comparing whole rules, at
every step. Here each step is one look-up in a small table that is made once. Source of the tables: lark,
``parsers/lalr_analysis.py``; of what a rule's value is made of: ``parse_tree_builder.py``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Make: TypeAlias = Callable[[list[Any]], Any]
    Rule: TypeAlias = tuple[int, Make, str]
    """How many parts a rule has, what makes a value of them, and the rule's name."""


_APPEND = -1  # the size of a rule that appends
_SCANNER = ""  # where a row keeps what cuts the next terminal; no terminal has this name


class UnexpectedTerminal(Exception):
    """A terminal that the grammar does not allow where it stands."""

    def __init__(self, terminal: Any) -> None:
        super().__init__(terminal.type)
        self.terminal = terminal


class Token(str):
    """A terminal with its text and where that is."""

    __slots__ = ("end", "start", "type")
    type: str
    start: int
    end: int


class _End:
    """What stands behind the last terminal."""

    type = "$END"


class Tables:
    """The states of a parser, each a mapping from names to what follows.

    Under a terminal's name stands the state to go to, or the rule to apply; under a rule's name the state behind it.
    """

    def __init__(self, tables: Mapping[str, Any], builder: object, append: Make | None = None) -> None:
        """Take the tables of syntax/grammar.py; the methods of ``builder``, named after the rules, make the values.

        ``append`` is the method of rules like ``list: list item`` that append: those are applied in place. A rule whose name
        begins with an underscore is a list, of which rules that hold it take the items.
        """
        rows: list[dict[str, Any]] = [{} for _ in tables["states"]]
        rules = [_rule(builder, append, *each) for each in tables["rules"]]
        for row, steps, scanner in zip(rows, tables["states"], tables["scanners"], strict=True):
            for name, step in steps.items():
                row[name] = rows[step] if step >= 0 else rules[-1 - step]
            row[_SCANNER] = scanner
        self._first = rows[tables["first"]]

    def parse(self, text: str, kinds: Mapping[str, Callable[[str], str]]) -> Any:
        """Return the value of a text, cut by the expressions of the grammar.

        ``kinds`` may give another type to the tokens of a terminal.
        """
        rows = [self._first]
        return self.run(_cut(text, rows, kinds), rows)

    def run(self, terminals: Iterable[Any], rows: list[dict[str, Any]] | None = None) -> Any:
        """Return the value of the start rule; each terminal has a ``type``. Raises UnexpectedTerminal.

        ``rows`` is the list in which the states are kept, for who cuts terminals by the state.
        """
        row = self._first
        if rows is None:
            rows = [row]
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
            if name == "start":
                return value
            if size:
                del rows[-size:], values[-size:]
            row = rows[-1][name]
            rows.append(row)
            values.append(value)
        raise UnexpectedTerminal(_End())


def _rule(
    builder: object, append: Make | None, name: str, size: int, maker: str, kept: list[tuple[int, bool]] | None
) -> Rule:
    make: Make = _itself if maker.startswith("_") else getattr(builder, maker)
    if kept is None:
        return (_APPEND if append is not None and make == append else size), make, name

    def made(parts: list[Any]) -> Any:
        chosen: list[Any] = []
        for place, is_inlined in kept:
            if not is_inlined:
                chosen.append(parts[place])
            elif chosen:
                chosen += parts[place]
            else:
                chosen = parts[place]  # nobody else has this list
        return make(chosen)

    return size, made, name


def _itself(parts: list[Any]) -> list[Any]:
    return parts


def _cut(text: str, rows: list[dict[str, Any]], kinds: Mapping[str, Callable[[str], str]]) -> Iterator[Token]:
    """Yield the terminals of a text: what may follow is known by the state that the parser is in by then."""
    place, end = 0, len(text)
    while place < end:
        row = rows[-1]
        scanner = row[_SCANNER]
        if scanner.__class__ is str:
            scanner = row[_SCANNER] = re.compile(scanner).match
        found = scanner(text, place)
        token = Token(found[0] if found else text[place])
        kind: str = found.lastgroup if found else ""
        token.start = place
        token.end = place = place + len(token)
        token.type = kinds[kind](token) if kind in kinds else kind
        yield token
