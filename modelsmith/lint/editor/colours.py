"""Semantic tokens: what each word of a Modelfile is, and of the Go templates in it, which no editor's grammar knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document, EmbeddedTemplate
    from modelsmith.source import Span

TYPES = ("keyword", "property", "string", "number", "comment", "function", "variable", "operator", "parameter", "macro")
"""The names of the Language Server Protocol; what a token is stands for itself as a number in this list."""

_OF_TOKEN = {
    **dict.fromkeys(
        ("IF", "ELSE", "END", "RANGE", "WITH", "DEFINE", "BLOCK", "TEMPLATE", "BREAK", "CONTINUE"), "keyword"
    ),
    "NIL": "keyword",
    "OPEN": "operator",
    "CLOSE": "operator",
    "PIPE": "operator",
    "DECLARE": "operator",
    "ASSIGN": "operator",
    "FIELD": "property",
    "DOT": "property",
    "VARIABLE": "variable",
    "IDENTIFIER": "function",
    "STRING": "string",
    "RUNE": "string",
    "NUMBER": "number",
    "BOOL": "keyword",
    "COMMENT": "comment",
}


class Coloured(NamedTuple):
    """A part of the file and what it is, one of TYPES."""

    span: Span
    type: str


def coloured(document: Document) -> tuple[Coloured, ...]:
    """Return the tokens in the order of the text; no two overlap."""
    return tuple(
        sorted((mark for mark in _all(document) if mark.span.start < mark.span.end), key=lambda mark: mark.span)
    )


def _all(document: Document) -> Iterator[Coloured]:
    for template in document.templates:
        yield from _in_template(template)
    if document.modelfile is None:
        return
    for comment in document.modelfile.comments:
        yield Coloured(comment.span, "comment")
    for instruction in document.instructions:
        if instruction.row is None:
            continue
        yield Coloured(instruction.keyword_span, "keyword")
        if instruction.name_span:
            yield Coloured(instruction.name_span, "parameter" if instruction.keyword == "PARAMETER" else "macro")
        if instruction.keyword == "PARAMETER" and not instruction.fault:
            yield Coloured(instruction.quoted_span, "string" if instruction.name == "stop" else "number")


def _in_template(template: EmbeddedTemplate) -> Iterator[Coloured]:
    from modelsmith.syntax.gotemplate.lexer import lex

    for token in lex(template.text):
        kind = _OF_TOKEN.get(token.kind)
        if kind is not None:
            yield Coloured(template.span(token.start, token.end), kind)
