"""The outline of a file: its instructions, and in templates the blocks with what they hold; and what can be folded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from modelsmith.source import Span
from modelsmith.syntax.gotemplate.nodes import Block, Branch, Define, If, Range

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document, EmbeddedTemplate
    from modelsmith.syntax.gotemplate.nodes import Body, ListItem
    from modelsmith.syntax.modelfile.nodes import Instruction

SymbolKind = Literal["model", "parameter", "template", "text", "message", "name", "block", "definition"]

_KINDS: dict[str, SymbolKind] = {
    "FROM": "model",
    "ADAPTER": "model",
    "DRAFT": "model",
    "PARAMETER": "parameter",
    "TEMPLATE": "template",
    "SYSTEM": "text",
    "LICENSE": "text",
    "MESSAGE": "message",
}
_DEEPEST = 12
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Symbol:
    """An entry of the outline: ``span`` is the whole, ``selection`` what is jumped to."""

    name: str
    detail: str
    kind: SymbolKind
    span: Span
    selection: Span
    children: tuple[Symbol, ...] = ()


@dataclass(frozen=True, slots=True)
class Fold:
    """A part that may be folded."""

    span: Span
    is_comment: bool = False


def symbols(document: Document) -> tuple[Symbol, ...]:
    """Return the outline."""
    if document.modelfile is None:
        return _blocks(document.templates[0])
    templates = {embedded.instruction.span: embedded for embedded in document.templates if embedded.instruction}
    return tuple(_instruction(instruction, templates.get(instruction.span)) for instruction in document.instructions)


def _instruction(node: Instruction, template: EmbeddedTemplate | None) -> Symbol:
    first = node.value.strip().partition("\n")[0].strip()
    shown = first if len(first) <= _LONGEST else first[:_LONGEST] + "…"
    name, detail = f"{node.keyword} {node.name}".strip(), shown
    if node.keyword in ("FROM", "ADAPTER", "DRAFT", "RENDERER", "PARSER", "REQUIRES"):
        name, detail = f"{node.keyword} {shown}".strip(), ""
    children = _blocks(template) if template else ()
    return Symbol(name, detail, _KINDS.get(node.keyword, "name"), node.span, node.keyword_span, children)


def _blocks(template: EmbeddedTemplate) -> tuple[Symbol, ...]:
    return tuple(_in_body(template, template.template.tree.root, 0)) if template.template else ()


def _in_body(template: EmbeddedTemplate, body: Body, depth: int) -> Iterator[Symbol]:
    if depth >= _DEEPEST:
        return
    for node in body.nodes:
        if isinstance(node, Branch):
            children = [*_in_body(template, node.body, depth + 1)]
            if node.otherwise:
                children += _in_body(template, node.otherwise, depth + 1)
            yield _tag(template, node, node.opening, tuple(children))
        elif isinstance(node, Define | Block):
            yield _tag(template, node, node.opening, tuple(_in_body(template, node.body, depth + 1)))


def _tag(template: EmbeddedTemplate, node: ListItem, opening: Span, children: tuple[Symbol, ...]) -> Symbol:
    words = " ".join(opening.of(template.text).strip("{}").strip("- \t\r\n").split())
    shown = words if len(words) <= _LONGEST else words[:_LONGEST] + "…"
    kind: SymbolKind = "definition" if isinstance(node, Define | Block) else "block"
    detail = "loop" if isinstance(node, Range) else "condition" if isinstance(node, If) else ""
    place = template.span(opening.start, opening.end)
    return Symbol(shown or "block", detail, kind, template.of(node), place, children)


def folds(document: Document) -> Iterator[Fold]:
    """Yield values and blocks of several lines, and comments that follow each other."""
    for template in document.templates:
        yield from _folded(_blocks(template))
    if document.modelfile is None:
        return
    for instruction in document.instructions:
        if "\n" in instruction.value or "\r" in instruction.value:
            yield Fold(instruction.span)
    run: list[Span] = []
    for comment in document.modelfile.comments:
        if run and document.text[run[-1].end : comment.span.start].strip(" \t") not in ("\n", "\r\n", "\r"):
            yield from _comments(run)
            run = []
        run.append(comment.span)
    yield from _comments(run)


def _comments(run: list[Span]) -> Iterator[Fold]:
    if len(run) > 1:
        yield Fold(Span(run[0].start, run[-1].end), is_comment=True)


def _folded(found: tuple[Symbol, ...]) -> Iterator[Fold]:
    for symbol in found:
        yield Fold(symbol.span)
        yield from _folded(symbol.children)
