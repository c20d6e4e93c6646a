"""What may be written at a place of a Modelfile."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.lint.editor.answers import Item
from modelsmith.lint.editor.hover import instruction_doc, parameter_doc, parser_doc, renderer_doc
from modelsmith.lint.editor.instruction_docs import INSTRUCTION_DOCS, ROLE_DOCS
from modelsmith.lint.facts.lines import start_of_line
from modelsmith.parameters import PARAMETERS, ParameterKind
from modelsmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document
    from modelsmith.syntax.modelfile.nodes import Instruction


_LINE = re.compile(
    r"[ \t]*(?:(?P<instruction>[A-Za-z]*)"
    r"|(?i:PARAMETER)[ \t]+(?:(?P<parameter>\w*)|(?P<set>\w+)[ \t]+(?P<value>.*))"
    r"|(?i:MESSAGE)[ \t]+(?P<role>\w*)"
    r"|(?i:RENDERER)[ \t]+\"?(?P<renderer>\S*)"
    r"|(?i:PARSER)[ \t]+\"?(?P<parser>\S*)"
    r"|(?i:REQUIRES)[ \t]+(?P<version>\S*)"
    r"|(?P<naming>(?i:FROM|ADAPTER|DRAFT))[ \t]+(?:\"{3}|\")?(?P<name>[^\"]*))"
)
_REST = re.compile(r"[^\s\"]*")
_USUAL: dict[str, tuple[str, ...]] = {
    "num_ctx": ("4096", "8192", "16384", "32768", "65536", "131072"),
    "num_predict": ("-1", "512", "2048", "4096"),
    "temperature": ("0", "0.2", "0.6", "0.7", "0.8", "1"),
    "top_p": ("0.8", "0.9", "0.95"),
    "top_k": ("20", "40", "64"),
    "repeat_penalty": ("1", "1.05", "1.1"),
    "seed": ("42",),
    "num_gpu": ("-1", "0", "999"),
}


@dataclass(frozen=True, slots=True)
class Naming:
    """A place where a file or a model is named: by which instruction, what is written, and where."""

    keyword: str
    written: str
    span: Span


def complete(document: Document, offset: int) -> tuple[Item, ...]:
    """Return what may be written at an offset, the likeliest first where it matters; names of models and files aside."""
    if document.modelfile is None:
        from modelsmith.lint.editor.complete_template import complete_template

        return complete_template(document.text, offset, 0)
    offset = max(offset, start_of_line(document.text, offset))  # in front of a byte order mark nothing can be written
    node = _multiline(document, offset)
    if node is not None and node.keyword == "TEMPLATE":
        from modelsmith.lint.editor.complete_template import complete_template

        start = node.value_span.start
        return complete_template(document.text[start : node.value_span.end], offset - start, start)
    line = _line(document, offset)
    if line is None:
        return ()
    start, match = line
    return tuple(_in_line(document, match, start, offset))


def naming_at(document: Document, offset: int) -> Naming | None:
    """Return what is being named where an offset is behind FROM, ADAPTER or DRAFT."""
    if document.modelfile is None:
        return None
    offset = max(offset, start_of_line(document.text, offset))
    line = _line(document, offset)
    if line is None or line[1]["naming"] is None:
        return None
    start, match = line
    return Naming(match["naming"].upper(), match["name"], _word(document.text, start + match.start("name"), offset))


def _multiline(document: Document, offset: int) -> Instruction | None:
    """Return the instruction in whose value an offset is: any TEMPLATE, else one whose value began on an earlier line."""
    start = start_of_line(document.text, offset)
    for instruction in document.instructions:
        value = instruction.value_span
        if value.start <= offset <= value.end and (value.start < start or instruction.keyword == "TEMPLATE"):
            return instruction
    return None


def _line(document: Document, offset: int) -> tuple[int, re.Match[str]] | None:
    """Return the line up to an offset, understood, with its start; None inside of values of several lines."""
    if _multiline(document, offset) is not None:
        return None
    start = start_of_line(document.text, offset)
    match = _LINE.fullmatch(document.text[start:offset])
    return (start, match) if match else None


def _word(text: str, start: int, offset: int) -> Span:
    """Return what is replaced: from where the word begins to where it ends behind the offset."""
    rest = _REST.match(text, offset)
    return Span(start, rest.end() if rest else offset)


def _in_line(document: Document, match: re.Match[str], start: int, offset: int) -> Iterator[Item]:
    kind = match.lastgroup or ""
    span = _word(document.text, start + match.start(kind), offset) if kind else Span(offset, offset)
    if kind == "instruction":
        yield from _instructions(document, span)
    elif kind == "parameter":
        yield from _parameters(document, span)
    elif kind == "value":
        yield from _values(document, match["set"], span)
    elif kind == "role":
        for role, doc in ROLE_DOCS.items():
            yield Item(role, "role", span, insert=f"{role} ", detail=doc)
    elif kind in ("renderer", "parser"):
        yield from _built_in(kind, span)
    elif kind == "version":
        yield from _versions(document, span)


def _instructions(document: Document, span: Span) -> Iterator[Item]:
    there = {
        instruction.keyword for instruction in document.instructions if instruction.keyword_span.start != span.start
    }
    for number, (keyword, doc) in enumerate(INSTRUCTION_DOCS.items()):
        is_single = keyword not in ("PARAMETER", "MESSAGE", "LICENSE")
        sort = f"{int(is_single and keyword in there)}{number:02}"
        more = keyword in ("PARAMETER", "RENDERER", "PARSER", "FROM", "MESSAGE")
        yield Item(keyword, "keyword", span, f"{keyword} ", doc.snippet, doc.form, instruction_doc(keyword), sort, more)


def _parameters(document: Document, span: Span) -> Iterator[Item]:
    there = {
        instruction.name
        for instruction in document.find("PARAMETER")
        if instruction.name_span and instruction.name_span.start != span.start
    }
    for number, row in enumerate(PARAMETERS.values()):
        usual = _USUAL.get(row.name, ())
        value = (
            '"${1}"'
            if row.is_list
            else "${1|true,false|}"
            if row.kind is ParameterKind.BOOL
            else f"${{1:{row.default}}}"
        )
        if row.default is None and row.kind is ParameterKind.INT:
            value = f"${{1:{usual[1] if usual else 0}}}"
        sort = f"{int(row.name in there and not row.is_list)}{number:02}"
        yield Item(
            row.name,
            "parameter",
            span,
            f"{row.name} ",
            f"{row.name} {value}",
            row.meaning,
            parameter_doc(row.name),
            sort,
        )


def _values(document: Document, name: str, span: Span) -> Iterator[Item]:
    row = PARAMETERS.get(name)
    if row is None:
        return
    if row.is_list:
        if document.text.startswith('"', span.end) and document.text.startswith('"', span.start):
            span = Span(span.start, span.end + 1)  # the quote that the editor closed by itself
        for number, token in enumerate(_stops(document)):
            yield Item(f'"{token}"', "value", span, detail="ends a turn", sort=f"{number:02}")
        return
    values = ("true", "false") if row.kind is ParameterKind.BOOL else _USUAL.get(name, ())
    default = "" if row.default is None else str(row.default)
    for number, value in enumerate(dict.fromkeys((*values, default) if default else values)):
        yield Item(value, "value", span, detail="the default" if value == default else "", sort=f"{number:02}")


def _stops(document: Document) -> tuple[str, ...]:
    """Return what a stop may be: tokens of the template, those that are known to end turns first."""
    from modelsmith.lint.templates.template import END, SPECIAL

    text = document.template.text if document.template else ""
    taken = {instruction.value for instruction in document.find("PARAMETER", "stop")}
    found = dict.fromkeys((*END.findall(text), *SPECIAL.findall(text)))
    return tuple(word for word in found if word not in taken and '"' not in word)


def _built_in(kind: str, span: Span) -> Iterator[Item]:
    from modelsmith.template.effective.renderers import PARSERS, RENDERERS

    for name, row in (RENDERERS if kind == "renderer" else PARSERS).items():
        doc = renderer_doc(name) if kind == "renderer" else parser_doc(name)
        yield Item(name, "name", span, detail=f"since {row.since}", doc=doc)


def _versions(document: Document, span: Span) -> Iterator[Item]:
    from modelsmith.lint.facts.needs import needs
    from modelsmith.versions import NEWEST, Version

    needed = [Version.parse(need.since) for need in needs(document)]
    oldest = max((*needed, Version(0, 14, 0)))
    yield Item(str(oldest), "value", span, detail="the oldest that has what this file uses", sort="0")
    if oldest != NEWEST:
        yield Item(str(NEWEST), "value", span, detail="the newest known", sort="1")
