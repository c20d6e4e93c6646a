"""What the language server answers from the text alone, or from what stands beside the file; run in threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from modelsmith.cli.lsp import convert as lsp_convert

if TYPE_CHECKING:
    from modelsmith.cli.lsp.server import Server
    from modelsmith.cli.lsp.texts import Text


def hover(ls: Server, text: Text, params: types.HoverParams) -> types.Hover | None:
    """Say what is under the cursor."""
    from modelsmith.cli.lsp.names import describe_base
    from modelsmith.lint.editor import hover as editor
    from modelsmith.lint.editor.place import place_at

    offset = text.offset(params.position)
    found = editor.hover(text.document, offset, ls.diagnoser.known(text))
    parts = [found.markdown] if found else []
    span = found.span if found else None
    place = place_at(text.document, offset)
    if place.instruction is not None and place.instruction.keyword == "FROM" and place.part == "value":
        base = describe_base(text.job(ls.options))
        if base:
            parts.insert(0, base)
            span = place.instruction.quoted_span
    if not parts:
        return None
    content = types.MarkupContent(types.MarkupKind.Markdown, "\n\n---\n\n".join(parts))
    return types.Hover(content, text.range(span) if span else None)


def completion(ls: Server, text: Text, params: types.CompletionParams) -> types.CompletionList:
    """Say what may be written at the cursor."""
    from modelsmith.cli.lsp.names import names
    from modelsmith.lint.editor.complete import complete, naming_at

    offset = text.offset(params.position)
    naming = naming_at(text.document, offset)
    items = names(text.job(ls.options), naming) if naming else complete(text.document, offset)
    shown = [lsp_convert.item(text, item, snippets=ls.knows_snippets) for item in items]
    return types.CompletionList(is_incomplete=naming is not None, items=shown)


def document_symbol(ls: Server, text: Text, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
    """Return the outline."""
    from modelsmith.lint.editor.symbols import symbols

    del ls, params
    return [lsp_convert.symbol(text, symbol) for symbol in symbols(text.document)]


def folding_range(ls: Server, text: Text, params: types.FoldingRangeParams) -> list[types.FoldingRange]:
    """Return what can be folded."""
    from modelsmith.lint.editor.symbols import folds

    del ls, params
    found = (lsp_convert.fold(text, fold) for fold in folds(text.document))
    return [folded for folded in found if folded is not None]


def semantic_tokens(ls: Server, text: Text, params: types.SemanticTokensParams) -> types.SemanticTokens:
    """Return what each word is."""
    from modelsmith.lint.editor.colours import coloured

    del ls, params
    return types.SemanticTokens(lsp_convert.semantic_tokens(text, coloured(text.document)))
