"""Translate the tree of a Go template to Jinja, node by node.

The dot is known at every place, and so is the kind of every value: what Go asks of a value while rendering (is a struct
true, how does a list print) is decided here. Variables that are set again become parts of the namespace ``ns``, because
Jinja forgets what a loop sets.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from modelsmith.errors import ConversionError
from modelsmith.syntax.gotemplate import nodes as go
from modelsmith.syntax.gotemplate.tree import walk
from modelsmith.template.convert.to_jinja import values
from modelsmith.template.convert.to_jinja.calls import condition
from modelsmith.template.convert.to_jinja.expressions import Expressions, TranslationScope
from modelsmith.template.convert.to_jinja.items import Case, Loop, Print, Statement, quoted, written
from modelsmith.template.convert.to_jinja.values import ELEMENTS, INT, MAPS, ROOT, Level, Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelsmith.template.convert.to_jinja.items import Item

_TAKEN = frozenset(
    re.findall(
        r"\w+",
        "skipped messages tools ns m content before system turn loop thinks think_level json and or not in is if else elif for "
        "true false none True False None import include set block range dict namespace",
    )
)
_NAMES = {values.MESSAGE: "message", values.CALL: "call", values.TOOL: "tool", values.PROPERTY: "property"}
_METHODS = frozenset(re.findall(r"\w+", "length count items keys values get string tojson dictsort join sort default"))
"""What llama.cpp finds in every namespace, before what was set there."""

_DEEPEST = 20
_MOVING = ("loop.", "ns.")
"""How code begins that means another thing later."""

_QUOTED = re.compile(r"'(?:\\.|[^'\\])*'")


class Translator:
    """One walk over a template; ``root`` says what the keys of Ollama's map of values are."""

    def __init__(self, templates: Mapping[str, go.Body], root: Mapping[str, Value]) -> None:
        self._templates = templates
        self._expressions = Expressions(root)
        self._loops = 0
        self._names: set[str] = set()
        self._numbers: dict[str, int] = {}  # the next one to try behind a name that is taken
        self._changed = {
            name.names[0]
            for body in templates.values()
            for node in walk(body)
            if isinstance(pipeline := getattr(node, "pipeline", None), go.Pipeline) and pipeline.assigns
            for name in pipeline.declared
        }

    def items(self, body: go.Body) -> tuple[Item, ...]:
        """Return what a whole template is in Jinja; raises ConversionError where Jinja has nothing for it."""
        root = Value("", ROOT)
        return self._body(body, TranslationScope(root, root, {"$": root}))

    def _body(self, body: go.Body, scope: TranslationScope) -> tuple[Item, ...]:
        variables = dict(scope.variables)
        inner = replace(scope, variables=variables)
        found: list[Item] = []
        for node in body.for_go:
            if isinstance(node, go.Text):
                found.append(Print(quoted(node.value)))
            elif isinstance(node, go.Action):
                found += self._action(node.pipeline, inner, variables)
            elif isinstance(node, go.Range):
                found += self._range(node, inner)
            elif isinstance(node, go.If | go.With):
                found += self._choice(node, inner)
            elif isinstance(node, go.Break | go.Continue):
                found.append(Statement("break" if isinstance(node, go.Break) else "continue"))
                break
            else:
                found += self._named(node, inner)
        return tuple(found)

    def _action(self, pipeline: go.Pipeline, scope: TranslationScope, variables: dict[str, Value]) -> list[Item]:
        value = self._expressions.value(pipeline, scope)
        if not pipeline.declared:
            code = values.printed(value)
            return [Print(code)] if code != "''" else []
        return self._declared(pipeline.declared[0].names[0], value, variables, assigns=pipeline.assigns)

    def _declared(self, name: str, value: Value, variables: dict[str, Value], *, assigns: bool) -> list[Item]:
        if name not in self._changed:
            if value.known is not None or (value.level == Level.ATOM and not value.code.startswith(_MOVING)):
                variables[name] = value
                return []
            own = self._own(name)
            variables[name] = Value(own, value.kind)
            return [Statement(f"set {own} = {value.code}")]
        own = variables[name].code if assigns and name in variables else f"ns.{self._own(name, _METHODS)}"
        variables[name] = Value(own, value.kind)
        self._expressions.kinds[own] = value.kind
        return [Statement(f"set {own} = {value.code}")]

    def _own(self, name: str, taken: frozenset[str] = frozenset()) -> str:
        """Return a free Jinja name that is like a Go variable's."""
        base = re.sub(r"\W", "", name, flags=re.ASCII).lstrip("_") or "value"
        own = base
        if base in self._names or base in _TAKEN or base in taken:
            numbers = itertools.count(self._numbers.get(base, 2))
            number = next(number for number in numbers if f"{base}_{number}" not in self._names)
            self._numbers[base] = number + 1
            own = f"{base}_{number}"
        self._names.add(own)
        return own

    def _choice(self, node: go.Branch, scope: TranslationScope) -> list[Item]:
        branches: list[tuple[str, tuple[Item, ...]]] = []
        found: list[Item] = []
        while True:
            variables = dict(scope.variables)
            value = self._expressions.value(node.pipeline, scope)
            if node.pipeline.declared:
                assigns = node.pipeline.assigns
                declared = self._declared(node.pipeline.declared[0].names[0], value, variables, assigns=assigns)
                if branches and declared:
                    raise ConversionError("a variable that an `else if` declares cannot be written in Jinja")
                found += declared
                value = replace(variables[node.pipeline.declared[0].names[0]], known=value.known)
            scope = replace(scope, variables=variables)
            inner = replace(scope, dot=value) if isinstance(node, go.With) else scope
            if value.truth is not False:
                branches.append(("" if value.truth else condition(value), self._body(node.body, inner)))
            otherwise = node.otherwise
            if value.truth or otherwise is None:
                break
            nodes = otherwise.for_go
            if len(nodes) == 1 and isinstance(nodes[0], go.If) and not nodes[0].pipeline.declared:
                node = nodes[0]
                continue
            branches.append(("", self._body(otherwise, scope)))
            break
        return [*found, *_cased(branches)]

    def _range(self, node: go.Range, scope: TranslationScope) -> list[Item]:
        value = self._expressions.value(node.pipeline, scope)
        if value.truth is False:
            return list(self._body(node.otherwise, scope)) if node.otherwise else []
        if value.kind not in ELEMENTS:
            raise ConversionError(f"a range over a {value.kind} cannot be written in Jinja")
        if node.pipeline.assigns:
            raise ConversionError("a range that sets variables of its surroundings cannot be written in Jinja")
        self._loops += 1
        variables = dict(scope.variables)
        names = [variable.names[0] for variable in node.pipeline.declared]
        keyed = value.kind in MAPS
        counter = names[0] if len(names) == 2 else ""
        element = self._own(names[-1] if names and names[-1] != "$_" else _NAMES.get(ELEMENTS[value.kind], "item"))
        dot = Value(element, ELEMENTS[value.kind])
        target, before = element, []
        if counter:
            own = self._own(counter)
            if keyed:
                target = f"{own}, {element}"
                variables[counter] = Value(own, values.TEXT)
            else:
                variables[counter] = Value(own, INT, place=("index", self._loops))
                before = [Statement(f"set {own} = loop.index0")]
        elif keyed:
            target = f"key, {element}"
        if names:
            variables[names[-1]] = dot
        goes_over = f"{value.at(Level.FILTER)} | dictsort(true)" if keyed else value.at(Level.OR)
        if value.kind == INT:
            goes_over = f"range({value.code})"
        inner = replace(scope, dot=dot, variables=variables, loops=(*scope.loops, self._loops))
        items = _settled(self._body(node.body, inner))
        if before and not _uses(items, variables[counter].code):
            before = []
        otherwise = self._body(node.otherwise, scope) if node.otherwise else ()
        return [Loop(f"{target} in {goes_over}", (*before, *items), otherwise)]

    def _named(self, node: go.ListItem, scope: TranslationScope) -> list[Item]:
        """Write the body of a named template where it is called."""
        if (
            not isinstance(node, go.TemplateCall | go.Block)
            or node.pipeline is None
            or node.name not in self._templates
        ):
            raise ConversionError(f"a {type(node).__name__} cannot be written in Jinja")
        if scope.depth > _DEEPEST:
            raise ConversionError(f'the template "{node.name}" calls itself', hint="write it as a loop")
        dot = self._expressions.value(node.pipeline, scope)
        inner = TranslationScope(dot, dot, {"$": dot}, scope.loops, scope.depth + 1)
        return list(self._body(self._templates[node.name], inner))


