"""Which store a command works on.

What the user names wins: a URL is a server, anything else a directory. Without a word from the user it is the server
at ``OLLAMA_HOST`` (default ``127.0.0.1:11434``) if an Ollama answers there at once, else the directory
``OLLAMA_MODELS`` (default ``~/.ollama/models``), which an Ollama that is started later will serve.
Source: Ollama ``envconfig/config.go`` (Var, Host, Models).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import ServerError, StoreError, UsageError, system_errors
from modelsmith.patterns import regex
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.store import Store
    from modelsmith.store.ollama import OllamaStore

LOCAL_SECONDS = 0.5
REMOTE_SECONDS = 3.0
_HOST_AND_PORT = regex(r"(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.%]+\]):\d{1,5}")


@dataclass(frozen=True, slots=True)
class StoreChoice:
    """A store and why it is this one, for people: ``reason`` completes "using <location>: …"."""

    store: Store
    reason: str


def open_store(where: str | os.PathLike[str] | None = None) -> Store:
    """Return the store that ``where`` names, or the default one.

    ``where`` is a directory, a URL (``http://…``, ``https://…``) or ``HOST:PORT``; a ``Path`` is always a directory.
    None: the server that OLLAMA_HOST names (or the default one) if it answers within half a second (three seconds for
    another machine), else the directory OLLAMA_MODELS or ``~/.ollama/models``. Raises ServerError when a named server
    does not answer, UsageError when ``where`` can be neither, StoreError when it is a file.
    """
    return choose_store(where).store


def choose_store(
    where: str | os.PathLike[str] | None = None, *, environment: Mapping[str, str] = os.environ
) -> StoreChoice:
    """Return the store like ``open_store``, with the reason."""
    if where is None:
        return _default(environment)
    text = os.fspath(where)
    if not isinstance(where, str):
        return StoreChoice(_directory(text), "the directory that was named")
    if not text.strip():
        raise UsageError("the store has an empty name", hint="name a directory or a URL, or leave it out")
    scheme, separator, _ = text.partition("://")
    if separator and scheme.lower() not in {"http", "https"}:
        raise UsageError(f"{text!r} is neither a directory nor an http or https URL")
    if separator or (_HOST_AND_PORT.fullmatch(text) and not Path(text).exists()):
        from modelsmith.store.ollama import OllamaStore

        store = OllamaStore(text)
        return StoreChoice(store, f"the server that was named (Ollama {store.ollama_version()})")
    return StoreChoice(_directory(text), "the directory that was named")


def variable(name: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return an environment variable as Ollama reads it: without white space around it, then without quotes."""
    return environment.get(name, "").strip().strip("\"'")


def _default(environment: Mapping[str, str]) -> StoreChoice:
    host = variable("OLLAMA_HOST", environment)
    named = f"OLLAMA_HOST={host}" if host else "OLLAMA_HOST is not set"
    url, why_not, server = _answering(host)
    if server is not None:
        return StoreChoice(server, f"an Ollama {server.ollama_version()} answers there ({named})")
    folder = variable("OLLAMA_MODELS", environment)
    source = "OLLAMA_MODELS" if folder else "the default directory"
    return StoreChoice(
        _directory(folder or str(Path.home() / ".ollama" / "models"), expand=False),
        f"{source}, because {why_not} at {url} ({named})",
    )


def _answering(host: str) -> tuple[str, str, OllamaStore | None]:
    """Return the URL that OLLAMA_HOST means, why its server cannot be used ("" if it can), and the server."""
    from modelsmith.store.ollama import OllamaStore

    try:
        store = OllamaStore(host)
    except UsageError:
        return host, "nothing can answer", None
    seconds = LOCAL_SECONDS if store.is_local else REMOTE_SECONDS
    if not store.is_listening(seconds):
        return store.location, "no server answers", None
    try:
        store.ollama_version(seconds=seconds)
    except ServerError:
        return store.location, "no Ollama answers", None
    return store.location, "", store


@system_errors()
def _directory(text: str, *, expand: bool = True) -> Store:
    from modelsmith.store.local import LocalStore

    folder = Path(text).expanduser() if expand else Path(text)
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder} is a file, not the directory of a store")
    if not (folder / "manifests").exists() and (folder / "models" / "manifests").is_dir():
        raise StoreError(f"{folder} is not a store, but its folder models is", hint=f"name {folder / 'models'}")
    return LocalStore(folder)
