"""Findings as somebody types: linted a moment after the last key, published with the version they are of."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lsprotocol import types

from modelsmith.cli.lsp import convert as lsp_convert
from modelsmith.cli.lsp import work as lsp_work
from modelsmith.cli.lsp.worker import WorkStoppedError
from modelsmith.diagnostic import Diagnostic, Severity
from modelsmith.source import Span

if TYPE_CHECKING:
    from modelsmith.cli.lsp.server import Server
    from modelsmith.cli.lsp.texts import Text

TYPING = 0.2
"""Seconds without a key before a text is linted."""


class Diagnoser:
    """Keeps the findings of the open texts up to date."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._due: dict[str, float] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._found: dict[str, tuple[Text, tuple[Diagnostic, ...]]] = {}
        self._told: set[str] = set()

    def lint(self, uri: str, delay: float = 0.0) -> asyncio.Task[None]:
        """Lint a text after a while; a later call puts it off."""
        loop = asyncio.get_running_loop()
        self._due[uri] = loop.time() + delay
        task = self._tasks.get(uri)
        if task is None or task.done():
            task = self._tasks[uri] = loop.create_task(self._keep_up(uri))
            task.add_done_callback(self._ended)
        return task

    def lint_all(self) -> None:
        """Lint every open text again."""
        for uri in self._server.texts:
            self._found.pop(uri, None)
            self.lint(uri)

    def close(self, uri: str) -> None:
        """Take the findings of a text back."""
        self._found.pop(uri, None)
        self._due.pop(uri, None)
        self._server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri=uri, diagnostics=[]))

    async def found(self, text: Text) -> tuple[Diagnostic, ...]:
        """Return the findings of a text as it is now, none where it has been changed meanwhile."""
        if text.uri not in self._found or self._found[text.uri][0] is not text:
            await asyncio.wait([self.lint(text.uri)])
        of, diagnostics = self._found.get(text.uri, (None, ()))
        return diagnostics if of is text else ()

    def known(self, text: Text) -> tuple[Diagnostic, ...]:
        """Return the findings of a text where they are there already."""
        of, diagnostics = self._found.get(text.uri, (None, ()))
        return diagnostics if of is text else ()

    async def _keep_up(self, uri: str) -> None:
        loop = asyncio.get_running_loop()
        while (text := self._server.texts.get(uri)) is not None and uri in self._due:
            due = self._due[uri]
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
                continue
            diagnostics = await self._lint(text)
            if self._server.texts.get(uri) is text:
                self._found[uri] = (text, diagnostics)
                self._publish(text, diagnostics)
            if self._due.get(uri) == due:
                return

    async def _lint(self, text: Text) -> tuple[Diagnostic, ...]:
        options = self._server.options
        try:
            findings = await self._server.worker.run(lsp_work.check, text.job(options), seconds=options.time_limit)
        except WorkStoppedError as error:
            if text.uri in self._server.texts:
                self._server.log(f"lint of {text.uri} was stopped: {error}")
            reason = str(error).rpartition("\n")[2]
            return (Diagnostic("not-linted", f"this could not be linted: {reason}", Span(0, 0), Severity.INFO),)
        for problem in findings.problems:
            if problem not in self._told:
                self._server.log(problem, types.MessageType.Warning)
        self._told = set(findings.problems)
        return findings.diagnostics

    def _publish(self, text: Text, diagnostics: tuple[Diagnostic, ...]) -> None:
        url = self._server.options.rules_url
        shown = [lsp_convert.diagnostic(text, diagnostic, url) for diagnostic in diagnostics]
        self._server.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri=text.uri, version=text.version, diagnostics=shown)
        )

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            self._server.report_server_error(error, None)
