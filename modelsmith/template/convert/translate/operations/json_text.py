"""``tojson`` of a value, as Go code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from modelsmith.template.convert.json_code import JsonCode, Layout
from modelsmith.template.convert.translate.code.go_code import (
    Cond,
    Do,
    Lit,
    Loop,
    Out,
    Raw,
    Use,
    applied,
    conditional,
    joined,
    operand,
    quoted,
)
from modelsmith.template.convert.translate.operations.lists import ELEMENTS
from modelsmith.template.convert.translate.values.members import MEMBERS, member_of
from modelsmith.template.convert.translate.values.printed import printed
from modelsmith.template.convert.translate.values.values import (
    TEXTS,
    Built,
    Fields,
    Go,
    Items,
    Known,
    Pick,
    Thing,
    cannot,
    is_missing,
    number,
)
from modelsmith.template.jinja.engine.values.printing import to_text
from modelsmith.template.jinja.engine.values.texts import from_bytes

if TYPE_CHECKING:
    from modelsmith.template.convert.translate.code.go_code import Code
    from modelsmith.template.convert.translate.state import State
    from modelsmith.template.convert.translate.values.values import Value


SHOWN = Layout("shown ", ", ", ": ", shown=True)
"""How objects and lists are written into a text."""


def layout_of(indent: int, separators: tuple[str, str] | None, *, ascii_only: bool = False) -> Layout:
    """Return how ``tojson`` lays JSON out with these arguments; an indent below zero is one line."""
    item, key = separators or (", " if indent < 0 else ",", ": ")
    name = (
        ""
        if (indent, item, key) == (-1, ", ", ": ")
        else f"{item}{key}{max(indent, 0)} ".replace('"', "").replace(" ", "_")
    )
    return Layout(
        f"{name}ascii " if ascii_only else name, item, key, max(indent, 0), quote="%+q" if ascii_only else "%q"
    )


def json_of(state: State, value: Value, layout: Layout, depth: int = 0) -> Code:
    """Return the code that prints a value as JSON."""
    value = state.simple(value)
    match value:
        case Known(known):
            if layout.shown:
                return (Lit(_shown(known)),)
            return (Lit("null" if is_missing(value) else json.dumps(known, ensure_ascii=False)),)
        case Go(_, "int"):
            return (Out(number(value)),)
        case Go(expression, "bool"):
            return (Cond(expression, (Lit("true"),), (Lit("false"),)),)
        case Go(expression, "json"):
            return (Use(JsonCode(layout, state.definitions).value_title(depth), expression),)
        case Go(expression, kind) if kind in TEXTS:
            return (_text(state, expression, layout),)
        case Built():
            return (_text(state, state.text(value), layout),)
        case Pick(test, yes, no):
            with state.writing() as one, state.given(test, True):
                first = json_of(state, yes, layout, depth)
            with state.writing() as other, state.given(test, False):
                second = json_of(state, no, layout, depth)
            return conditional(test, (*one, *first), (*other, *second))
        case Items(values):
            if value.guards:
                raise cannot("JSON of a list whose items may be missing")
            return _wrapped(layout, depth, "[]", [json_of(state, item, layout, depth + 1) for item in values])
        case Fields(values):
            entries = [
                (
                    Lit((_shown(key) if layout.shown else json.dumps(key, ensure_ascii=False)) + layout.key),
                    *json_of(state, item, layout, depth + 1),
                )
                for key, item in values.items()
            ]
            return _wrapped(layout, depth, "{}", entries)
        case Thing():
            return _thing(state, value, layout, depth)
        case _:
            raise cannot("JSON of this")


def text_of(state: State, value: Value) -> Code:
    """Return the code that writes a value into a text."""
    value = state.simple(value)
    match value:
        case Known(None):
            return (Lit("None"),)
        case Go(expression, "json"):
            is_text = f'eq (printf "%T" {operand(expression)}) "string"'
            return (
                Cond(
                    is_text, (Out(expression),), (Use(JsonCode(SHOWN, state.definitions).value_title(0), expression),)
                ),
            )
        case Pick(test, yes, no):
            with state.writing() as one, state.given(test, True):
                first = text_of(state, yes)
            with state.writing() as other, state.given(test, False):
                second = text_of(state, no)
            return conditional(test, (*one, *first), (*other, *second))
        case Thing() | Fields() | Items():
            return json_of(state, value, SHOWN)
        case _:
            return printed(value)


def printed_by(state: State, value: Value) -> Code:
    """Return the code that prints a value: texts, numbers, and all that is in lists."""
    value = state.simple(value)
    if isinstance(value, Pick):
        with state.writing() as one, state.given(value.test, True):
            first = printed_by(state, value.yes)
        with state.writing() as other, state.given(value.test, False):
            second = printed_by(state, value.no)
        return conditional(value.test, (*one, *first), (*other, *second))
    if isinstance(value, Go) and value.kind == "json":
        state.definitions.setdefault("plain", _PLAIN)
        return (Use("plain", value.expression),)
    return printed(value)


_PLAIN = (
    '{{- define "plain" }}{{ $type := printf "%T" . }}{{ if eq $type "string" }}{{ . }}'
    '{{ else if eq $type "bool" }}{{ if . }}True{{ else }}False{{ end }}'
    '{{ else if eq $type "[]interface {}" }}{{ range . }}{{ template "plain" . }}{{ end }}'
    '{{ else if eq $type "float64" }}{{ json . }}{{ end }}{{ end }}'
)


def _shown(known: object) -> str:
    if isinstance(known, str) and "'" not in known:
        return f"'{known}'"
    return json.dumps(known, ensure_ascii=False) if isinstance(known, str) else from_bytes(to_text(known))


def _text(state: State, expression: str, layout: Layout) -> Out | Use:
    """Return the piece that prints a text in quotes."""
    title = JsonCode(layout, state.definitions).text_title()
    return Use(title, expression) if title else Out(applied("printf", quoted(layout.quote), expression))


def _mapped(state: State, layout: Layout, depth: int, expression: str, value: Use) -> Code:
    """Return the code of an object whose members a map has."""
    comma, line, end = state.fresh("comma"), layout.line(depth + 1), layout.line(depth)
    body: Code = (
        Out(comma),
        Lit(line),
        _text(state, "$key", layout),
        Lit(layout.key),
        value,
        Do(f"{comma} = {quoted(layout.item)}"),
    )
    closing: Code = (Cond(comma, (Lit(end),)),) if end else ()
    loop = Loop(f"$key, $value := {expression}", "$value", joined(body))
    return (Lit("{"), Do(f'{comma} = ""'), loop, *closing, Lit("}"))


def _wrapped(layout: Layout, depth: int, marks: str, entries: list[Code]) -> Code:
    if not entries:
        return (Lit(marks),)
    line = layout.line(depth + 1)
    found: Code = (Lit(marks[0]),)
    for place, entry in enumerate(entries):
        found += (Lit((layout.item if place else "") + line), *entry)
    return joined((*found, Lit(layout.line(depth) + marks[1])))


def _element(state: State, kind: str, layout: Layout, depth: int) -> Code:
    """Return the code of an element of a list, ``$each``."""
    code = JsonCode(layout, state.definitions)
    match kind:
        case "tools":
            return (Raw(code.tool(depth), "$each"),)
        case "tool functions":
            return (Raw(code.function(depth), "$each"),)
        case "calls" | "call functions":
            return _thing(state, Thing(ELEMENTS[kind], "$each"), layout, depth)
        case "values":
            return (Use(code.value_title(depth), "$each"),)
        case "properties list":
            return (Use(code.property_title(depth), "$each"),)
        case _:
            return (_text(state, "$each", layout),)


def _thing(state: State, thing: Thing, layout: Layout, depth: int) -> Code:
    code, kind, expression = JsonCode(layout, state.definitions), thing.kind, thing.expression
    if thing.tests or thing.reversed:
        raise cannot("JSON of a part of a list")
    match kind:
        case "tool":
            return (Raw(code.tool(depth), expression),)
        case "function":
            return (Raw(code.function(depth), expression),)
        case "parameters":
            return (Raw(code.parameters(depth), expression),)
        case "property":
            return (Use(code.property_title(depth), expression),)
        case "properties" | "inner properties":
            return _mapped(state, layout, depth, expression, Use(code.property_title(depth + 1), "$value"))
        case "arguments":
            return _mapped(state, layout, depth, expression, Use(code.value_title(depth + 1), "$value"))
        case "call" | "called":
            members = {name: member_of(thing, name) for name in MEMBERS[kind]}
            return json_of(
                state, Fields({name: value for name, value in members.items() if name != "id"}), layout, depth
            )
        case "texts" | "kinds" | "values" | "tools" | "tool functions" | "properties list" | "calls" | "call functions":
            inner = _element(state, thing.kind, layout, depth + 1)
            line = layout.line(depth + 1)
            body: Code = (Cond("$at", (Lit(layout.item),)), Lit(line), *inner)
            end = layout.line(depth)
            closing: Code = (Cond(expression, (Lit(end),)),) if end else ()
            return (Lit("["), Loop(f"$at, $each := {expression}", "$each", joined(body)), *closing, Lit("]"))
        case _:
            raise cannot(f"JSON of {kind}")
