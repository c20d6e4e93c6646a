"""What rules about templates share: the template that counts, its texts, and where a finding about the whole of it goes."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from modelsmith.lint.templates.effective import effective
from modelsmith.patterns import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document, EmbeddedTemplate
    from modelsmith.source import Edit, Span
    from modelsmith.syntax.gotemplate.nodes import ListItem, String
    from modelsmith.template.go.template import Template

SPECIAL = regex(
    r"<\|[^|<>\s]{1,60}\|>|<｜[^｜<>\s]{1,60}｜>|</?(?:s|bos|eos|(?:start|end)_of_turn|(?:start|end)_of_text)>"
)
"""What looks like a control token in a prompt."""

END = regex(
    r"<\|(?:im_end|eot_id|eom_id|end|endoftext|end_of_text|end_of_turn|END_OF_TURN_TOKEN|eot|return)\|>"
    r"|<｜end▁of▁sentence｜>|<end_of_turn>|</s>|<\|endofturn\|>|\[\|endofturn\|\]"
)
"""Tokens that end a turn in the families that are known."""


BEGINNINGS = frozenset({"<s>", "<bos>", "<|begin_of_text|>", "<|startoftext|>", "<｜begin▁of▁sentence｜>"})
"""Tokens that begin texts in the families that are known, and end nothing."""


class Words(NamedTuple):
    """A part of a template that is printed as it is written, and where it stands in the template's text."""

    value: str
    start: int
    literal: String | None = None


MOST = 200
"""A rule reports so many places of one template and no more: what is left is the same again."""

_DEEPEST = 100


def counted(document: Document) -> tuple[EmbeddedTemplate, Template] | None:
    """Return the template that counts, where Ollama accepts it and it is not nested as no person nests one."""
    embedded = document.template
    if embedded is None or embedded.template is None or not nodes(embedded.template):
        return None
    return embedded, embedded.template


@lru_cache(maxsize=64)
def nodes(template: Template) -> tuple[ListItem, ...]:
    """Return all list items, a tag before what it holds; none where they are nested too deep to be looked into."""
    from modelsmith.syntax.gotemplate.nodes import Block, Branch, Define

    found: list[ListItem] = []
    waiting = [(node, 0) for node in reversed(template.tree.root.nodes)]
    while waiting:
        node, depth = waiting.pop()
        found.append(node)
        if depth > _DEEPEST:
            return ()
        if isinstance(node, Branch) and node.otherwise:
            waiting += ((child, depth + 1) for child in reversed(node.otherwise.nodes))
        if isinstance(node, Branch | Define | Block):
            waiting += ((child, depth + 1) for child in reversed(node.body.nodes))
    return tuple(found)


def used(document: Document) -> tuple[EmbeddedTemplate, Template] | None:
    """Return the template that counts, where Ollama accepts it and, as far as is known, renders chats with it."""
    found = counted(document)
    if found is None:
        return None
    running = effective(document)
    return None if running is not None and running.source in ("renderer", "jinja") else found


def heading(embedded: EmbeddedTemplate) -> Span:
    """Return the place for what is wrong with the template as a whole: its keyword, or its first line."""
    if embedded.instruction is not None:
        return embedded.instruction.keyword_span
    first = embedded.text.lstrip().partition("\n")[0].rstrip()
    start = embedded.text.find(first) if first else 0
    return embedded.span(start, start + len(first))


@lru_cache(maxsize=64)
def texts(template: Template) -> tuple[Words, ...]:
    """Return the texts between the actions of a template, as trim markers leave them."""
    return tuple(_texts(template))


def _texts(template: Template) -> Iterator[Words]:
    from modelsmith.syntax.gotemplate.nodes import Text
    from modelsmith.template.edit.go.scope import visible

    for node in nodes(template):
        if isinstance(node, Text) and node.value:
            yield Words(node.value, visible(template.text, node).start)


@lru_cache(maxsize=64)
def literals(template: Template) -> tuple[Words, ...]:
    """Return the strings that actions print as they are, ``{{ "…" }}``."""
    from modelsmith.syntax.gotemplate.nodes import Action, String

    found = []
    for node in nodes(template):
        if isinstance(node, Action) and not node.pipeline.declared and len(node.pipeline.commands) == 1:
            operands = node.pipeline.commands[0].operands
            if len(operands) == 1 and isinstance(operands[0], String):
                found.append(Words(operands[0].value, operands[0].start, operands[0]))
    return tuple(found)


def rewritten(embedded: EmbeddedTemplate, text: str) -> Edit | None:
    """Return the smallest edit of the file that makes another text of the template, None where its quotes do not bear it."""
    from modelsmith.source import Edit

    quote = embedded.instruction.quote if embedded.instruction else '"""'
    old, short = embedded.text, min(len(embedded.text), len(text))
    start = next((i for i in range(short) if old[i] != text[i]), short)
    end = next((i for i in range(short - start) if old[-1 - i] != text[-1 - i]), short - start)
    new = text[start : len(text) - end]
    if (quote and quote in new) or (not quote and "\n" in text):
        return None
    return Edit(embedded.span(start, len(old) - end), new)


def has_system(document: Document) -> bool:
    """Say whether requests without a system prompt get one: from the file, or from the base as far as it is known."""
    return any(instruction.value for instruction in document.find("SYSTEM")) or bool(
        document.model and document.model.system
    )


def stops(document: Document) -> tuple[str, ...]:
    """Return the texts that end an answer: those of the file, else those that the base model has."""
    own = tuple(instruction.value for instruction in document.find("PARAMETER", "stop"))
    inherited = tuple(document.model.parameters.get("stop", ())) if document.model else ()
    return own or inherited
