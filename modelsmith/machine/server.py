"""The server: whether it answers, which version it is, what it has loaded where, and who can reach it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from modelsmith.diagnostic import Severity
from modelsmith.errors import ModelsmithError
from modelsmith.http.client import HttpClient
from modelsmith.records import dataclass
from modelsmith.store.care.doctor import Check
from modelsmith.store.environment import variable
from modelsmith.store.ollama.ollama import OllamaStore, server_url
from modelsmith.versions import NEWEST, Version, of_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.machine.system import Process, System

SECONDS = 3.0
_OLD_MINORS = 10


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that a server has loaded: its bytes, and how many of them lie on the graphics cards."""

    name: str
    size: int
    on_cards: int


class Server:
    """The Ollama that the commands of this environment talk to."""

    def __init__(self, system: System, where: str | None) -> None:
        """Take the server that ``where`` names, None for that of OLLAMA_HOST or the default place; raises UsageError."""
        named = where or variable("OLLAMA_HOST", system.environment)
        self.source = "that was named" if where else "OLLAMA_HOST" if named else "the default place"
        self.store = OllamaStore(named)
        self.url = self.store.location
        self.is_local = self.store.is_local
        self.port = urlsplit(server_url(named)).port or 80
        self._named = named
        self.version: str | None = None

    def loaded(self) -> tuple[Loaded, ...]:
        """Return what the server has loaded; nothing where it does not tell (before 0.1.33).

        Raises ServerError where the answer cannot be understood.
        """
        http = HttpClient(server_url(self._named), peer="Ollama server", connect_seconds=SECONDS)
        try:
            said = http.fields("GET", "/api/ps", seconds=SECONDS)
        except ModelsmithError:
            return ()
        finally:
            http.close()
        models = said.objects("models")
        return tuple(Loaded(row.text("name"), row.count("size"), row.count("size_vram")) for row in models)


def serves(process: Process, port: int) -> bool:
    """Say whether a process may be the server on a port: by its OLLAMA_HOST, where its variables can be seen."""
    if process.environment is None:
        return True
    return urlsplit(server_url(variable("OLLAMA_HOST", process.environment))).port == port


def check_server(server: Server, system: System, processes: tuple[Process, ...]) -> Iterator[Check]:
    """Yield whether the server answers, and its version; notes the version."""
    if not server.store.is_listening(SECONDS):
        yield Check(
            "server",
            f"nothing answers at {server.url} ({server.source})",
            Severity.ERROR,
            _start(server, system, processes),
        )
        return
    try:
        answer = server.store.ollama_version(seconds=SECONDS)
    except ModelsmithError as error:
        yield Check(
            "server",
            f"what answers at {server.url} is no Ollama: {error.message}",
            Severity.ERROR,
            "is another program on that port? name the right place in OLLAMA_HOST",
        )
        return
    server.version = of_server(answer)
    yield Check("server", f"Ollama {answer or 'of no version'} answers at {server.url} ({server.source})")
    known = Version.parse(server.version or str(NEWEST))
    behind = NEWEST.minor - known.minor if known.major == NEWEST.major else 0
    if behind > _OLD_MINORS:
        yield Check(
            "version",
            f"Ollama {answer} is {behind} releases behind {NEWEST}: newer models and their templates may not run",
            Severity.WARNING,
            "update it: curl -fsSL https://ollama.com/install.sh | sh, the app's own update, or docker pull ollama/ollama",
        )


def _start(server: Server, system: System, processes: tuple[Process, ...]) -> str:
    """Return how to get an answer: by the right address where a server runs, else by starting one."""
    if not server.is_local:
        return "is the machine on, does the server listen on its network (OLLAMA_HOST=0.0.0.0 there), and does a firewall let you in?"
    for process in processes:
        other = variable("OLLAMA_HOST", process.environment or {})
        if other:
            return f"process {process.pid} is an Ollama with OLLAMA_HOST={other}: set the same here"
    if processes:
        return f"process {processes[0].pid} is an Ollama: where does it listen? see ss -ltnp"
    return "start it: sudo systemctl start ollama" if system.units() else "start it: ollama serve, or the app"


def check_exposure(server: Server, system: System, processes: tuple[Process, ...]) -> Iterator[Check]:
    """Yield whether other machines can reach the server: by the sockets that are open, whatever its settings say."""
    if not server.is_local:
        if server.version and server.url.startswith("http://"):
            yield Check(
                "network",
                f"{server.url} is another machine: prompts and answers go over the network as they are, and it asks for no login",
                Severity.INFO,
                "use a VPN, an SSH tunnel (ssh -L 11434:127.0.0.1:11434 HOST), or a proxy with TLS and a login",
            )
        return
    found = [listener for listener in system.listeners() if listener.port == server.port]
    exposed = [listener for listener in found if listener.is_open]
    if exposed:
        who = next((process.pid for process in processes if variable("OLLAMA_HOST", process.environment or {})), None)
        where = f"process {who} has OLLAMA_HOST set" if who else "its service or container says so"
        yield Check(
            "network",
            f"port {server.port} is open on {', '.join(sorted({listener.address for listener in exposed}))}: everybody who reaches this machine can "
            "use, replace and delete models, without a login",
            Severity.WARNING,
            f"set OLLAMA_HOST=127.0.0.1 for the server ({where}), or let a firewall or a proxy with a login stand before it",
        )
    elif found:
        yield Check("network", f"port {server.port} is open to this machine only ({found[0].address})")
