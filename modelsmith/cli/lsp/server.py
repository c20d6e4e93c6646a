"""The language server: what it keeps, what it does on its own, and how it starts and ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from typing import Protocol as Interface

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from modelsmith.about import __version__
from modelsmith.cli.lsp.options import Options, read_options
from modelsmith.cli.lsp.protocol import Protocol
from modelsmith.cli.lsp.worker import Worker

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from modelsmith.cli.lsp.texts import Text
    from modelsmith.diagnostic import Diagnostic
    from modelsmith.lint.editor.positions import Unit


class Findings(Interface):
    """What keeps the findings of the open texts up to date."""

    def lint(self, uri: str, delay: float = 0.0) -> asyncio.Task[None]:
        """Lint a text after some seconds; a later call puts it off."""

    def lint_all(self) -> None:
        """Lint every open text again."""

    def close(self, uri: str) -> None:
        """Take the findings of a text back."""

    async def found(self, text: Text) -> tuple[Diagnostic, ...]:
        """Return the findings of a text as it is now."""

    def known(self, text: Text) -> tuple[Diagnostic, ...]:
        """Return the findings that are there already."""


class Server(LanguageServer):
    """One editor's server."""

    protocol: Protocol

    def __init__(self, diagnoser: Callable[[Server], Findings]) -> None:
        super().__init__("modelsmith", __version__, protocol_cls=Protocol, max_workers=2)
        self.texts: dict[str, Text] = {}
        self.options = Options()
        self.worker = Worker()
        self.diagnoser = diagnoser(self)

    @property
    def unit(self) -> Unit:
        """What the editor counts columns in."""
        chosen = self.server_capabilities.position_encoding
        units: tuple[Unit, ...] = ("utf-8", "utf-32")
        return next((unit for unit in units if chosen == unit), "utf-16")

    @property
    def knows_snippets(self) -> bool:
        """Whether completion may insert places to fill in."""
        completion = self._of_documents.completion
        item = completion.completion_item if completion else None
        return bool(item and item.snippet_support)

    @property
    def knows_versions(self) -> bool:
        """Whether edits can be tied to the version of a text."""
        workspace = self.client_capabilities.workspace
        edit = workspace.workspace_edit if workspace else None
        return bool(edit and edit.document_changes)

    @property
    def _of_documents(self) -> types.TextDocumentClientCapabilities:
        return self.client_capabilities.text_document or types.TextDocumentClientCapabilities()

    def configure(self, data: object) -> None:
        """Take settings; what is wrong with them is logged."""
        self.options, problems = read_options(data)
        for problem in problems:
            self.log(problem, types.MessageType.Warning)

    def log(self, message: str, severity: types.MessageType = types.MessageType.Error) -> None:
        """Write into the editor's log."""
        self.window_log_message(types.LogMessageParams(type=severity, message=f"modelsmith: {message}"))

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log what went wrong in one message; the server goes on."""
        del source
        self.log(str(error) or type(error).__name__)
