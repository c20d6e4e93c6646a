"""Which engine runs a model: by the name that was given with ``--on``, else by where the model is."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelsmith.engines.protocol import SECONDS
from modelsmith.errors import ModelNotFound, ModelsmithError, ServerError, UsageError
from modelsmith.files.paths import anchored, looks_like_path
from modelsmith.http.client import HttpClient
from modelsmith.http.urls import redacted
from modelsmith.hub.reference import is_hub
from modelsmith.progress import ProgressSink, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelsmith.engines.known import KnownModel
    from modelsmith.engines.protocol import InferenceEngine
    from modelsmith.store import Store

DEFAULT_HOST = "http://127.0.0.1:11434"
RECORDINGS = (".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine, what is known of its model (None: nothing but its name), and what may go wrong with it, in sentences."""

    engine: InferenceEngine
    known: KnownModel | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """What to run and how: ``on`` is a name of ``ENGINES``, a URL, a recording or "" (by where the model is)."""

    model: str
    store: Callable[[], Store]
    on: str = ""
    folder: Path = field(default_factory=Path.cwd)
    options: Mapping[str, Any] = field(default_factory=dict)
    api_key: str = field(default="", repr=False)
    seconds: float = SECONDS
    progress: ProgressSink = silent
    known: KnownModel | None = None


def choose_engine(wish: Wish) -> Choice:
    """Return what runs a model. Nothing is loaded yet; raises UsageError, ModelNotFound, ServerError and others."""
    if is_url(wish.model) and not wish.on:
        return _server(wish, wish.model, "")
    if not wish.on:
        return _by_place(wish)
    if wish.on in ENGINES:
        return ENGINES[wish.on](wish)
    if is_url(wish.on):
        return _server(wish, wish.on, wish.model)
    if wish.on.endswith(RECORDINGS) or looks_like_path(wish.on) or Path(wish.on).is_file():
        from modelsmith.engines.recording import RecordingEngine

        return Choice(RecordingEngine.open(Path(wish.on), wish.model, _known_or_not(wish)), wish.known)
    from modelsmith.diagnostic import did_you_mean

    raise UsageError(
        f"--on {wish.on}: no engine of this name{did_you_mean(wish.on, ENGINES)}",
        hint=f"{', '.join(ENGINES)}, the URL of a server, or a recording (.jsonl)",
    )


def is_url(text: str) -> bool:
    """Say whether a text is the URL of a server."""
    return text.lower().startswith(("http://", "https://"))


def known_model(wish: Wish, version: str | None = None) -> KnownModel:
    """Return what is known of the model; raises ModelNotFound and others."""
    from modelsmith.engines.known import find_known

    return wish.known or find_known(wish.model, wish.store, wish.folder, version, wish.progress)


def _known_or_not(wish: Wish) -> KnownModel | None:
    """Return what is known of the model, None where it is not at hand."""
    try:
        return known_model(wish)
    except (ModelNotFound, ServerError):
        return None


def _by_place(wish: Wish) -> Choice:
    from modelsmith.store.ollama.ollama import OllamaStore
    from modelsmith.versions import of_server

    known = known_model(wish)
    if known.name and isinstance(store := wish.store(), OllamaStore):
        known = known_model(wish, of_server(store.ollama_version()))
        return _ollama_at(wish, store.address, known)
    return _embedded(replace(wish, known=known))


def _embedded(wish: Wish) -> Choice:
    from modelsmith.engines.embedded import EmbeddedEngine

    known = known_model(wish)
    engine = EmbeddedEngine(known, wish.options, seconds=wish.seconds)
    return Choice(engine, known, engine.notes)


def _ollama(wish: Wish) -> Choice:
    """Run on the store where that is a server, else on the one that OLLAMA_HOST names, else on this machine's."""
    from modelsmith.store.ollama.ollama import OllamaStore

    try:
        store = wish.store()
    except ModelsmithError:
        store = None
    url = store.address if isinstance(store, OllamaStore) else os.environ.get("OLLAMA_HOST") or DEFAULT_HOST
    return _ollama_at(wish, url, *_on_server(wish, url))


def _ollama_at(wish: Wish, url: str, known: KnownModel | None, untold: str = "") -> Choice:
    from modelsmith.engines.ollama import OllamaEngine
    from modelsmith.store.ollama.ollama import server_url

    engine = OllamaEngine(server_url(url), wish.model, known=known, api_key=wish.api_key, seconds=wish.seconds)
    return Choice(engine, known, _too_old(known, engine.location) if known else (untold,) if untold else ())


def _too_old(known: KnownModel, location: str) -> tuple[str, ...]:
    """Say so where a server is older than the model's REQUIRES."""
    from modelsmith.versions import resolve

    needed = known.draft.modelfile.requires or known.draft.inherited.requires
    server = resolve(known.draft.version)
    try:
        if not needed or server.has(needed):
            return ()
    except UsageError:  # REQUIRES may hold anything
        return ()
    return (
        f"{known.spec} needs Ollama {needed} (REQUIRES), and {location} is {server}: what it does there may be wrong",
    )


def _on_server(wish: Wish, url: str) -> tuple[KnownModel | None, str]:
    """Return what a server says of a model; None, and why, where it fails to: it may run the model all the same."""
    from modelsmith.engines.known import find_known
    from modelsmith.store.ollama.ollama import OllamaStore
    from modelsmith.versions import of_server

    if is_hub(wish.model) or wish.model.startswith("sample:") or Path(anchored(wish.model, wish.folder)).is_file():
        raise UsageError(
            f"{wish.model} is no model of the Ollama at {redacted(url)}",
            hint="create it there first: modelsmith create NAME -f Modelfile, or run it here with --on embedded",
        )
    store = OllamaStore(url, headers=_header(wish))
    version = of_server(store.ollama_version())
    try:
        return find_known(wish.model, lambda: store, Path(os.devnull), version, wish.progress), ""
    except ServerError as error:
        return None, f"what {wish.model} is made of is not known, nor are its prompts: {error.message}"


def _server(wish: Wish, url: str, model: str) -> Choice:
    """Run on a server by its URL: an Ollama says its version, anything else is asked as OpenAI's servers are."""
    from modelsmith.engines.openai import OpenAIEngine

    with HttpClient(url, peer="server", headers=_header(wish)) as http:
        try:
            is_ollama = isinstance(http.ask("GET", "/api/version", seconds=10).get("version"), str)
        except ServerError as error:
            if error.status == 0 and "did not answer with a JSON object" not in error.message:
                raise
            is_ollama = False
    if is_ollama and model:
        return _ollama_at(wish, url, *_on_server(wish, url))
    return Choice(OpenAIEngine(url, model, api_key=wish.api_key, seconds=wish.seconds))


def _header(wish: Wish) -> dict[str, str]:
    return {"Authorization": f"Bearer {wish.api_key}"} if wish.api_key else {}


ENGINES: Mapping[str, Callable[[Wish], Choice]] = {"ollama": _ollama, "embedded": _embedded}
"""The engines that have a name."""
