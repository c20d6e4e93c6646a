"""What is valid in a recipe and probably means something else: text that a comment cut, foreign references, curly quotes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Diagnostic, Severity
from modelsmith.patterns import regex
from modelsmith.recipe.read.advice.forms import CURLY
from modelsmith.recipe.read.advice.quoting import quoted
from modelsmith.recipe.read.nodes import ListNode, MapNode, Node, ScalarNode

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_PROSE = frozenset(
    {"system", "description", "text", "content", "ask", "prompt-ends-with", "prompt-has", "prompt-lacks"}
)
_REFERENCE = regex(r"(?<![$\w])\$(?P<dollar>[A-Za-z_]\w*)|\{\{ *(?:\.?[A-Za-z]+\.)?(?P<braces>[A-Za-z_][\w-]*) *\}\}")


def doubts(root: MapNode) -> Iterator[Diagnostic]:
    """Yield a warning for each such text of one file."""
    declared = root.items.get("inputs")
    inputs = declared.items if isinstance(declared, MapNode) else {}
    yield from _below("", root, inputs)


def _below(key: str, node: Node, inputs: Collection[str]) -> Iterator[Diagnostic]:
    match node:
        case ScalarNode():
            yield from _of_text(key, node, inputs)
        case ListNode():
            for item in node.items:
                yield from _below(key, item, inputs)
        case MapNode():
            for name, item in node.items.items():
                yield from _below(name, item, inputs)


def _of_text(key: str, node: ScalarNode, inputs: Collection[str]) -> Iterator[Diagnostic]:
    source = node.source.text
    line = source[node.span.end :].split("\n", 1)[0]
    comment = line.lstrip(": ")
    if key in _PROSE and node.value is None and node.text == "" and comment.startswith("#"):
        message = f"{key} has no value: what stands behind # is a comment"
        yield Diagnostic("comment", message, node.span, Severity.WARNING, f"quote it: {quoted(comment.rstrip())}")
    if not isinstance(node.value, str):
        return
    written = node.span.of(source)
    if key in _PROSE and line.startswith(" #") and line[2:3].strip() and written[:1] not in "'\"|>":
        message = f"the text of {key} ends before #, where a comment begins"
        whole = quoted(written + line.rstrip()) if "\n" not in written else "the whole text"
        yield Diagnostic("comment", message, node.span, Severity.WARNING, f"quote it: {whole}")
    if len(node.value) > 1 and node.value[0] in CURLY and node.value[-1] in CURLY:
        hint = f"write straight ones around text: {quoted(node.value.strip(CURLY))}"
        message = f"{key}: curly quotes are part of the text"
        yield Diagnostic("curly-quotes", message, node.span, Severity.WARNING, hint)
    for match in _REFERENCE.finditer(node.value):
        name = match["dollar"] or match["braces"]
        if name in inputs:
            message = f'{key}: "{match[0]}" is plain text, and does not stand for the input {name}'
            yield Diagnostic("reference", message, node.span, Severity.WARNING, f"write ${{{name}}}")
