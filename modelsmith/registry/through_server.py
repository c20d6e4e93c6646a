"""Moving models into and out of an Ollama server, by its own pull and push.

A server knows neither logins nor folders. What it cannot fetch itself is fetched here, and offered to it by a registry on
this machine that lives as long as that takes; so its manifest comes over byte for byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from modelsmith.errors import ServerError, StoreError, Unsupported
from modelsmith.files.unfinished import scratch_folder
from modelsmith.name import ModelName
from modelsmith.registry.reference import Reference
from modelsmith.registry.serve import Server
from modelsmith.store.local.local import LocalStore
from modelsmith.store.ollama.files import find_files

if TYPE_CHECKING:
    from modelsmith.progress import ProgressSink
    from modelsmith.registry.access import Access
    from modelsmith.registry.moving import Mover
    from modelsmith.registry.reference import Folder
    from modelsmith.store import Store
    from modelsmith.store.ollama.ollama import OllamaStore


def pull_into_server(
    mover: Mover, place: Reference | Folder, store: Store, target: ModelName, progress: ProgressSink
) -> None:
    """Bring a model to a server under a name: Ollama's own models by its pull, others through this machine."""
    server = cast("OllamaStore", store)
    if isinstance(place, Reference) and place.is_ollama and place.digest is None:
        _pull(server, place.model_name(), target, progress, insecure=False)
        return
    if not server.is_local:
        raise Unsupported(
            f"{server.location} runs on another machine, which could not fetch {place} from here",
            hint="run modelsmith there, or into its folder with --store DIR",
        )
    with scratch_folder() as folder:
        ours = LocalStore(folder)
        name = ModelName("registry.ollama.ai", "library", target.model, target.tag)
        mover.pull(place, ours, name)
        offer_to_server(ours, name, server, target, progress)


def offer_to_server(ours: LocalStore, name: ModelName, store: Store, target: ModelName, progress: ProgressSink) -> None:
    """Bring a model of a folder into a server on this machine, by a registry that lives as long as that takes."""
    server = cast("OllamaStore", store)
    if not server.is_local:
        raise Unsupported(
            f"{server.location} runs on another machine, which could not fetch {name.short} from here",
            hint="run modelsmith there, or into its folder with --store DIR",
        )
    with Server(ours) as offered:
        offered.start()
        _pull(server, ModelName(offered.host, name.namespace, name.model, name.tag), target, progress, insecure=True)


def _pull(server: OllamaStore, name: ModelName, target: ModelName, progress: ProgressSink, *, insecure: bool) -> None:
    server.pull(name, insecure=insecure, progress=progress)
    if not name.same_as(target):
        server.copy(name, target)
        server.delete(name)


def push_from_server(
    place: Reference | Folder, store: Store, name: ModelName, access: Access, progress: ProgressSink
) -> None:
    """Have a server push one of its models; it gets the name of the place for that long."""
    server, target = cast("OllamaStore", store), cast("Reference", place).model_name()
    is_new = not any(known.same_as(target) for known in server.models())
    if not name.same_as(target):
        if not is_new:
            raise StoreError(
                f"{server.location} has another model {target.short}, whose name the push would need",
                hint=f"remove it, or push that one: modelsmith push {target.short}",
            )
        server.copy(name, target)
    try:
        server.push(target, insecure=access.insecure, progress=progress)
    except ServerError as error:
        raise ServerError(
            error.message,
            status=error.status,
            request=error.request,
            text=error.text,
            hint="a server knows no logins; push from its folder: --store DIR (mostly ~/.ollama/models)",
        ) from error
    finally:
        if not name.same_as(target):
            server.delete(target)


def files_of(store: Store, name: ModelName) -> LocalStore | None:
    """Return the folder behind a server on this machine, where it can be read and is the one that the server serves."""
    server = cast("OllamaStore", store)
    if not server.is_local:
        return None
    model = server.show(name)
    files = find_files(str(model.weights)) if model.weights is not None else None
    if files is None or files.model(name, model.digest) is None:
        return None
    return LocalStore(files.weights.parent.parent)
