"""Whether a template can fail only because it is not asked to open the assistant's turn.

llama-server renders every chat twice, with and without the prompt for an answer, and refuses it where either fails. Most
templates write that prompt at their end, under a plain ``{% if add_generation_prompt %}``, or where the last message is: what is left
without it is a part of what was rendered, and need not be rendered again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.template.jinja.engine.tree import nodes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.template.jinja.engine.program import Program

_NAME = "add_generation_prompt"
_SILENT = (nodes.Text, nodes.Comment, nodes.Noop, nodes.Name)
"""What fails never, as a statement or as what is printed: also a variable, for what is undefined prints nothing."""
_CHANGING = (nodes.Set, nodes.Macro, nodes.CallBlock, nodes.Break, nodes.Continue)
_PURE = frozenset({"raise_exception", "strftime_now", "range"})
_CHANGING_METHODS = frozenset({"append", "pop"})


def ends_safely(program: Program) -> bool:
    """Say whether the template without its prompt for an answer only leaves out what it prints with it."""
    if _NAME not in program.words:
        return True
    first = next((node for node in program.body if _mentions(node)), None)
    if first is not None and _is_default(first, {"true", "True"}):
        return True  # what is not asked is asked from there on
    body = [node for node in program.body if not _is_default(node, {"false", "False"})]
    places = [place for place, node in enumerate(body) if _mentions(node)]
    if not places:
        return True
    return all(_is_plain(node) for node in body[places[0] :]) or all(map(_leaves_out, body))


def _is_default(node: nodes.Node, values: set[str]) -> bool:
    """Say whether this is ``{% if add_generation_prompt is not defined %}{% set add_generation_prompt = VALUE %}{% endif %}``."""
    if not isinstance(node, nodes.If) or len(node.body) != 1 or node.otherwise:
        return False
    test, (made,) = node.test, node.body
    negated = isinstance(test, nodes.Not)
    asked = test.operand if isinstance(test, nodes.Not) else test
    if not isinstance(asked, nodes.Test) or asked.negated == negated or not _is_flag(asked.operand):
        return False
    if not isinstance(asked.test, nodes.Name) or asked.test.text != "defined":
        return False
    return (
        isinstance(made, nodes.Set)
        and _is_flag(made.target)
        and isinstance(made.value, nodes.Name)
        and made.value.text in values
    )


def _is_plain(node: nodes.Node) -> bool:
    if isinstance(node, _SILENT):
        return True
    return isinstance(node, nodes.If) and _is_asked_first(node.test) and all(map(_is_silent, node.otherwise))


def _is_silent(node: nodes.Node) -> bool:
    return isinstance(node, _SILENT)


def _is_flag(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.text == _NAME


def _is_asked_first(test: nodes.Node) -> bool:
    while isinstance(test, nodes.Binary) and test.operator == "and":
        test = test.left
    return _is_flag(test)


def _leaves_out(node: nodes.Node) -> bool:
    """Say whether a statement does the same without the flag, or leaves out what only prints."""
    if not _mentions(node):
        return True
    if isinstance(node, nodes.If):
        if not _mentions(node.test):
            return all(map(_leaves_out, (*node.body, *node.otherwise)))
        return _needs_flag(node.test) and all(map(_only_prints, node.body)) and all(map(_is_silent, node.otherwise))
    if isinstance(node, nodes.For):
        return not _mentions(node.iterable) and all(map(_leaves_out, (*node.body, *node.otherwise)))
    return False


def _needs_flag(test: nodes.Node) -> bool:
    """Say whether a condition is false without the flag: it is one of those that must all hold."""
    if isinstance(test, nodes.Binary) and test.operator == "and":
        sides = [side for side in (test.left, test.right) if _mentions(side)]
        return len(sides) == 1 and _needs_flag(sides[0])
    if isinstance(test, nodes.Binary) and test.operator == "==" and isinstance(test.right, nodes.Name):
        return _is_flag(test.left) and test.right.text in {"true", "True"}
    return _is_flag(test)


def _only_prints(node: nodes.Node) -> bool:
    return not any(isinstance(descendant, _CHANGING) or _may_change(descendant) for descendant in descendants(node))


def _may_change(node: nodes.Node) -> bool:
    """Say whether a call may change a value: of a macro, or of a method that does."""
    if not isinstance(node, nodes.Call):
        return False
    callee = node.callee
    if isinstance(callee, nodes.Name):
        return callee.text not in _PURE
    if not isinstance(callee, nodes.Member) or callee.computed or not isinstance(callee.property, nodes.Name):
        return True
    return callee.property.text in _CHANGING_METHODS


def _mentions(node: nodes.Node) -> bool:
    return any(map(_is_flag, descendants(node)))


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
