"""Our values as the Language Server Protocol's."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types

from modelsmith.diagnostic import Severity
from modelsmith.lint.editor.colours import TYPES
from modelsmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from modelsmith.cli.lsp.texts import Text
    from modelsmith.diagnostic import Diagnostic
    from modelsmith.lint.editor.answers import Item
    from modelsmith.lint.editor.colours import Coloured
    from modelsmith.lint.editor.symbols import Fold, Symbol

SOURCE = "modelsmith"

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFO: types.DiagnosticSeverity.Information,
}
_TAGS = {
    "MS001": types.DiagnosticTag.Unnecessary,
    "MS109": types.DiagnosticTag.Unnecessary,
    "MS203": types.DiagnosticTag.Deprecated,
    "MS318": types.DiagnosticTag.Unnecessary,
}
_ITEMS = {
    "keyword": types.CompletionItemKind.Keyword,
    "parameter": types.CompletionItemKind.Property,
    "value": types.CompletionItemKind.Value,
    "role": types.CompletionItemKind.EnumMember,
    "name": types.CompletionItemKind.EnumMember,
    "field": types.CompletionItemKind.Field,
    "function": types.CompletionItemKind.Function,
    "variable": types.CompletionItemKind.Variable,
    "model": types.CompletionItemKind.Module,
    "file": types.CompletionItemKind.File,
    "folder": types.CompletionItemKind.Folder,
}
_SYMBOLS = {
    "model": types.SymbolKind.Module,
    "parameter": types.SymbolKind.Property,
    "template": types.SymbolKind.Class,
    "text": types.SymbolKind.String,
    "message": types.SymbolKind.String,
    "name": types.SymbolKind.Constant,
    "block": types.SymbolKind.Namespace,
    "definition": types.SymbolKind.Function,
}


def diagnostic(text: Text, found: Diagnostic, rules_url: str) -> types.Diagnostic:
    """Return a finding; its hint stands below the message."""
    page = rule_page(found.code, rules_url)
    tag = _TAGS.get(found.code)
    return types.Diagnostic(
        range=text.range(found.span),
        message=f"{found.message}\n{found.hint}" if found.hint else found.message,
        severity=_SEVERITIES[found.severity],
        code=found.code,
        code_description=types.CodeDescription(page) if page else None,
        source=SOURCE,
        tags=[tag] if tag else None,
    )


def rule_page(code: str, rules_url: str) -> str:
    """Return where the page of a rule is: at the URL that was set, else in the docs beside the package, else nowhere."""
    if not code.startswith("MS"):
        return ""
    return rules_url.replace("{code}", code) if rules_url else _pages().get(code, "")


@cache
def _pages() -> dict[str, str]:
    folder = Path(__file__).resolve().parent.parent.parent / "docs" / "rules"
    return {path.stem: path.as_uri() for path in folder.glob("MS*.md")} if folder.is_dir() else {}


def item(text: Text, found: Item, *, snippets: bool) -> types.CompletionItem:
    """Return something to write; as a snippet where there is one and the editor knows them."""
    is_snippet = snippets and bool(found.snippet)
    return types.CompletionItem(
        label=found.label,
        kind=_ITEMS[found.kind],
        detail=found.detail or None,
        documentation=types.MarkupContent(types.MarkupKind.Markdown, found.doc) if found.doc else None,
        sort_text=found.sort or None,
        filter_text=found.label,
        insert_text_format=types.InsertTextFormat.Snippet if is_snippet else types.InsertTextFormat.PlainText,
        text_edit=types.TextEdit(text.range(found.span), found.snippet if is_snippet else found.text),
        command=types.Command("more", "editor.action.triggerSuggest") if found.more else None,
    )


def symbol(text: Text, found: Symbol) -> types.DocumentSymbol:
    """Return an entry of the outline with those in it."""
    return types.DocumentSymbol(
        name=found.name,
        detail=found.detail or None,
        kind=_SYMBOLS[found.kind],
        range=text.range(found.span),
        selection_range=text.range(found.selection),
        children=[symbol(text, child) for child in found.children] or None,
    )


def fold(text: Text, found: Fold) -> types.FoldingRange | None:
    """Return a fold, None for what is on one line."""
    start, end = text.positions.at(found.span.start).line, text.positions.at(found.span.end).line
    kind = types.FoldingRangeKind.Comment if found.is_comment else types.FoldingRangeKind.Region
    return types.FoldingRange(start_line=start, end_line=end, kind=kind) if start < end else None


def semantic_tokens(text: Text, found: Iterable[Coloured]) -> list[int]:
    """Return tokens as the protocol packs them: relative to the one before, and none over several lines."""
    data: list[int] = []
    line = column = 0
    for coloured in found:
        number = TYPES.index(coloured.type)
        for part in _lines(text, coloured.span):
            start, end = text.positions.at(part.start), text.positions.at(part.end)
            delta = start.column - column if start.line == line else start.column
            data += (start.line - line, delta, end.column - start.column, number, 0)
            line, column = start
    return data


def _lines(text: Text, span: Span) -> Iterable[Span]:
    start = span.start
    for piece in span.of(text.text).splitlines(keepends=True):
        content = piece.rstrip("\r\n")
        if content:
            yield Span(start, start + len(content))
        start += len(piece)


def workspace_edit(text: Text, edits: Sequence[types.TextEdit], *, versioned: bool) -> types.WorkspaceEdit:
    """Return edits of one text, tied to its version where the editor can."""
    if not versioned:
        return types.WorkspaceEdit(changes={text.uri: list(edits)})
    identifier = types.OptionalVersionedTextDocumentIdentifier(uri=text.uri, version=text.version)
    return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(identifier, list(edits))])