def _cased(branches: Sequence[tuple[str, tuple[Item, ...]]]) -> Sequence[Item]:
    """Return the branches as one item; what is always taken stands alone, empty branches at the end fall out."""
    kept = list(branches)
    while kept and not kept[-1][1]:
        kept.pop()
    if not kept:
        return ()
    if kept[0][0] == "":
        return kept[0][1]
    return (Case(tuple(kept)),)


def _settled(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """Return the items of a loop without ``if … continue``, if anything was printed by then.

    llama.cpp drops what a round has printed where it is continued. What follows stands in an else, or asks whether it was
    to be skipped.
    """
    for place, item in enumerate(items):
        if not isinstance(item, Case) or not any(_ends(inner) for _, inner in item.branches):
            continue
        (asked, first), *others = item.branches
        has_printed = any(isinstance(before, Print | Case | Loop) for before in items[:place])
        if not has_printed and all(len(inner) == 1 for _, inner in item.branches if _ends(inner)):
            continue
        rest = items[place + 1 :]
        if _ends(first) and not any(_ends(inner) for _, inner in others):
            follows = others[0][1] if others and not others[0][0] else (Case(tuple(others)),) if others else ()
            return (*items[:place], *_cased([(asked, first[:-1]), ("", _settled((*follows, *rest)))]))
        skipped = Statement("set skipped = true")
        branches = tuple((asked, (*inner[:-1], skipped) if _ends(inner) else inner) for asked, inner in item.branches)
        after = Case((("not skipped", _settled(rest)),))
        return (*items[:place], Statement("set skipped = false"), Case(branches), *((after,) if rest else ()))
    return items


def _ends(items: tuple[Item, ...]) -> bool:
    return items[-1:] == (Statement("continue"),)


def _uses(items: Sequence[Item], name: str) -> bool:
    return re.search(rf"\b{name}\b", _QUOTED.sub("", written(items))) is not None
