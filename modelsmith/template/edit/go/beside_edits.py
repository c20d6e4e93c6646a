"""Where a Go template prints the texts of messages, and the edits that put a text beside them.

Source of the rules: Ollama template/template.go (Execute; it cuts a legacy template at its first ``.Response``, which
``$.Response`` is not).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from modelsmith.errors import InjectionError, TemplateRenderError
from modelsmith.source import Edit
from modelsmith.template.conversation.named import is_suffix
from modelsmith.template.conversation.proof import proof_conversations
from modelsmith.template.conversation.think import THINKS
from modelsmith.template.edit.addition import code, role_is
from modelsmith.template.edit.go.places import number_loop
from modelsmith.template.edit.go.scope import offset_after, offset_before, offset_before_tag, paths, scope_at
from modelsmith.template.edit.positions import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.syntax.gotemplate.nodes import Node
    from modelsmith.template.edit.addition import Addition
    from modelsmith.template.edit.go.scope import Path
    from modelsmith.template.edit.positions import Position
    from modelsmith.template.edit.prove import Renderings
    from modelsmith.template.go.template import Template

_ROLES = ("system", "user", "assistant", "tool")
_LAST = "$lastUser"
_LEGACY = {"user": ".Prompt", "system": ".System", "assistant": "$.Response"}
HINT = "edit this template by hand, and compare with `modelsmith render`"


def printers(found: Renderings, addition: Addition) -> list[tuple[Path, set[str]]]:
    """Return the nodes that print texts of messages and nothing else, and the roles whose texts they print."""
    template = found.template
    known, traced = paths(template.tree), template.renderer(traced=True)
    roles: dict[int, set[str]] = {}
    nodes: dict[int, Node] = {}
    for think in found.different([think for think in THINKS if addition.text(think)]):
        for talk in proof_conversations().values():
            if is_suffix(talk):
                continue
            messages = tuple(replace(message, content=f"{MARK}{message.role}{MARK}") for message in talk.collated[1])
            try:
                pieces = traced.trace(replace(talk, messages=messages, prompt=""), think)
            except TemplateRenderError:
                continue
            for piece in pieces:
                if piece.node and piece.text.startswith(MARK) and piece.text.endswith(MARK) and id(piece.node) in known:
                    nodes[id(piece.node)] = piece.node
                    spoken = piece.text.replace(MARK, " ").split()
                    roles.setdefault(id(piece.node), set()).update(role for role in spoken if role in _ROLES)
    return [(known[identity], roles[identity]) for identity in nodes]


class Builder:
    """Edits at the nodes that print a role's messages."""

    def __init__(self, template: Template, position: Position, addition: Addition) -> None:
        self._template = template
        self._position = position
        self._addition = addition

    def edits(self, places: list[tuple[Path, bool]]) -> Iterator[list[Edit]]:
        """Yield the edits at all places, with a condition for the role at those that are marked so."""
        if self._position.role == "assistant" and self._template.adds_response:
            yield self._response()
        if not places:
            return
        if not self._position.last:
            yield [edit for path, asks in places for edit in self._edits(path, asks=asks)]
            return
        if self._template.is_legacy:
            raise InjectionError(
                "the template is of the old style (.Prompt and .Response), rendered turn by turn: no turn knows whether it is "
                "the last one",
                hint=f'use "{self._position.name.replace("last-", "")}", or a template that ranges over .Messages',
            )
        counted = f'{{{{ range $i, $_ := .Messages }}}}{{{{ if eq .Role "user" }}}}{{{{ {_LAST} = $i }}}}{{{{ end }}}}{{{{ end }}}}'
        for prelude in (counted, f"{{{{ if .Messages }}}}{counted}{{{{ end }}}}"):
            declared = Edit.insert(0, f"{{{{ {_LAST} := -1 }}}}{prelude}")
            yield [declared, *(edit for path, _ in places for edit in self._edits(path, asks=False))]

    def _response(self) -> list[Edit]:
        """Return the edit for a template to which Ollama itself adds the answer, at its end."""
        offset = offset_before_tag(self._template.text, self._template.tree.root)
        added = code(self._addition, (_LEGACY["assistant"],), root="")
        answer = "{{ .Response }}"
        return [Edit.insert(offset, answer + added if self._position.behind else added + answer)]

    def _edits(self, path: Path, *, asks: bool) -> list[Edit]:
        text = self._template.text
        scope = scope_at(self._template.tree, path)
        role, conditions, found = self._position.role, [], []
        if asks and scope.loop is not None:
            conditions.append(role_is((role,), "" if scope.dot == "message" else scope.message))
        elif asks:
            field = _LEGACY[role]
            conditions.append(field if scope.dot == "root" or field.startswith("$") else f"${field}")
        if self._position.last or (self._position.past_only and not self._template.is_legacy):
            if scope.loop is None:
                raise InjectionError(
                    f"the template shows {self._position.what} outside of its range over .Messages", hint=HINT
                )
            name = scope.index
            if not name:
                name, edit = number_loop(text, scope.loop)
                found.append(edit)
            last = f"not {scope.last}" if scope.last else f"ne (len (slice $.Messages {name})) 1"
            conditions.append(f"eq {name} {_LAST}" if self._position.last else last)
        root = "" if scope.dot == "root" else "$"
        offset = offset_after(text, path[-1].node) if self._position.behind else offset_before(text, path[-1])
        return [*found, Edit.insert(offset, code(self._addition, tuple(conditions), root=root))]
