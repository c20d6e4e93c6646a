"""What an editor offers at findings: to mend one, to silence it, to mend all that is safe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from modelsmith.cli.lsp import convert as lsp_convert
from modelsmith.cli.lsp import work as lsp_work
from modelsmith.cli.lsp.worker import WorkStoppedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.cli.lsp.server import Server
    from modelsmith.cli.lsp.texts import Text
    from modelsmith.diagnostic import Diagnostic, Fix

FIX_ALL = "source.fixAll.modelsmith"
KINDS = (types.CodeActionKind.QuickFix, FIX_ALL)
"""What is offered."""

MOST_FINDINGS = 50
"""Of a range with more findings the first ones get offers of their own."""


async def code_actions(ls: Server, text: Text, params: types.CodeActionParams) -> list[types.CodeAction]:
    """Return what can be done about the findings in a range, and about all of the text."""
    if text.is_binary:
        return []
    wanted = params.context.only
    found = await ls.diagnoser.found(text)
    start, end = text.offset(params.range.start), text.offset(params.range.end)
    here = [diagnostic for diagnostic in found if diagnostic.span.start <= end and start <= diagnostic.span.end][
        :MOST_FINDINGS
    ]
    actions: list[types.CodeAction] = []
    if _wants(wanted, types.CodeActionKind.QuickFix):
        actions += (
            action for diagnostic in here if diagnostic.fix for action in _mend(ls, text, diagnostic, diagnostic.fix)
        )
        actions += (
            _silence(ls, text, diagnostic)
            for diagnostic in here
            if diagnostic.code.startswith("MS") and text.is_readable
        )
    if _wants(wanted, FIX_ALL) and any(diagnostic.fix and diagnostic.fix.safe for diagnostic in found):
        actions += await _mend_all(ls, text)
    return actions


def _wants(wanted: Sequence[str] | None, kind: str) -> bool:
    return wanted is None or any(
        kind == str(_value(wanted_kind)) or kind.startswith(f"{_value(wanted_kind)}.") for wanted_kind in wanted
    )


def _value(kind: str) -> str:
    return kind.value if isinstance(kind, types.CodeActionKind) else kind


def _mend(ls: Server, text: Text, found: Diagnostic, fix: Fix) -> Iterator[types.CodeAction]:
    title = f"{fix.message[:1].upper()}{fix.message[1:]}" + ("" if fix.safe else " (unsafe: may not be what you mean)")
    yield types.CodeAction(
        title=f"{title} [{found.code}]",
        kind=types.CodeActionKind.QuickFix,
        diagnostics=[lsp_convert.diagnostic(text, found, ls.options.rules_url)],
        is_preferred=fix.safe,
        edit=lsp_convert.workspace_edit(text, text.edits(fix.edits), versioned=ls.knows_versions),
    )


def _silence(ls: Server, text: Text, found: Diagnostic) -> types.CodeAction:
    from modelsmith.lint.editor.silence import silence

    edit = text.edits([silence(text.document, found)])
    return types.CodeAction(
        title=f"Silence {found.code} with a comment",
        kind=types.CodeActionKind.QuickFix,
        diagnostics=[lsp_convert.diagnostic(text, found, ls.options.rules_url)],
        edit=lsp_convert.workspace_edit(text, edit, versioned=ls.knows_versions),
    )


async def _mend_all(ls: Server, text: Text) -> list[types.CodeAction]:
    options = ls.options
    try:
        result = await ls.worker.run(lsp_work.fix, text.job(options), seconds=options.time_limit)
    except WorkStoppedError as error:
        result = lsp_work.Result(problem=str(error))
    if result.problem:
        ls.log(f"{text.uri} is not mended: {result.problem}")
    if not result.edits:
        return []
    return [
        types.CodeAction(
            title="Mend everything that is safe to mend [modelsmith]",
            kind=FIX_ALL,
            edit=lsp_convert.workspace_edit(text, text.edits(result.edits), versioned=ls.knows_versions),
        )
    ]
