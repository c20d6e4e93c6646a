"""Read a Go template: text in, tree out, or the error that Go gives.

Source of the rules: Go, ``text/template/parse``; which of two definitions of a name counts: ``Tree.add`` there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.syntax.gotemplate_literals import SPACES
from modelsmith.syntax.gotemplate_nodes import Block, Body, Branch, Define, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.source import Span
    from modelsmith.syntax.gotemplate_nodes import ListItem


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
    from modelsmith.syntax.gotemplate_parser import build

    root = build(text)
    templates: dict[str, Body] = {}
    for name, body in (*_definitions(root), ("", root)):
        if name not in templates or _is_empty(templates[name]):
            templates[name] = body
    return Tree(text, root, templates)


def _definitions(body: Body) -> Iterator[tuple[str, Body]]:
    """Yield what is defined in a body, in the order in which the definitions end."""
    for node in body.nodes:
        if isinstance(node, Branch):
            yield from _definitions(node.body)
            if node.otherwise:
                yield from _definitions(node.otherwise)
        elif isinstance(node, Define | Block):
            yield from _definitions(node.body)
            yield node.name, node.body


def _is_empty(body: Body) -> bool:
    return all(isinstance(node, Text) and not node.value.strip(SPACES) for node in body.for_go)


def tiles(body: Body) -> Iterator[Span]:
    """Yield the spans of texts, comments, actions and tags from left to right: joined, they are the body's text."""
    for node in body.nodes:
        if isinstance(node, Branch):
            yield node.opening
            yield from tiles(node.body)
            if node.else_tag:
                yield node.else_tag
            if node.otherwise:
                yield from tiles(node.otherwise)
            if node.closing:
                yield node.closing
        elif isinstance(node, Define | Block):
            yield node.opening
            yield from tiles(node.body)
            yield node.closing
        else:
            yield node.span


def walk(body: Body) -> Iterator[ListItem]:
    """Yield all list items of a body and of the bodies in it, a tag before what it holds."""
    for node in body.nodes:
        yield node
        if isinstance(node, Branch | Define | Block):
            yield from walk(node.body)
        if isinstance(node, Branch) and node.otherwise:
            yield from walk(node.otherwise)
