"""The edit that silences a finding by a comment, written so that nothing else changes.

In a template a comment must not add a line to the prompt: it stands at the end of the line above, or speaks for the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.lint.facts.lines import line_above, start_of_line
from modelsmith.lint.facts.suppress import suppressions
from modelsmith.source import Edit
from modelsmith.syntax.gotemplate.lexer import lex
from modelsmith.syntax.modelfile.text import BOM

if TYPE_CHECKING:
    from modelsmith.diagnostic import Diagnostic
    from modelsmith.lint.document import Document


def silence(document: Document, diagnostic: Diagnostic) -> Edit:
    """Return the edit after which a finding is no longer reported."""
    for suppression in suppressions(document):
        # a comment that is there already gets one more code
        if (
            suppression.word == "ignore"
            and suppression.codes
            and suppression.about.start <= diagnostic.span.start < suppression.about.end
        ):
            return Edit.insert(suppression.codes[-1][1].end, f", {diagnostic.code}")
    if document.modelfile is None:
        return _in_template(document, diagnostic)
    comments = set(document.modelfile.comments)
    for node in document.modelfile.nodes if diagnostic.span.end else ():  # what is about the whole file has no place
        if node not in comments and node.span.start <= diagnostic.span.start < max(node.span.end, node.span.start + 1):
            return line_above(document, node.span.start, f"# modelsmith: ignore[{diagnostic.code}]")
    return line_above(document, 0, f"# modelsmith: ignore-file[{diagnostic.code}]")


def _in_template(document: Document, diagnostic: Diagnostic) -> Edit:
    text = document.text
    start = start_of_line(text, diagnostic.span.start)
    end = start - (2 if text.startswith("\r\n", start - 2) else 1)
    above = text[: max(end, 0)].strip(f" \t\r\n{BOM}")
    # what is about the whole template is reported at its first line, which the comment would become
    if (
        above
        and text[end] in "\r\n"
        and any(token.kind == "TEXT" and token.start <= end < token.end for token in lex(text))
    ):
        return Edit.insert(end, f"{{{{/* modelsmith: ignore[{diagnostic.code}] */}}}}")
    first = len(BOM) if text.startswith(BOM) else 0
    return Edit.insert(first, f"{{{{/* modelsmith: ignore-file[{diagnostic.code}] */}}}}")
