"""Whether a template can fail only because it is not asked to open the assistant's turn.

llama-server renders every chat twice, with and without the prompt for an answer, and refuses it where either fails. Most
templates write that prompt at their end, under a plain ``{% if add_generation_prompt %}``: what is left without it is what comes
before it, and need not be rendered again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.template.jinja.engine.tree import nodes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.template.jinja.engine.program import Program

_NAME = "add_generation_prompt"
_SILENT = (nodes.Text, nodes.Comment, nodes.Noop)


def ends_safely(program: Program) -> bool:
    """Say whether the template without its prompt for an answer is the same but for its end."""
    if _NAME not in program.words:
        return True
    places = [place for place, each in enumerate(program.body) if _mentions(each)]
    return bool(places) and all(_is_plain(each) for each in program.body[places[0] :])


def _is_plain(node: nodes.Node) -> bool:
    if isinstance(node, _SILENT):
        return True
    return isinstance(node, nodes.If) and _starts_with_it(node.test) and all(map(_is_silent, node.otherwise))


def _is_silent(node: nodes.Node) -> bool:
    return isinstance(node, _SILENT)


def _starts_with_it(test: nodes.Node) -> bool:
    while isinstance(test, nodes.Binary) and test.operator == "and":
        test = test.left
    return isinstance(test, nodes.Name) and test.text == _NAME


def _mentions(node: nodes.Node) -> bool:
    return any(isinstance(each, nodes.Name) and each.text == _NAME for each in descendants(node))


def descendants(node: nodes.Node) -> Iterator[nodes.Node]:
    """Yield a node and all that is in it."""
    left: list[object] = [node]
    while left:
        found = left.pop()
        if isinstance(found, nodes.Node):
            yield found
            left += [getattr(found, name) for name in type(found).__match_args__]
        elif isinstance(found, tuple):
            left += found
