"""The language server: what it keeps, what it does on its own, and how it starts and ends."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from modelsmith import __version__
from modelsmith.cli.lsp_diagnose import Diagnoser
from modelsmith.cli.lsp_options import Options, read_options
from modelsmith.cli.lsp_protocol import Protocol
from modelsmith.cli.lsp_worker import Worker

if TYPE_CHECKING:
    from modelsmith.cli.lsp_texts import Text
    from modelsmith.lint.editor.positions import Unit


class Server(LanguageServer):
    """One editor's server."""

    protocol: Protocol

    def __init__(self) -> None:
        super().__init__("modelsmith", __version__, protocol_cls=Protocol, max_workers=2)
        self.texts: dict[str, Text] = {}
        self.options = Options()
        self.worker = Worker()
        self.diagnoser = Diagnoser(self)

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


def serve() -> int:
    """Serve stdin and stdout until the editor leaves; 0 where it said goodbye."""
    from modelsmith.cli.lsp_features import FEATURES

    logging.getLogger("pygls").setLevel(logging.CRITICAL)  # what matters is logged in the editor
    server = Server()
    for name, function, options in FEATURES:
        server.feature(name, options)(function)
    try:
        server.start_io()
    finally:
        server.worker.kill()
    return 0 if server.protocol.was_shut_down else 1
