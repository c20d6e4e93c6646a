"""The edits that give a template its tools, as candidates: each is only an offer, the proof decides.

A tool's result is shown where the template shows messages of all roles alike; else in the user's turn, where the family
writes results as a user's; else in a branch of its own. Of the first message, a system text is drawn into the system turn
that lists the tools, as the families' chat templates do.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from modelsmith.errors import InjectionError
from modelsmith.source import Edit
from modelsmith.syntax.gotemplate.nodes import (
    Branch,
    Define,
    Field,
    Identifier,
    If,
    Parenthesized,
    String,
    Text,
    Variable,
)
from modelsmith.syntax.gotemplate.tree import walk
from modelsmith.template.edit.go.scope import clear_of_trims, offset_before_tag, scope_at
from modelsmith.template.edit.tools.places import enclosing_if

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.syntax.gotemplate.nodes import Command, Pipeline
    from modelsmith.template.edit.go.scope import Path
    from modelsmith.template.edit.tools.families import Family
    from modelsmith.template.edit.tools.places import Places

_FREE_NAMES = ("$i", "$index", "$n", "$position")
_LAST = "$lastUser"
_IS_TOOL = '{{ if eq .Role "tool" }}'


def tool_candidates(places: Places, family: Family) -> Iterator[tuple[Edit, ...]]:
    """Yield edits of the whole template, the best first."""
    builder = _Builder.of(places, family)
    shared = (*builder.index(), *builder.tool_list(), *builder.calls())
    ways_on = (True, False) if family.goes_on else (False,)
    widths = dict.fromkeys(((), builder.widened(everywhere=False)))
    for goes_on, results, wider in product(ways_on, builder.results(), widths):
        onward = builder.going_on(openings=bool(wider)) if goes_on else ()
        yield tuple(dict.fromkeys((*shared, *onward, *results, *wider)))


@dataclass(frozen=True, slots=True)
class _Builder:
    places: Places
    family: Family
    variable: str
    declares: str

    @classmethod
    def of(cls, places: Places, family: Family) -> _Builder:
        scope = scope_at(places.tree, places.user)
        if scope.index:
            return cls(places, family, scope.index, "")
        name = next((name for name in _FREE_NAMES if name not in places.tree.text), "")
        if not name:
            raise InjectionError(
                "the names for a loop's index are all taken", hint=f"free one of {', '.join(_FREE_NAMES)}"
            )
        return cls(places, family, name, f"{name}, " if scope.message else f"{name}, $_ := ")

    def index(self) -> Iterator[Edit]:
        """Give the loop an index where it has none."""
        if self.declares:
            yield Edit.insert(self.places.messages.pipeline.start, self.declares)

    def tool_list(self) -> Iterator[Edit]:
        """List the tools in the system turn, which opens for them if there is no system text."""
        if self.family.before_last_user:
            yield from self._before_last_user()
            return
        system, text = self.places.system, self.places.tree.text
        if system and scope_at(self.places.tree, system).loop is None:
            if self.places.source(system) not in {".System", "$.System"}:
                raise InjectionError(
                    "the template prints the system text with code of its own", hint="let it print .System"
                )
            owner = enclosing_if(system)
            if owner and self._is(owner, ".System", "$.System"):
                yield Edit.insert(owner.pipeline.start, "or ")
                yield Edit.insert(owner.pipeline.end, " .Tools" if self._is(owner, ".System") else " $.Tools")
            listed = f'{{{{ if $.Tools }}}}{{{{ if $.System }}}}{{{{ "\\n\\n" }}}}{{{{ end }}}}{self.family.tools}{{{{ end }}}}'
            yield Edit.insert(self.places.offset_after(system), listed)
            return
        own = ""
        if system:
            if self.places.source(system) != ".Content":
                raise InjectionError(
                    "the template prints the system text with code of its own", hint="let it print .Content"
                )
            own = (
                '{{ with index $.Messages 0 }}{{ if eq .Role "system" }}{{ .Content }}{{ "\\n\\n" }}{{ end }}{{ end }}'
            )
            drawn = f'{{{{ if and $.Tools (eq .Role "system") (not {self.variable}) }}}}{{{{ continue }}}}{{{{ end }}}}'
            yield self._line(clear_of_trims(text, self.places.messages.body.start), drawn)
        opening, closing = self.family.system
        turn = f"{{{{ if and $.Tools $.Messages }}}}{opening}{own}{self.family.tools}{closing}{{{{ end }}}}"
        offset = self.places.offset_before(self.places.loop)
        yield Edit.insert(offset, turn + ("\n" if text.startswith("{{- ", offset) else ""))  # the marker takes it away

    def _before_last_user(self) -> Iterator[Edit]:
        """List the tools right before the turn of the last user, wherever that is."""
        tree, marker = self.places.tree, self.family.user.strip()
        opening = next((path for path in reversed(self.places.begins) if _shows(path, marker)), None)
        if opening is None or scope_at(tree, opening).loop is not self.places.messages:
            raise InjectionError(
                f"the template opens the user's turn ({marker}) before it knows who speaks",
                hint=f'let it print {marker} where `eq .Role "user"` holds',
            )
        count = f'{{{{ range $i, $_ := .Messages }}}}{{{{ if eq .Role "user" }}}}{{{{ {_LAST} = $i }}}}{{{{ end }}}}{{{{ end }}}}'
        yield Edit.insert(0, f"{{{{ {_LAST} := -1 }}}}{count}")
        offset = tree.text.rindex(marker, opening[-1].node.start, opening[-1].node.end)
        yield Edit.insert(
            offset, f"{{{{ if and $.Tools (eq {self.variable} {_LAST}) }}}}{self.family.tools}{{{{ end }}}}"
        )

    def calls(self) -> Iterator[Edit]:
        """Show the calls right behind an answer's text, also where that stands in an ``if .Content``."""
        owner = enclosing_if(self.places.assistant)
        if owner and self._is(owner, ".Content"):
            # in parentheses: Ollama must not take this one for the place where the tag stands
            yield Edit.insert(owner.pipeline.start, "or ")
            yield Edit.insert(owner.pipeline.end, " (len .ToolCalls)")
        yield Edit.insert(self.places.offset_after(self.places.assistant), self.family.calls)

    def results(self) -> Iterator[list[Edit]]:
        """Yield the ways to show a tool's result."""
        if self.places.result:
            yield [*self._around(self.places.result), *self._named()]
            return
        if self.family.result_role == "user":
            yield [*self._around(self.places.user), *self.widened(everywhere=True)]
        branch = self._branch()
        if branch:
            yield [branch]

    def _around(self, path: Path) -> Iterator[Edit]:
        for offset, code in zip(
            (self.places.offset_before(path), self.places.offset_after(path)), self._result(path), strict=True
        ):
            if code:
                yield Edit.insert(offset, f"{_IS_TOOL}{code}{{{{ end }}}}")

    def _named(self) -> Iterator[Edit]:
        if self.places.role and self.family.result_role:
            yield Edit.insert(
                self.places.offset_before(self.places.role), f"{_IS_TOOL}{self.family.result_role}{{{{ else }}}}"
            )
            yield Edit.insert(self.places.offset_after(self.places.role), "{{ end }}")

    def _branch(self) -> Edit | None:
        """Return a branch for the role ``tool`` at the end of the branches that tell the roles apart."""
        depth = len(self.places.loop)
        node = self.places.user[depth].node if len(self.places.user) > depth else None
        while isinstance(node, If) and node.otherwise:
            nodes = node.otherwise.for_go
            if node.else_tag or len(nodes) != 1:
                return None
            node = nodes[0]
        if not isinstance(node, If):
            return None
        (opened, opening), (closing, closed) = zip(self.family.result_turn, self._result(self.places.user), strict=True)
        code = f'{{{{ else if eq .Role "tool" }}}}{opened}{opening}{{{{ .Content }}}}{closed}{closing}'
        return self._line(offset_before_tag(self.places.tree.text, node.body), code)

    def _line(self, offset: int, code: str) -> Edit:
        """Give the code a line of its own where its neighbours have one, which the trim markers take away."""
        text = self.places.tree.text
        own = text[:offset].endswith("}}") and text.startswith("\n{{- ", offset)
        return Edit.insert(offset, f"\n{{{{-{code[2:]}" if own else code)

    def going_on(self, *, openings: bool) -> Iterator[Edit]:
        """Open no new turn for an answer to a tool's result; ``openings``: where one opens for the user, too."""
        if not self.family.assistant:
            return
        for path in self.places.answers:
            yield from self._guarded(path, self._is_first)
        for path in (*self.places.tool_openings, *(self.places.openings if openings else ())):
            if scope_at(self.places.tree, path).loop is self.places.messages:
                yield from self._guarded(path, 'ne .Role "tool"')

    def _guarded(self, path: Path, condition: str) -> Iterator[Edit]:
        start = self.places.tree.text.index(self.family.assistant, path[-1].node.start)
        yield Edit.insert(start, f"{{{{ if {condition} }}}}")
        yield Edit.insert(start + len(self.family.assistant), "{{ end }}")

    def widened(self, *, everywhere: bool) -> tuple[Edit, ...]:
        """Let conditions that ask for the user ask for a tool too; ``everywhere`` or only where no user's turn begins."""
        begins = {id(step.owner) for path in (*self.places.begins, self.places.user) for step in path}
        found = []
        for node in walk(self.places.tree.root):
            pipeline: Pipeline | None = getattr(node, "pipeline", None)
            if isinstance(node, Define) or pipeline is None or (not everywhere and id(node) in begins):
                continue
            if isinstance(node, Branch) or everywhere:
                found += [Edit.insert(command.operands[-1].end, ' "tool"') for command in _asks_for_user(pipeline)]
        return tuple(found)

    @property
    def _is_first(self) -> str:
        name = self.variable
        return f'or (not {name}) (ne (index $.Messages (len (slice $.Messages 1 {name}))).Role "tool")'

    def _result(self, path: Path) -> tuple[str, str]:
        """Return what stands around a result, with what it asks about its neighbours."""
        name = self.variable
        last = scope_at(self.places.tree, path).last or f"(eq (len (slice $.Messages {name})) 1)"
        is_last = f'or {last} (ne (index (slice $.Messages {name}) 1).Role "tool")'
        opening, closing = self.family.result
        return opening.replace("FIRST", self._is_first), closing.replace("LAST", is_last)

    def _is(self, node: If, *conditions: str) -> bool:
        return self.places.tree.text[node.pipeline.start : node.pipeline.end].strip() in conditions


def _shows(path: Path, marker: str) -> bool:
    node = path[-1].node
    return isinstance(node, Text) and marker in node.value


def _asks_for_user(pipeline: Pipeline) -> Iterator[Command]:
    """Yield the commands ``eq .Role "user" …`` that do not name ``tool``."""
    for command in pipeline.commands:
        operands = command.operands
        for operand in operands:
            if isinstance(operand, Parenthesized):
                yield from _asks_for_user(operand.pipeline)
        values = {operand.value for operand in operands if isinstance(operand, String)}
        if len(operands) > 1 and "user" in values and "tool" not in values:
            function, role = operands[:2]
            is_eq = isinstance(function, Identifier) and function.name == "eq"
            if is_eq and isinstance(role, Field | Variable) and role.names[-1] == "Role":
                yield command
