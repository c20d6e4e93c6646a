"""Proxies: which of them the server has, as downloads are made by it and not by the command.

Source: Ollama ``docs/faq.mdx`` (HTTPS_PROXY on the server, no HTTP_PROXY), Go ``net/http`` (ProxyFromEnvironment).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.http.urls import redacted
from modelsmith.store.care.doctor import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.machine.server import Server
    from modelsmith.machine.system import Process, System

_SET = "sudo systemctl edit ollama, [Service], Environment=HTTPS_PROXY=…, then restart it; -e HTTPS_PROXY=… for a container"


def check_proxies(server: Server, system: System, processes: tuple[Process, ...]) -> Iterator[Check]:
    """Yield what the proxies of this environment and of the server lead to."""
    ours = _proxy(system.environment, "https_proxy")
    plain = _proxy(system.environment, "http_proxy")
    if not server.is_local:
        if plain and server.url.startswith("http://") and not _bypassed(server, system):
            yield Check(
                "proxy",
                f"HTTP_PROXY={redacted(plain)} stands between the commands and {server.url}",
                Severity.WARNING,
                f"add the server to NO_PROXY: NO_PROXY={server.url.partition('://')[2].partition(':')[0]}",
            )
        return
    known = [process for process in processes if process.environment is not None]
    for process in known:
        theirs = _proxy(process.environment or {}, "https_proxy")
        if other := _proxy(process.environment or {}, "http_proxy"):
            yield Check(
                "proxy",
                f"the server (process {process.pid}) has HTTP_PROXY={redacted(other)}: it needs none, as models come over https, and its "
                "answers may be disturbed",
                Severity.WARNING,
                "unset HTTP_PROXY there and set HTTPS_PROXY only",
            )
        if ours and not theirs:
            yield Check(
                "proxy",
                f"HTTPS_PROXY={redacted(ours)} is set here and not for the server (process {process.pid}), which makes the downloads",
                Severity.WARNING,
                f"set it there: {_SET}",
            )
        elif theirs:
            yield Check("proxy", f"the server downloads through {redacted(theirs)}")
    if ours and not known:
        yield Check(
            "proxy",
            f"HTTPS_PROXY={redacted(ours)} is set here; downloads are made by the server, whose environment cannot be seen",
            Severity.INFO,
            f"make sure that the server has it: {_SET}",
        )


def _proxy(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name.upper()) or environment.get(name) or ""


def _bypassed(server: Server, system: System) -> bool:
    host = server.url.partition("://")[2].partition("/")[0].rpartition(":")[0].strip("[]")
    names = (system.environment.get("NO_PROXY") or system.environment.get("no_proxy") or "").split(",")
    return any(name.strip() in {"*", host} or (name.strip() and host.endswith(name.strip())) for name in names)
