"""Read a Go template: text in, tree out, or the error that Go gives.

Trees may be thousands of levels deep, so whatever goes through them here keeps its own list of what waits.
Source of the rules: Go, ``text/template/parse``; which of two definitions of a name counts: ``Tree.add`` there.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from modelsmith.records import dataclass
from modelsmith.source import Span
from modelsmith.syntax.gotemplate.literals import SPACES
from modelsmith.syntax.gotemplate.nodes import Block, Body, Branch, Define, Parenthesized, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.syntax.gotemplate.nodes import ListItem, Operand, Pipeline


@dataclass(frozen=True, slots=True)
class Tree:
    """A parsed text: the whole as it is written, and the templates that it defines.

    ``templates[""]`` is the one that runs: the root, or a definition of the empty name if the root holds only space.
    """

    text: str
    root: Body
    templates: Mapping[str, Body]


def parse(text: str) -> Tree:
    """Return the tree of ``text``; raise TemplateSyntaxError, with Go's words, where Go does not accept it."""
    from modelsmith.syntax.gotemplate.parser import build

    root = build(text)
    templates: dict[str, Body] = {}
    for name, body in (*_definitions(root), ("", root)):
        if name not in templates or _is_empty(templates[name]):
            templates[name] = body
    return Tree(text, root, templates)


def _definitions(root: Body) -> Iterator[tuple[str, Body]]:
    """Yield what is defined in a body, in the order in which the definitions end."""
    found = [(node.closing.end, node.name, node.body) for node in walk(root) if isinstance(node, Define | Block)]
    for _, name, body in sorted(found, key=itemgetter(0)):
        yield name, body


def _is_empty(body: Body) -> bool:
    return all(isinstance(node, Text) and not node.value.strip(SPACES) for node in body.for_go)


def tiles(body: Body) -> Iterator[Span]:
    """Yield the spans of texts, comments, actions and tags from left to right: joined, they are the body's text."""
    waiting: list[ListItem | Body | Span] = [body]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Span):
            yield part
        elif isinstance(part, Body):
            waiting += reversed(part.nodes)
        elif isinstance(part, Branch):
            inside = (part.opening, part.body, part.else_tag, part.otherwise, part.closing)
            waiting += (one for one in reversed(inside) if one is not None)
        elif isinstance(part, Define | Block):
            waiting += (part.closing, part.body, part.opening)
        else:
            yield part.span


def walk(body: Body) -> Iterator[ListItem]:
    """Yield all list items of a body and of the bodies in it, a tag before what it holds."""
    waiting: list[ListItem] = [*reversed(body.nodes)]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, Branch) and node.otherwise:
            waiting += reversed(node.otherwise.nodes)
        if isinstance(node, Branch | Define | Block):
            waiting += reversed(node.body.nodes)


def walk_for_go(body: Body) -> Iterator[ListItem]:
    """Yield what Go has in a list and in the lists of its branches, but not in definitions, a tag before what it holds."""
    waiting: list[ListItem] = [*reversed(body.for_go)]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, Branch):
            if node.otherwise:
                waiting += reversed(node.otherwise.for_go)
            waiting += reversed(node.body.for_go)


def operands(pipeline: Pipeline) -> Iterator[Operand]:
    """Yield the operands of a pipeline and of those in its parentheses, from left to right.

    As in Ollama's own walks, what fields are taken of, in ``(x).A``, is not gone into.
    """
    waiting: list[Operand] = [*_reversed_operands(pipeline)]
    while waiting:
        operand = waiting.pop()
        yield operand
        if isinstance(operand, Parenthesized):
            waiting += _reversed_operands(operand.pipeline)


def _reversed_operands(pipeline: Pipeline) -> Iterator[Operand]:
    return (operand for command in reversed(pipeline.commands) for operand in reversed(command.operands))
