"""OLLAMA_* variables where they count: of this shell, of the server that runs, of the unit that starts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.doctor import Language, check_environment, check_markdown, environment_text
from modelsmith.doctor.ollama_variables import VARIABLES, Reader
from modelsmith.source import Source
from modelsmith.store.care.doctor import Check
from modelsmith.store.environment import variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.machine.server import Server
    from modelsmith.machine.system import Process, System


_ADDRESS = "MSD03"  # of a server that runs, the sockets tell who can reach it


def check_variables(server: Server, system: System, processes: tuple[Process, ...]) -> Iterator[Check]:
    """Yield variables that do not exist, are read otherwise than they look, or stand where nobody reads them."""
    yield from _of(system.environment, "this shell", server.version)
    yield from _unread(server, system, processes)
    for process in processes:
        if process.environment is None:
            yield Check(
                "variables",
                f"those of the server (process {process.pid}) may not be seen by this user",
                Severity.INFO,
                "`sudo modelsmith doctor` sees them; systemctl show ollama -p Environment too",
            )
        else:
            yield from _of(process.environment, f"the server (process {process.pid})", server.version, _ADDRESS)
    for unit in system.units():
        text = system.text(unit)
        source = Source(text, unit)
        for diagnostic in check_markdown(text, lambda _: (), server.version, Language.SETTINGS):
            line, _ = source.position(diagnostic.span.start)
            yield Check(
                "variables",
                f"{unit}:{line}: {diagnostic.message} [{diagnostic.code}]",
                diagnostic.severity,
                diagnostic.hint,
            )


def _of(environment: Mapping[str, str], whose: str, version: str | None, without: str = "") -> Iterator[Check]:
    seen = [line.partition("=")[0] for line in environment_text(environment).splitlines()]
    found = [diagnostic for diagnostic in check_environment(environment, version) if diagnostic.code != without]
    for diagnostic in found:
        yield Check(
            "variables", f"{whose}: {diagnostic.message} [{diagnostic.code}]", diagnostic.severity, diagnostic.hint
        )
    if seen and not found:
        yield Check("variables", f"{whose}: {', '.join(seen)}")


def _unread(server: Server, system: System, processes: tuple[Process, ...]) -> Iterator[Check]:
    """Yield variables of this shell that only the server reads, where one runs that has them otherwise."""
    known = [process for process in processes if process.environment is not None]
    if not server.version or (server.is_local and not known):
        return
    for name, row in VARIABLES.items():
        ours = variable(name, system.environment)
        if row.reader is not Reader.SERVER or not ours:
            continue
        if all(variable(name, process.environment or {}) != ours for process in known):
            yield Check(
                "variables",
                f"{name}={ours} is set in this shell; the server reads its own environment, and has "
                f"{variable(name, known[0].environment or {}) or 'none' if known else 'its own'}",
                Severity.WARNING,
                "set it where the server starts: sudo systemctl edit ollama ([Service], Environment=…), launchctl setenv, docker run -e",
            )
