"""Which store a command works on.

What the user names wins, by argument or in ``MODELSMITH_STORE``: a URL is a server, anything else a directory. A server that
``OLLAMA_HOST`` names is used or is an error: never is a directory used in its place. Without a word from the user it is the
server at ``127.0.0.1:11434`` if an Ollama answers there at once, else the directory ``OLLAMA_MODELS`` (default
``~/.ollama/models``), which an Ollama that is started later will serve.
Source: Ollama ``envconfig/config.go`` (Var, Host, Models).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from modelsmith.errors import ServerError, StoreError, UsageError, system_errors
from modelsmith.patterns import regex
from modelsmith.records import dataclass
from modelsmith.store.environment import variable
from modelsmith.store.layout import NEWER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.store import Store
    from modelsmith.store.layout import Layout
    from modelsmith.store.local.local import LocalStore
    from modelsmith.store.ollama.ollama import OllamaStore


LOCAL_SECONDS = 0.5
REMOTE_SECONDS = 3.0
_ANSWER_SECONDS = 10.0
"""How long a server that was named may think about its version: a machine that loads a model has little time for others."""
_STORE = "MODELSMITH_STORE"
_DEFAULT_DIRECTORY = "the default directory"
_DEFAULT_PLACE = regex(r"http://(?:127\.0\.0\.1|localhost|0\.0\.0\.0|\[::1?\])?:11434/?")
_PORT = regex(r"[^:\]]*\]?:([^:\]]+)$")
_HOST_AND_PORT = regex(r"(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.%]+\]):\d{1,5}")


@dataclass(frozen=True, slots=True)
class StoreChoice:
    """A store and why it is this one, for people: ``reason`` completes "using <location>: …"."""

    store: Store
    reason: str


def open_store(where: str | os.PathLike[str] | None = None) -> Store:
    """Return the store that ``where`` names, or the default one.

    ``where`` is a directory, a URL (``http://…``, ``https://…``) or ``HOST:PORT``; a ``Path`` is always a directory.
    None: what MODELSMITH_STORE names; else the server that OLLAMA_HOST names; else the server at the default place if it
    answers within half a second, else the directory OLLAMA_MODELS or ``~/.ollama/models``. Raises ServerError when a named
    server does not answer (it is connected to within half a second, within three seconds on another machine, and answers within
    ten), UsageError when ``where`` can be neither, StoreError
    when it is a file.
    """
    return choose_store(where).store


def open_existing_store(where: str | os.PathLike[str] | None = None) -> Store:
    """Return the store like ``open_store``, to look at what it holds: raises StoreError too where a named directory is not there."""
    from modelsmith.store.local.local import LocalStore

    choice = choose_store(where)
    is_default = choice.reason.startswith(_DEFAULT_DIRECTORY)
    if isinstance(choice.store, LocalStore) and not is_default and not choice.store.layout.folder.is_dir():
        raise StoreError(
            f"there is no folder {choice.store.location} ({choice.reason})",
            hint="check the spelling of the folder's name",
        )
    if isinstance(choice.store, LocalStore):
        _check_is_store(choice.store.layout)
    return choice.store


def tidied(store: Store) -> Store:
    """Return a store that is about to be changed, after what a killed run left in its folder is gone.

    Whoever changes it does that too; this is for commands that may find nothing left to do.
    """
    from modelsmith.store.local.local import LocalStore

    if isinstance(store, LocalStore):
        store.tidy()
    return store


def open_store_or_absent(where: str | os.PathLike[str] | None = None) -> Store:
    """Return the store like ``open_store``; an AbsentStore where the server that a variable names cannot be used.

    For questions about files, which may do without a store. Raises ServerError for one that ``where`` names.
    """
    from modelsmith.store.absent import AbsentStore

    try:
        return choose_store(where).store
    except ServerError as error:
        if where is not None:
            raise
        return AbsentStore(variable(_STORE) or variable("OLLAMA_HOST"), error)


def open_folder(where: str | os.PathLike[str] | None = None, *, may_be_new: bool = False) -> LocalStore:
    """Return a store's folder, for what only a folder can be asked: what is named, or where Ollama keeps its models.

    No server is asked; raises StoreError for a server that was named, and for a folder that is not there, unless it
    ``may_be_new``.
    """
    from modelsmith.store.local.local import LocalStore

    named = where if where is not None else variable(_STORE) or None
    if named is None and (host := named_server()):
        raise StoreError(
            f"OLLAMA_HOST={host} names a server, and this looks into a folder",
            hint="name the folder of its models with --store DIR, on the machine where it is",
        )
    text = os.fspath(named) if named is not None else default_folder()
    _check_named(text)
    if isinstance(named, str) and ("://" in named or (_HOST_AND_PORT.fullmatch(named) and not Path(named).exists())):
        raise StoreError(f"{named} is a server, and this looks into a folder", hint="name the folder with --store DIR")
    store = _directory(text, expand=named is not None)
    if not isinstance(store, LocalStore) or not (may_be_new or store.layout.folder.is_dir()):
        raise StoreError(f"there is no folder {text}", hint="name the store's folder with --store DIR")
    if not may_be_new:
        _check_is_store(store.layout)
    return store


def local_server() -> str:
    """Return the URL of the Ollama that runs on this machine where it does by default, or where OLLAMA_HOST says; "" for none."""
    from modelsmith.store.ollama.ollama import OllamaStore

    try:
        server = OllamaStore(variable("OLLAMA_HOST"))
    except UsageError:
        return ""
    return server.location if server.is_local and server.is_listening(LOCAL_SECONDS) else ""


def choose_store(
    where: str | os.PathLike[str] | None = None, *, environment: Mapping[str, str] = os.environ
) -> StoreChoice:
    """Return the store like ``open_store``, with the reason."""
    by = "that was named"
    if where is None:
        where = variable(_STORE, environment)
        if not where:
            return _default(environment)
        by = f"that {_STORE} names"
    text = os.fspath(where)
    if not isinstance(where, str):
        return StoreChoice(_directory(text), f"the directory {by}")
    _check_named(text)
    scheme, separator, _ = text.partition("://")
    if separator and scheme.lower() not in {"http", "https"}:
        raise UsageError(f"{text!r} is neither a directory nor an http or https URL")
    if is_server(text):
        from modelsmith.store.ollama.ollama import OllamaStore

        store = OllamaStore(text)
        return StoreChoice(store, f"the server {by} (Ollama {store.ollama_version()})")
    return StoreChoice(_directory(text), f"the directory {by}")


def is_server(text: str) -> bool:
    """Say whether a store is named by a URL, or by a host and a port, and not by a folder."""
    return "://" in text or bool(_HOST_AND_PORT.fullmatch(text) and not Path(text).exists())


def named_server(environment: Mapping[str, str] = os.environ) -> str:
    """Return what OLLAMA_HOST holds where that is another place than the one where an Ollama runs by default; else ``""``."""
    from modelsmith.name import parse_host

    host = variable("OLLAMA_HOST", environment)
    return host if host and not _DEFAULT_PLACE.fullmatch(parse_host(host)) else ""


def default_folder(environment: Mapping[str, str] = os.environ) -> str:
    """Return where Ollama keeps its models: ``OLLAMA_MODELS``, else ``~/.ollama/models``."""
    return variable("OLLAMA_MODELS", environment) or str(Path.home() / ".ollama" / "models")


def _default(environment: Mapping[str, str]) -> StoreChoice:
    host = variable("OLLAMA_HOST", environment)
    if host:
        server = _named(host)
        return StoreChoice(server, f"an Ollama {server.ollama_version()} answers there (OLLAMA_HOST={host})")
    url, why_not, answering = _answering()
    if answering is not None:
        return StoreChoice(answering, f"an Ollama {answering.ollama_version()} answers there (OLLAMA_HOST is not set)")
    folder = variable("OLLAMA_MODELS", environment)
    source = "OLLAMA_MODELS" if folder else _DEFAULT_DIRECTORY
    return StoreChoice(
        _directory(folder or str(Path.home() / ".ollama" / "models"), expand=False),
        f"{source}, because {why_not} at {url} (OLLAMA_HOST is not set)",
    )


def _named(host: str) -> OllamaStore:
    """Return the server that OLLAMA_HOST names; raises ServerError where it cannot be used."""
    from modelsmith.name import parse_host
    from modelsmith.store.ollama.ollama import OllamaStore

    scheme, separator, address = host.rpartition("://")
    plain = f"{scheme}{separator}{address.rpartition('@')[2]}"
    asked = _port_of(plain)
    is_port = not asked or urlsplit(parse_host(plain)).port == (int(asked) if asked.isdecimal() else None)
    port = "" if is_port else f" (port {asked} is none: Ollama takes its own)"
    shown = plain if "@" not in address else f"{scheme}{separator}***@{address.rpartition('@')[2]}"
    way_out = "start it, unset OLLAMA_HOST, or name a directory or another server with --store"
    try:
        server = OllamaStore(host)
    except UsageError as error:
        raise ServerError(f"OLLAMA_HOST={shown} names no server: {error.message}", hint=way_out) from error
    seconds = LOCAL_SECONDS if server.is_local else REMOTE_SECONDS
    if not server.is_listening(seconds):
        raise ServerError(
            f"no server answers at {server.location}, which OLLAMA_HOST={shown} names{port}", hint=way_out
        )
    try:
        server.ollama_version(seconds=_ANSWER_SECONDS)
    except ServerError as error:
        raise ServerError(
            f"no Ollama answers at {server.location}, which OLLAMA_HOST={shown} names: {error.message}",
            status=error.status,
            request=error.request,
            text=error.text,
            hint=way_out,
        ) from error
    return server


def _port_of(host: str) -> str:
    """Return the port that a value of OLLAMA_HOST asks for, "" where it asks for none."""
    address = host.partition("://")[2] or host
    match = _PORT.search(address.partition("/")[0])
    return match[1] if match else ""


def _answering() -> tuple[str, str, OllamaStore | None]:
    """Return the URL of the default server, why it cannot be used ("" if it can), and the server."""
    from modelsmith.http import listening
    from modelsmith.name import parse_host

    default = urlsplit(parse_host(""))
    if not listening.is_listening(default.hostname or "", default.port or 0, LOCAL_SECONDS):
        return default.geturl(), "no server answers", None
    from modelsmith.store.ollama.ollama import OllamaStore

    server = OllamaStore("")
    try:
        server.ollama_version(seconds=LOCAL_SECONDS)
    except ServerError:
        return server.location, "no Ollama answers", None
    return server.location, "", server


def _check_named(text: str) -> None:
    if not text.strip():
        raise UsageError("the store has an empty name", hint="name a directory or a URL, or leave it out")


@system_errors()
def _check_is_store(layout: Layout) -> None:
    """Raise StoreError for a folder that holds something, and nothing of a store: whoever looks into it has named another one."""
    folder = layout.folder
    places = (layout.manifests, layout.blobs, layout.private, *(folder / name for name in NEWER))
    if folder.is_dir() and any(folder.iterdir()) and not any(map(os.path.lexists, places)):
        raise StoreError(
            f"{folder} is not a store: it has neither manifests nor blobs",
            hint="name the folder that has them; a new store is made by create, apply or pull",
        )


@system_errors()
def _directory(text: str, *, expand: bool = True) -> Store:
    from modelsmith.store.local.local import LocalStore

    folder = Path(text).expanduser() if expand else Path(text)
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder} is a file, not the directory of a store")
    if not (folder / "manifests").exists() and (folder / "models" / "manifests").is_dir():
        raise StoreError(f"{folder} is not a store, but its folder models is", hint=f"name {folder / 'models'}")
    return LocalStore(folder)
