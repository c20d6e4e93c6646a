"""What an editor shows of the place under the cursor, as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.lint.editor.answers import Hover
from modelsmith.lint.editor.instruction_docs import INSTRUCTION_DOCS, ROLE_DOCS
from modelsmith.lint.editor.place import place_at
from modelsmith.parameters import DEPRECATED_SINCE, PARAMETERS, REMOVED_SINCE, ParameterKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.lint.document import Document
    from modelsmith.lint.editor.place import Place
    from modelsmith.syntax.modelfile.nodes import Instruction


_KINDS = {
    ParameterKind.INT: "a whole number",
    ParameterKind.FLOAT: "a number",
    ParameterKind.BOOL: "true or false",
    ParameterKind.STRINGS: "a text; several lines add up",
}
_RULE_SECTIONS = ("What it does", "Why", "Fix safety")


def hover(document: Document, offset: int, found: Iterable[Diagnostic] = ()) -> Hover | None:
    """Return what is known of a place: its documentation, the rules of findings there, the prompt of a template."""
    place = place_at(document, offset)
    here = _of_place(place)
    rules = [
        rule
        for diagnostic in found
        if diagnostic.span.start <= offset <= diagnostic.span.end and (rule := _rule(diagnostic.code))
    ]
    parts = [here.markdown] if here else []
    parts += dict.fromkeys(rules)
    if not parts:
        return None
    from modelsmith.source import Span

    return Hover("\n\n---\n\n".join(parts), here.span if here else Span(offset, offset))


def _of_place(place: Place) -> Hover | None:
    if place.template is not None and (place.part == "value" or place.instruction is None):
        from modelsmith.lint.editor.hover_template import hover_template

        return hover_template(place.template, place.inside)
    node = place.instruction
    if node is None or node.keyword not in INSTRUCTION_DOCS:
        return None
    if place.part == "keyword":
        return Hover(_keyword(node, place), node.keyword_span)
    if node.keyword == "PARAMETER" and node.name_span is not None and place.part:
        text = parameter_doc(node.name)
        return Hover(text, node.name_span if place.part == "name" else node.quoted_span) if text else None
    if node.keyword == "MESSAGE" and place.part == "name" and node.name in ROLE_DOCS and node.name_span:
        return Hover(f"**{node.name}**: {ROLE_DOCS[node.name]}", node.name_span)
    if node.keyword in ("RENDERER", "PARSER") and place.part == "value":
        text = renderer_doc(node.value) if node.keyword == "RENDERER" else parser_doc(node.value)
        return Hover(text, node.quoted_span) if text else None
    return None


def _keyword(node: Instruction, place: Place) -> str:
    text = instruction_doc(node.keyword)
    if place.template is not None and place.template.template is not None:
        from modelsmith.lint.editor.prompt import prompt_of

        text += f"\n\n{prompt_of(place.template.template)}"
    return text


def instruction_doc(keyword: str) -> str:
    """Return the documentation of an instruction; its keyword is in capitals."""
    from modelsmith.syntax.modelfile.table import INSTRUCTIONS

    doc, since = INSTRUCTION_DOCS[keyword], INSTRUCTIONS[keyword].since
    return f"`{doc.form}`\n\n{doc.text}" + (f"\n\nSince Ollama {since}." if since else "")


def parameter_doc(name: str) -> str:
    """Return the documentation of a parameter, "" for a name that never was one."""
    row = PARAMETERS.get(name)
    if row is None:
        if name in DEPRECATED_SINCE:
            return f"**{name}** is ignored since Ollama {DEPRECATED_SINCE[name]}."
        return f"**{name}** is refused since Ollama {REMOVED_SINCE[name]}." if name in REMOVED_SINCE else ""
    default = "decided by the runtime" if row.default is None else f"`{row.default}`"
    if row.is_list:
        default = "those of the base model"
    since = f"\n\nSince Ollama {row.since}." if row.since else ""
    return f"**{row.name}**: {row.meaning}\n\nValue: {_KINDS[row.kind]}. Default: {default}.{since}"


def renderer_doc(name: str) -> str:
    """Return the documentation of a renderer, "" where Ollama has none of the name."""
    from modelsmith.template.effective.renderers import RENDERERS

    row = RENDERERS.get(name)
    if row is None:
        return ""
    lines = [f"Renderer **{row.name}**, since Ollama {row.since}."]
    if row.opened or row.closed:
        lines.append(
            f"The prompt ends with {_quoted(row.opened)} where the model thinks, with {_quoted(row.closed)} where not."
        )
        lines.append(f"Without `think` in the request it {'thinks' if row.default_on else 'does not think'}.")
    return "\n\n".join(lines + [_sentence(row.note)] * bool(row.note))


def parser_doc(name: str) -> str:
    """Return the documentation of a parser, "" where Ollama has none of the name."""
    from modelsmith.template.effective.renderers import PARSERS

    row = PARSERS.get(name)
    if row is None:
        return ""
    able = " and ".join(sorted(row.capabilities)) or "neither tools nor thinking"
    lines = [f"Parser **{row.name}**, since Ollama {row.since}: {able}."]
    return "\n\n".join(lines + [_sentence(row.note)] * bool(row.note))


def _quoted(text: str) -> str:
    return "`" + text.replace("\n", "⏎") + "`" if text else "nothing"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _rule(code: str) -> str:
    from modelsmith.lint.rules import all_rules

    rule = all_rules().get(code)
    if rule is None:
        return ""
    sections = rule.sections
    body = "\n\n".join(f"*{name}.* {sections[name]}" for name in _RULE_SECTIONS if sections.get(name))
    return f"**{rule.code} {rule.name}**: {rule.summary}\n\n{body}"
