"""The state of a translation: the variables of the Jinja template where it has got to, and the Go code written so far.

What differs after an ``if`` becomes a choice. What outlives a round of a loop gets a Go variable, which the first try does not
know: it is then made again, until all such variables are known.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modelsmith.errors import ConversionError
from modelsmith.template.convert.translate.code.facts import bare, follows
from modelsmith.template.convert.translate.code.go_code import (
    Code,
    Cond,
    Do,
    Lit,
    Loop,
    Out,
    Piece,
    Truth,
    applied,
    joined,
    operand,
    operands,
    pieces,
    quoted,
)
from modelsmith.template.convert.translate.code.write import written
from modelsmith.template.convert.translate.values.printed import printed
from modelsmith.template.convert.translate.values.remembering import remembered
from modelsmith.template.convert.translate.values.values import (
    FAILED,
    LISTS,
    MISSING,
    TEXTS,
    Broken,
    Built,
    Cell,
    Each,
    Fields,
    Function,
    Go,
    Items,
    Known,
    NeedsVariable,
    Pick,
    Refused,
    Rest,
    Seen,
    Thing,
    Unset,
    Value,
    boolean,
    cannot,
    number,
    pick,
    truth,
)
from modelsmith.template.convert.translate.values.variables import (
    BROKEN,
    Key,
    Shape,
    appended,
    can_be_kept,
    code_can_be_kept,
    kind_of,
    kind_of_value,
    only_booleans,
    value_of_kind,
    variable_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from modelsmith.template.jinja.engine.tree import nodes

MOST_PIECES = 20_000
LONG = 90
"""Expressions of more characters are not repeated."""

MOST_STATEMENTS = 50_000
"""So many statements are run for one translation, those of all tries together."""


@dataclass
class State:
    """Where a translation has got to; ``variables`` are the Go variables that outlive rounds, each with its kinds of values."""

    shape: Shape
    variables: dict[Key, list[str]]
    definitions: dict[str, str]
    source: str
    names: dict[str, Value]
    value: Callable[[State, nodes.Node], Value]
    body: Callable[[State, Sequence[nodes.Node]], bool]
    chosen: Callable[[State, Thing | Items], Truth]
    append: Callable[[State, nodes.Node, Value], bool]
    member: Callable[[State, Value, Value], Value]
    tested: Callable[[State, str, Value, list[Value]], Truth]
    bound: dict[str, Key] = field(default_factory=dict)
    cells: dict[int, Fields] = field(default_factory=dict)
    homes: dict[int, int] = field(default_factory=dict)
    facts: dict[str, bool] = field(default_factory=dict)
    code: list[Piece] = field(default_factory=list)
    declared: dict[str, str] = field(default_factory=dict)
    depth: int = 0
    calls: list[nodes.Macro] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)
    made: int = 0
    undecided: int = 0
    unrolled: list[int] = field(default_factory=list)
    left: str = ""
    merged_test: str = ""
    rounds: list[int] = field(default_factory=list)
    """Where the loops begin that are being run, from the outermost."""

    starts: list[Mapping[int, Fields]] = field(default_factory=list)
    """What the objects and lists were as the rounds of these loops began."""

    work: list[int] = field(default_factory=lambda: [MOST_STATEMENTS])
    """How many statements may still be run."""

    gaps: list[str] = field(default_factory=list)
    """What was left out, for no Go template can say it; it fails where it is reached."""

    results: dict[str, bool] = field(default_factory=dict)
    """Of each loop over messages whose results are put in order: the variable of its message, and whether it is looked at."""

    loose: dict[Key, Value] = field(default_factory=dict)
    """What variables that outlive rounds have outside of loops, where it is no text that could be put into one."""

    def fresh(self, word: str) -> str:
        """Return a new Go variable; it is declared in front of the whole template."""
        self.made += 1
        if self.made > MOST_PIECES:
            raise cannot("a template that grows so much")
        name = f"${word}{self.made}"
        self.declared[name] = '""'
        return name

    def emit(self, *code: Piece) -> None:
        """Write code."""
        self.code.extend(code)

    def define(self, title: str, macro: nodes.Macro, names: Mapping[str, Value]) -> None:
        """Define a named template of a macro; of all else that a template knows it sees the macros and what is always the same."""
        inner = State(
            self.shape,
            self.variables,
            self.definitions,
            self.source,
            {},
            self.value,
            self.body,
            self.chosen,
            self.append,
            self.member,
            self.tested,
        )
        inner.names = {name: value for name, value in self.names.items() if isinstance(value, (Known, Function))}
        inner.names |= names
        inner.titles, inner.calls, inner.work = self.titles, [macro], self.work
        inner.cells = {number: cell for number, cell in self.cells.items() if cell == Fields({"": Items(())})}
        inner.homes = dict.fromkeys(inner.cells, -1)
        self.definitions[title] = ""
        inner.body(inner, macro.body)
        declared = tuple(Do(f"{name} := {value}") for name, value in inner.declared.items())
        text = written(joined((*declared, *inner.code)))
        del self.definitions[title]
        self.definitions[title] = f'{{{{- define "{title}" }}}}{text}{{{{ end }}}}'

    @contextmanager
    def writing(self) -> Iterator[list[Piece]]:
        """Write to a list of its own for a while."""
        outer, self.code = self.code, []
        try:
            yield self.code
        finally:
            self.code = outer

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Let names that are set be forgotten again."""
        names, bound = dict(self.names), dict(self.bound)
        try:
            yield
        finally:
            self.names, self.bound = names, bound

    @contextmanager
    def given(self, test: Truth, holds: bool) -> Iterator[None]:
        """Know for a while that a condition holds, or that it does not."""
        facts = dict(self.facts)
        if isinstance(test, str) and test:
            self.learn(test, holds)
        try:
            yield
        finally:
            self.facts = {fact: known for fact, known in facts.items() if not self._stale(fact)}

    _forgotten: set[str] = field(default_factory=set)

    def _stale(self, fact: str) -> bool:
        return any(re.search(re.escape(name) + r"\b", fact) for name in self._forgotten)

    def learn(self, test: str, holds: bool) -> None:
        """Know from here on that a condition holds, or that it does not."""
        self.facts[test] = holds
        word = test.partition(" ")[0]
        if word == "not":
            self.learn(bare(test[4:]), not holds)
        elif (word == "and" and holds) or (word == "or" and not holds):
            for part in operands(test):
                self.learn(bare(part), holds)
        elif word == "ne" and len(operands(test)) == 2:
            self.learn(f"eq {test[3:]}", not holds)

    def decided(self, test: Truth) -> Truth:
        """Return a condition, known where what is known already decides it."""
        if isinstance(test, bool):
            return test
        if test in self.facts:
            return self.facts[test]
        word = test.partition(" ")[0]
        if word == "not":
            inner = self.decided(bare(test[4:]))
            return not inner if isinstance(inner, bool) else test
        if word in {"and", "or"}:
            left: list[str] = []
            for part in operands(test):
                found = self.decided(bare(part))
                if isinstance(found, bool):
                    if found == (word == "or"):
                        return found
                    continue
                left.append(found)
            if not left:
                return word == "and"
            return left[0] if len(left) == 1 else applied(word, *left)
        implied = follows(self.facts, test)
        if implied is not None:
            return implied
        if word == "ne":
            found = self.decided(f"eq {test[3:]}")
            return not found if isinstance(found, bool) else test
        return test

    def simple(self, value: Value) -> Value:
        """Return a value without choices that are decided already."""
        if not isinstance(value, Pick):
            return value
        test = self.decided(value.test)
        if isinstance(test, bool):
            return self.simple(value.yes if test else value.no)
        return pick(test, self.simple(value.yes), self.simple(value.no))

    def truth(self, value: Value) -> Truth:
        """Return the condition under which a value is true, as far as it is not decided already."""
        value = self.simple(value)
        if isinstance(value, Pick):
            return self.decided(truth(self.each(value, lambda item: boolean(self.truth(item)))))
        if isinstance(value, Cell) and value.is_list:
            key = ("cell", value.number, "")
            return self.truth(self.slot(key) if key in self.variables else self.cells[value.number].values[""])
        if isinstance(value, Thing) and value.tests and value.kind in LISTS:
            return self.decided(self.chosen(self, value))
        if isinstance(value, Items) and any(isinstance(item, Each) for item in value.values):
            return self.decided(self.chosen(self, value))
        if isinstance(value, Items) and any(isinstance(item, Rest) for item in value.values):
            raise NeedsVariable(next(item.key for item in value.values if isinstance(item, Rest)), FAILED)
        try:
            found = truth(value)
        except ConversionError:
            if not isinstance(value, Built):
                raise
            found = self.text(value)
        return self.decided(found)

    def each(self, value: Value, made: Callable[[Value], Value]) -> Value:
        """Return what is made of a value, of each that it can be; code that this needs runs only where it is that one."""
        value = self.simple(value)
        if not isinstance(value, Pick):
            if isinstance(value, Unset):
                raise NeedsVariable(value.key)
            if isinstance(value, Broken):
                raise ConversionError(value.reason)
            return made(value)
        with self.writing() as yes, self.given(value.test, True):
            one = self._unless_refused(lambda: self.each(value.yes, made))
        with self.writing() as no, self.given(value.test, False):
            other = self._unless_refused(lambda: self.each(value.no, made))
        if yes or no:
            self._guard(value.test, tuple(yes), tuple(no))
        if isinstance(one, Refused):
            if isinstance(other, Refused):
                raise one
            self.learn(value.test, False)
            return self.simple(other)
        if isinstance(other, Refused):
            self.learn(value.test, True)
            return self.simple(one)
        return pick(value.test, one, other)

    def _unless_refused(self, made: Callable[[], Value]) -> Value | Refused:
        """Return a value, or why the Jinja template has none: then the code fails too."""
        try:
            return made()
        except Refused as error:
            self.fail(error.message)
            return error

    def fail(self, why: str) -> None:
        """Write code that fails when it is reached; the text is what Ollama shows."""
        self.emit(Out(f'index "" {quoted(why)}'))

    def _guard(self, test: str, yes: Code, no: Code) -> None:
        self.emit(Cond(test, yes, no) if yes else Cond(f"not ({test})", no))

    def only_if(self, test: Truth, made: Callable[[], Value]) -> Value:
        """Return what is made where a condition holds; code that this needs runs only there."""
        with self.writing() as code, self.given(test, True):
            value = made() if test is True else self._unless_refused(made)
        found = MISSING if isinstance(value, Refused) else value
        if code:
            if isinstance(test, str):
                self.emit(Cond(test, tuple(code)))
            else:
                self.emit(*code)
        return found

    def held(self, test: Truth) -> Truth:
        """Return a condition as it is now, whatever becomes of the variables in it."""
        if isinstance(test, bool) or not self._may_change(test):
            return test
        name = self.fresh("is")
        self.emit(Do(f"{name} = {test}"))
        if test in self.facts:
            self.facts[name] = self.facts[test]
        return name

    def _may_change(self, expression: str) -> bool:
        names = re.findall(r"\$\w+", expression)
        return len(expression) > LONG or any(name in self.changing for name in names)

    @property
    def changing(self) -> set[str]:
        """The Go variables that are given other values as time goes by."""
        return {variable_of(key) for key in self.variables} | {kind_of(key) for key in self.variables}

    def kept(self, value: Value) -> Value:
        """Return a value as it is now."""
        match value:
            case Go(expression, kind, offset) if self._may_change(expression) and len(expression) <= LONG:
                name = self.fresh("kept")
                self.emit(Do(f"{name} = {expression}"))
                return Go(name, kind, offset)
            case Pick(test, yes, no):
                held = self.held(test)
                with self.writing() as one, self.given(test, True):
                    first = self.kept(yes)
                with self.writing() as other, self.given(test, False):
                    second = self.kept(no)
                if one or other:
                    self._guard(str(held), tuple(one), tuple(other))
                return pick(held, first, second)
            case Thing(kind, expression, first) if any(
                name in self.changing for name in re.findall(r"\$\w+", expression)
            ):
                name = self.fresh("kept")
                self.emit(Do(f"{name} = {expression}"))
                return Thing(kind, name, first, value.reversed, value.tests)
            case Built(code) if any(self._mentions_changing(piece) for piece in pieces(code)) and code_can_be_kept(
                code
            ):
                text = self.text(value)
                name = self.fresh("kept")
                self.emit(Do(f"{name} = {text}"))
                return Go(name, "text")
            case _:
                return value

    def _mentions_changing(self, piece: Piece) -> bool:
        match piece:
            case Out(text) | Do(text) | Cond(text) | Loop(text):
                return any(name in self.changing for name in re.findall(r"\$\w+", text))
            case _:
                return False

    def text(self, value: Value) -> str:
        """Return the Go expression of a text."""
        if isinstance(value, Known) and isinstance(value.value, str):
            return quoted(value.value)
        if isinstance(value, Go) and value.kind in TEXTS:
            return value.expression
        code = joined(printed(self.simple(value)))
        parts = []
        for piece in code:
            if isinstance(piece, Lit):
                parts.append(quoted(piece.text))
            elif isinstance(piece, Out):
                parts.append(operand(piece.expression))
            else:
                break
        else:
            return quoted("") if not parts else f"print {' '.join(parts)}"
        name = self.fresh("text")
        self.emit(Do(f'{name} = ""'), *appended(name, code))
        return name

    # variables that outlive rounds

    def slot(self, key: Key) -> Value:
        """Return what is in a variable that outlives rounds."""
        if key in self.loose:
            return self.loose[key]
        kinds = self.variables[key]
        if not kinds:
            return MISSING
        name = variable_of(key)
        found = value_of_kind(kinds[-1], name)
        for kind in reversed(kinds[:-1]):
            found = Pick(f"eq {kind_of(key)} {quoted(kind)}", value_of_kind(kind, name), found)
        return found

    def kept_slot(self, key: Key) -> Value:
        """Return what is in the Go variable of what outlives rounds."""
        loose = self.loose.pop(key, None)
        found = self.slot(key)
        if loose is not None:
            self.loose[key] = loose
        return found

    def store(self, key: Key, value: Value) -> None:
        """Give a variable that outlives rounds a value."""
        value = self.simple(value)
        if not self.rounds and not can_be_kept(value):
            self.loose[key] = value
            return
        if key in self.loose:
            if self.rounds:
                raise cannot("JSON in a variable that changes while the chat goes on")
            del self.loose[key]
        kinds = self.variables[key]
        name, kind_name = variable_of(key), kind_of(key)
        self.declared.setdefault(name, '""')
        if len(kinds) > 1:
            self.declared.setdefault(kind_name, '""')
        if isinstance(value, Pick):
            if kinds == ["bool"] and only_booleans(value):
                test = truth(value)
                self.emit(Do(f"{name} = {str(test).lower() if isinstance(test, bool) else test}"))
                self.forget(name, kind_name)
                return
            with self.writing() as yes, self.given(value.test, True):
                self.store(key, value.yes)
            with self.writing() as no, self.given(value.test, False):
                self.store(key, value.no)
            if yes or no:
                self._guard(value.test, tuple(yes), tuple(no))
            return
        kind = kind_of_value(value)
        if kind not in kinds:
            raise NeedsVariable(key, kind)
        if value != self.slot(key) or len(kinds) > 1:
            code = self._stored(name, value)
            if len(kinds) > 1:
                self.emit(Do(f"{kind_name} = {quoted(kind)}"))
            if code:
                self.emit(*code)
        self.forget(name, kind_name)

    def _stored(self, name: str, value: Value) -> Code:
        match value:
            case _ if kind_of_value(value) in {"none", "empty", "missing", BROKEN}:
                return ()
            case Known(bool() as known):
                return (Do(f"{name} = {str(known).lower()}"),)
            case Known(int() as known):
                if known < -1:
                    raise cannot("a number below zero")
                return (Do(f"{name} = {known + 1}"),)
            case Go(expression, "int", offset):
                return (Do(f"{name} = {number(Go(expression, 'int', offset + 1))}"),)
            case Go(expression) | Thing(_, expression) if value.kind not in TEXTS:
                return (Do(f"{name} = {expression}"),) if expression != name else ()
            case _:
                kept = Built(remembered(value, self.text).code) if isinstance(value, (Items, Seen)) else value
                text = self.text(kept)
                return (Do(f"{name} = {text}"),) if text != name else ()

    def forget(self, *names: str) -> None:
        """Forget what was known of variables that have another value now."""
        self._forgotten.update(names)
        self.facts = {fact: holds for fact, holds in self.facts.items() if not self._stale(fact)}
