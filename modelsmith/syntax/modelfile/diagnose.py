"""What could not be read of a Modelfile, said to a person."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Diagnostic, Fix, Severity, did_you_mean
from modelsmith.patterns import regex
from modelsmith.source import Edit, Span
from modelsmith.syntax.modelfile.nodes import Comment, Flaw, Instruction, Unreadable
from modelsmith.syntax.modelfile.table import DOCUMENTED, INSTRUCTIONS, ROLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from modelsmith.syntax.modelfile.nodes import Node

_QUOTED = regex(r"([\"'`])([A-Za-z0-9_]{1,60})\1(?=[ \t]*\S)")
_LEADING_WORD = regex(r"[A-Za-z]+")


def diagnose(nodes: Iterable[Node]) -> Iterator[Diagnostic]:
    """Yield one diagnostic for every node at which Ollama would stop."""
    for node in nodes:
        if found := diagnosed(node):
            yield found


def is_faulty(node: Node) -> bool:
    """Say whether Ollama would stop at a node."""
    return not isinstance(node, Comment) and node.fault is not None


def diagnosed(node: Node) -> Diagnostic | None:
    """Return what is wrong with a node at which Ollama would stop, None for a sound one."""
    if isinstance(node, Comment) or node.fault is None:
        return None
    return _line(node) if isinstance(node, Unreadable) else _instruction(node, node.fault.flaw)


def _shown(char: str) -> str:
    return f'"{char}"' if char.isprintable() else f"U+{ord(char):04X}"


def _line(node: Unreadable) -> Diagnostic:
    code = Flaw.NOT_AN_INSTRUCTION.value
    match = _LEADING_WORD.match(node.text)
    if match and (word := match[0].upper()) in {*INSTRUCTIONS, *DOCUMENTED}:
        if match.end() == len(node.text):
            return Diagnostic(code, f"{word} has no value", node.span, hint=f'write {word} "" for an empty value')
        after = Span(node.span.start + match.end(), node.span.start + match.end() + 1)
        return Diagnostic(
            code,
            f'"{match[0]}" is followed by {_shown(node.text[match.end()])}; a space or a tab must come first',
            after,
            hint=f"write {word}, a space and the value",
        )
    return Diagnostic(
        code,
        "this line is not an instruction",
        node.span,
        hint='a value of several lines needs """ before its first and after its last line; a comment starts with #',
    )


def _instruction(node: Instruction, flaw: Flaw) -> Diagnostic:
    code = flaw.value
    match flaw:
        case Flaw.UNKNOWN_INSTRUCTION if node.keyword in DOCUMENTED:
            message = f"no Ollama that is known here reads {node.keyword}, which Ollama's documentation lists: it is not checked"
            return Diagnostic(
                code, message, node.keyword_span, Severity.INFO, "leave it out for an Ollama that refuses it"
            )
        case Flaw.UNKNOWN_INSTRUCTION:
            suggestion = did_you_mean(node.keyword, INSTRUCTIONS)
            fix = None
            if close := re.search(r'"(.+)"', suggestion):
                fix = Fix(f"write {close[1]}", (Edit(node.keyword_span, close[1]),), safe=False)
            hint = "" if fix else f"one of {', '.join(INSTRUCTIONS)}"
            return Diagnostic(
                code, f'unknown instruction "{node.keyword}"{suggestion}', node.keyword_span, hint=hint, fix=fix
            )
        case Flaw.INVALID_ROLE:
            return _role(node, node.name_span or node.keyword_span)
        case Flaw.BROKEN_NAME:
            return _broken_name(node, node.name_span or node.keyword_span)
        case _:
            opening = Span(node.quoted_span.start, node.value_span.start)
            return Diagnostic(
                code,
                f"the {node.quote} opened here is never closed",
                opening,
                hint=f"{node.keyword} reads on to the end of the file; a closing {node.quote} must be the last thing on its line",
            )


def _role(node: Instruction, span: Span) -> Diagnostic:
    roles = ", ".join(ROLES)
    if not node.name:
        return Diagnostic("invalid-role", "MESSAGE has no role", span, hint=f"exactly one space, then one of {roles}")
    folded = node.name.lower()
    fix = Fix(f"write {folded}", (Edit(span, folded),), safe=True) if folded in ROLES else None
    return Diagnostic("invalid-role", f'"{node.name}" is not a role', span, hint=f"a MESSAGE is by {roles}", fix=fix)


def _broken_name(node: Instruction, span: Span) -> Diagnostic:
    what, kind = ("role", "letters") if node.keyword == "MESSAGE" else ("name", "letters, digits and _")
    if node.value:
        place = node.quoted_span.start
        if not node.name and (quoted := _QUOTED.match(node.value)):
            message = f"the {what} is quoted, and Ollama reads quotes only around values"
            hint = f"write {node.keyword} {quoted[2]} value"
            return Diagnostic("broken-name", message, Span(place, place + quoted.end()), hint=hint)
        return Diagnostic(
            "broken-name",
            f'the {what} "{node.name}" is followed by {_shown(node.value[0])}; a space must come first',
            Span(place, place + 1),
            hint=f"a {what} has {kind} only: {node.keyword} {node.name or what} value",
        )
    if not node.name:
        return Diagnostic(
            "broken-name", f"{node.keyword} has no {what}", node.keyword_span, hint=f"{node.keyword} {what} value"
        )
    hint = f'write {node.keyword} {node.name} "" for an empty value'
    return Diagnostic("broken-name", f"{node.keyword} {node.name} has no value", span, hint=hint)
