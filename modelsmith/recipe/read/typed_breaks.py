"""A line break that was typed as a backslash and an n: YAML reads it as a line break in double quotes only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Diagnostic, Severity
from modelsmith.patterns import regex
from modelsmith.recipe.read.nodes import ListNode, MapNode, ScalarNode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.recipe.read.nodes import Node

_TYPED = regex(r"(?<!\\)\\[nrt]")
_NAMES = {"n": "a line break", "r": "a carriage return", "t": "a tab"}
_TEXTS = ("template", "system", "messages", "parameters")


def typed_breaks(root: MapNode) -> Iterator[tuple[Diagnostic, ScalarNode]]:
    r"""Yield a warning for each text of the model's that holds ``\n``, ``\r`` or ``\t`` as two characters, and its node.

    A whole template is left out, where Go's strings have these; so is what double quotes spell out as two backslashes.
    """
    for key in _TEXTS:
        node = root.items.get(key)
        if node is None or (key == "template" and isinstance(node, ScalarNode)):
            continue
        for name, scalar in _named(key, node):
            found = _TYPED.search(scalar.value) if isinstance(scalar.value, str) else None
            written = scalar.span.of(scalar.source.text)
            if found is None or (written.startswith('"') and "\\\\" in written):
                continue
            letter = found[0][1]
            message = f"{name} has a backslash and the letter {letter}, not {_NAMES[letter]}"
            hint = f'in double quotes it is one: "{scalar.value:.60}"'
            yield Diagnostic("typed-line-break", message, scalar.span, Severity.WARNING, hint), scalar


def _named(name: str, node: Node) -> Iterator[tuple[str, ScalarNode]]:
    """Yield every scalar below a node, with the key that it stands under."""
    if isinstance(node, ScalarNode):
        yield name, node
    elif isinstance(node, ListNode):
        for item in node.items:
            yield from _named(name, item)
    else:
        for key, item in node.items.items():
            yield from _named(key, item)
