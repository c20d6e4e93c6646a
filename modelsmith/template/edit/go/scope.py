"""Where in a template a node stands, and what can be known there: what the dot is, whether the loop is in its last turn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from modelsmith.errors import InjectionError
from modelsmith.patterns import regex
from modelsmith.records import dataclass
from modelsmith.source import Span
from modelsmith.syntax.gotemplate.nodes import Block, Branch, Comment, Define, Field, Range, Text, Variable, With

if TYPE_CHECKING:
    from modelsmith.syntax.gotemplate.nodes import Body, ListItem, Node
    from modelsmith.syntax.gotemplate.tree import Tree

_SPACE = " \t\r\n"
_DEEPEST = 1000  # tags, one in the other: each node has its whole path
_IS_LAST = regex(r"\(?\s*eq\s+\(\s*len\s+\(\s*slice\s+\$\.Messages\s+(\$\w+)\s*\)\s*\)\s+1\s*\)?\s*\Z")


@dataclass(frozen=True, slots=True)
class Step:
    """Child ``index`` of ``body``, which belongs to ``owner`` (None: the template itself)."""

    body: Body
    index: int
    owner: Branch | Define | Block | None

    @property
    def node(self) -> ListItem:
        """The child."""
        return self.body.nodes[self.index]


Path: TypeAlias = tuple[Step, ...]
"""The steps from the template's root down to a node."""


@dataclass(frozen=True, slots=True)
class EditScope:
    """What code may say at a place.

    ``dot`` is ``root``, ``message`` or ``other``; ``loop`` the innermost range over the messages, ``index`` and ``message``
    its variables, ``last`` the variable that says that this is its last turn ("" where there is none).
    """

    dot: str = "root"
    loop: Range | None = None
    index: str = ""
    message: str = ""
    last: str = ""


def paths(tree: Tree) -> dict[int, Path]:
    """Return the path of every list item, by its identity (nodes that look the same stand at several places)."""
    found: dict[int, Path] = {}
    waiting: list[Path] = [(Step(tree.root, number, None),) for number in reversed(range(len(tree.root.nodes)))]
    while waiting:
        path = waiting.pop()
        node = path[-1].node
        found[id(node)] = path
        if len(path) > _DEEPEST:
            raise InjectionError(f"the template has more than {_DEEPEST} tags, one in the other: too many to edit it")
        if isinstance(node, Branch | Define | Block):
            bodies = (node.body, node.otherwise) if isinstance(node, Branch) and node.otherwise else (node.body,)
            steps = [Step(body, number, node) for body in bodies for number in range(len(body.nodes))]
            waiting += ((*path, step) for step in reversed(steps))
    return found


def scope_at(tree: Tree, path: Path) -> EditScope:
    """Return what holds right after the node at the end of the path."""
    scope = EditScope()
    for step in path:
        scope = _enter(scope, step)
        scope = _declared(tree.text, scope, step)
    return scope


def is_messages(loop: Range) -> bool:
    """Say whether a range goes over the messages themselves (not a part of them)."""
    commands = loop.pipeline.commands
    if len(commands) != 1 or len(commands[0].operands) != 1:
        return False
    operand = commands[0].operands[0]
    return (isinstance(operand, Field) and operand.names == ("Messages",)) or (
        isinstance(operand, Variable) and operand.names == ("$", "Messages")
    )


def offset_after(text: str, node: Node) -> int:
    """Return the offset right behind a node: behind what the trim markers leave of a text."""
    return clear_of_trims(text, visible(text, node).end if isinstance(node, Text) and node.value else node.end)


def visible(text: str, node: Text) -> Span:
    """Return where the part of a text stands that the trim markers leave."""
    start = text.index(node.value, node.start, node.end)
    return Span(start, start + len(node.value))


def offset_before(text: str, step: Step) -> int:
    """Return the offset before a child: behind what prints before it, so that no trim marker loses its neighbour."""
    for node in reversed(step.body.nodes[: step.index]):
        if not is_blank(node):
            return offset_after(text, node)
    return clear_of_trims(text, step.body.start)


def offset_before_tag(text: str, body: Body) -> int:
    """Return the offset at the end of a body, before the tag that closes it."""
    for node in reversed(body.nodes):
        if not isinstance(node, Text) or node.value:
            return offset_after(text, node)
    return clear_of_trims(text, body.start)


def clear_of_trims(text: str, offset: int) -> int:
    """Move an offset so that what is inserted there changes no trimming.

    White space behind ``-}}`` stays behind it; white space before ``{{-`` stays before it.
    """
    space = offset
    while space < len(text) and text[space] in _SPACE:
        space += 1
    trimmed_left = text[:offset].endswith("-}}") and text[offset - 4 : offset - 3] in tuple(_SPACE)
    trimmed_right = text.startswith("{{-", space) and text[space + 3 : space + 4] in tuple(_SPACE)
    return space if trimmed_left and not trimmed_right else offset


def _enter(scope: EditScope, step: Step) -> EditScope:
    owner = step.owner
    if isinstance(owner, Define | Block):
        return EditScope(dot="other")
    if not isinstance(owner, Range | With) or step.body is not owner.body:
        return scope
    if isinstance(owner, Range) and is_messages(owner) and (scope.dot == "root" or not _by_field(owner)):
        names = [variable.names[0] for variable in owner.pipeline.declared]
        index, message = (names[0], names[1]) if len(names) == 2 else ("", names[0] if names else "")
        return EditScope("message", owner, index, message)
    return replace(scope, dot="other")


def _by_field(loop: Range) -> bool:
    return isinstance(loop.pipeline.commands[0].operands[0], Field)


def _declared(text: str, scope: EditScope, step: Step) -> EditScope:
    """Look for ``$last := eq (len (slice $.Messages $i)) 1`` before the child, in the loop."""
    if scope.loop is None or not scope.index:
        return scope
    for node in step.body.nodes[: step.index]:
        pipeline = getattr(node, "pipeline", None)
        if pipeline is None or isinstance(node, Branch) or len(pipeline.declared) != 1 or pipeline.assigns:
            continue
        source = text[pipeline.commands[0].start : pipeline.end]
        match = _IS_LAST.match(source)
        if match and match[1] == scope.index:
            scope = replace(scope, last=pipeline.declared[0].names[0])
    return scope


def is_blank(node: ListItem) -> bool:
    """Say whether a list item prints nothing and does nothing: a comment, or a text that is trimmed away."""
    return isinstance(node, Comment) or (isinstance(node, Text) and not node.value)
