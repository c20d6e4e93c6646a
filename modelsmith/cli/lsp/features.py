"""The messages of the editor that the language server heeds; the table below says which function is for which."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from modelsmith.cli.lsp import questions as lsp_questions
from modelsmith.cli.lsp import work as lsp_work
from modelsmith.cli.lsp.actions import KINDS, code_actions
from modelsmith.cli.lsp.diagnose import TYPING
from modelsmith.cli.lsp.options import SECTION
from modelsmith.cli.lsp.texts import Text, language_of
from modelsmith.cli.lsp.worker import WorkStoppedError
from modelsmith.lint.editor.colours import TYPES

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.cli.lsp.server import Server


def initialize(ls: Server, params: types.InitializeParams) -> None:
    """Take the settings that come with the first message."""
    ls.configure(params.initialization_options)


async def initialized(ls: Server, params: types.InitializedParams) -> None:
    """Start the worker, so that the first text does not wait for it, and ask to be told of changed configurations."""
    del params
    workspace = ls.client_capabilities.workspace
    watches = workspace.did_change_watched_files if workspace else None
    if watches is not None and watches.dynamic_registration:
        watchers = [types.FileSystemWatcher(f"**/{name}") for name in ("modelsmith.toml", "pyproject.toml")]
        options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
        registration = types.Registration("configurations", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
        ls.client_register_capability(types.RegistrationParams([registration]))
    try:
        await ls.worker.start()
    except WorkStoppedError as error:
        ls.log(f"lint cannot be started: {error}")


async def shutdown(ls: Server, params: Any = None) -> None:
    """Forget the texts and end the worker."""
    del params
    ls.texts.clear()
    ls.worker.stop()


async def did_change_configuration(ls: Server, params: types.DidChangeConfigurationParams) -> None:
    """Take settings; an editor that sends none is asked for them."""
    settings = params.settings
    workspace = ls.client_capabilities.workspace
    if not settings and workspace and workspace.configuration:
        wanted = types.ConfigurationParams([types.ConfigurationItem(section=SECTION)])
        (settings,) = await ls.workspace_configuration_async(wanted) or (None,)
    ls.configure(settings)
    ls.diagnoser.lint_all()


def did_change_watched_files(ls: Server, params: types.DidChangeWatchedFilesParams) -> None:
    """Lint again: a configuration has changed."""
    del params
    ls.diagnoser.lint_all()


def did_open(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
    """Take a text and lint it."""
    opened = params.text_document
    language = language_of(opened.uri, opened.language_id)
    ls.texts[opened.uri] = Text(opened.uri, opened.version, opened.text, language, ls.unit)
    ls.diagnoser.lint(opened.uri)


def did_change(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
    """Change a text and lint it when the typing rests."""
    text = ls.texts.get(params.text_document.uri)
    if text is None:
        ls.log(f"{params.text_document.uri} was changed but never opened", types.MessageType.Warning)
        return
    ls.texts[text.uri] = text.changed(params.text_document.version, params.content_changes)
    ls.diagnoser.lint(text.uri, TYPING)


def did_save(ls: Server, params: types.DidSaveTextDocumentParams) -> None:
    """Lint a text now; a file that others name may be another one."""
    del params
    ls.diagnoser.lint_all()


def did_close(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
    """Forget a text."""
    ls.texts.pop(params.text_document.uri, None)
    ls.diagnoser.close(params.text_document.uri)


async def code_action(ls: Server, params: types.CodeActionParams) -> list[types.CodeAction] | None:
    """Offer what mends or silences the findings in a range."""
    text = ls.texts.get(params.text_document.uri)
    return await code_actions(ls, text, params) if text is not None else None


async def formatting(
    ls: Server, params: types.DocumentFormattingParams | types.DocumentRangeFormattingParams
) -> list[types.TextEdit] | None:
    """Give the whole text its one layout; the editor's wishes for blanks do not count."""
    text = ls.texts.get(params.text_document.uri)
    if text is None or text.language == "jinja" or text.is_binary:
        return None
    seconds = ls.options.time_limit
    try:
        result = await ls.worker.run(lsp_work.layout, text.job(ls.options), seconds=seconds)
    except WorkStoppedError as error:
        result = lsp_work.Result(problem=str(error))
    if result.problem:
        ls.log(f"{text.uri} is not formatted: {result.problem}", types.MessageType.Info)
        return None
    return text.edits(result.edits)


def _asked(question: Callable[..., Any]) -> Callable[..., Any]:
    """Let a thread answer a question about an open text, so that the next keys do not wait for it."""

    async def answer(ls: Server, params: Any) -> Any:
        text = ls.texts.get(params.text_document.uri)
        return await asyncio.to_thread(question, ls, text, params) if text is not None and text.is_readable else None

    return answer


FEATURES: tuple[tuple[str, Callable[..., Any], Any], ...] = (
    (types.INITIALIZE, initialize, None),
    (types.INITIALIZED, initialized, None),
    (types.SHUTDOWN, shutdown, None),
    (types.WORKSPACE_DID_CHANGE_CONFIGURATION, did_change_configuration, None),
    (types.WORKSPACE_DID_CHANGE_WATCHED_FILES, did_change_watched_files, None),
    (types.TEXT_DOCUMENT_DID_OPEN, did_open, None),
    (types.TEXT_DOCUMENT_DID_CHANGE, did_change, None),
    (types.TEXT_DOCUMENT_DID_SAVE, did_save, None),
    (types.TEXT_DOCUMENT_DID_CLOSE, did_close, None),
    (types.TEXT_DOCUMENT_HOVER, _asked(lsp_questions.hover), None),
    (
        types.TEXT_DOCUMENT_COMPLETION,
        _asked(lsp_questions.completion),
        types.CompletionOptions(trigger_characters=[".", "$", " ", "/", '"']),
    ),
    (types.TEXT_DOCUMENT_CODE_ACTION, code_action, types.CodeActionOptions(code_action_kinds=list(KINDS))),
    (types.TEXT_DOCUMENT_FORMATTING, formatting, None),
    (types.TEXT_DOCUMENT_RANGE_FORMATTING, formatting, None),
    (types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, _asked(lsp_questions.document_symbol), None),
    (types.TEXT_DOCUMENT_FOLDING_RANGE, _asked(lsp_questions.folding_range), None),
    (
        types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL,
        _asked(lsp_questions.semantic_tokens),
        types.SemanticTokensLegend(token_types=list(TYPES), token_modifiers=[]),
    ),
)
"""Message, function, and what is said of it in the server's capabilities."""
