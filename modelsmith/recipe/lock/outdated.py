"""What is newer than a lock says: the recipes of a team, the base in its registry or on the Hub, the tools. Asks, and changes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from modelsmith.about import __version__
from modelsmith.errors import ModelNotFound, ModelsmithError
from modelsmith.hub.reference import HubReference, is_hub
from modelsmith.name import ModelName
from modelsmith.recipe.remote.address import GitAddress, is_remote, parse_address
from modelsmith.recipe.team.sources import sources_file
from modelsmith.records import dataclass
from modelsmith.registry.reference import Reference, registry_host
from modelsmith.versions import of_server, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from modelsmith.recipe.lock.format import LockedModel, LockedStored
    from modelsmith.recipe.team.source import TeamSource
    from modelsmith.registry.access import Session
    from modelsmith.store import Store

_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Standing:
    """One thing that a lock pins: what it was, what is here, what is newest ("" where that is not known), and what to do.

    ``state`` is ``current``, ``outdated`` (there is a newer one), ``moved`` (here is another one), or ``unknown``, of which
    ``way`` says why.
    """

    model: str
    what: str
    locked: str
    here: str
    newest: str
    state: str
    way: str = ""


def outdated(models: Mapping[str, LockedModel], store: Callable[[], Store], session: Session) -> Iterator[Standing]:
    """Yield how everything stands that locked models depend on; ``store`` is asked only where a base is one of its models."""
    for name, locked in models.items():
        yield from _recipes(name, locked, session)
        yield from _base(name, locked, store, session)
        for adapter in locked.adapters:
            if adapter.commit:
                yield _on_hub(name, adapter.name.replace("|", "/"), adapter.commit)
        yield from _tools(name, locked, store)


def _recipes(model: str, locked: LockedModel, session: Session) -> Iterator[Standing]:
    """Yield how the places of a team stand that recipes were read from, each once: as locked, as pinned here, and what they are now."""
    places = sources_file().sources.values()
    seen = set()
    for written in locked.sources:
        if not is_remote(written.name):
            continue
        address = parse_address(written.name)
        source = next((place for place in places if place.pinned_path(address)), None)
        if source is None or not address.is_pinned or source.name in seen:
            continue
        seen.add(source.name)
        then = address.ref if isinstance(address, GitAddress) else str(address.reference.digest)
        try:
            newest = _newest(source, session)
        except ModelsmithError as error:
            state = "unknown" if source.pin == then else "moved"
            way = error.message if state == "unknown" else "`modelsmith lock` takes it"
            yield Standing(model, f"recipes {source.name}", _short(then), _short(source.pin), "", state, way)
            continue
        state, way = "current", ""
        if newest != source.pin:
            state, way = "outdated", f"`modelsmith recipes update {source.name}`, then `modelsmith lock`"
        elif source.pin != then:
            state, way = "moved", "`modelsmith lock` takes it"
        yield Standing(model, f"recipes {source.name}", _short(then), _short(source.pin), _short(newest), state, way)


def _newest(source: TeamSource, session: Session) -> str:
    """Return the commit or the digest that a place's address names now; nothing is downloaded. Raises ModelsmithError."""
    from modelsmith.recipe.remote.git import commit_now

    address = source.address
    if isinstance(address, GitAddress):
        return commit_now(address)
    if address is None or address.is_pinned:
        return source.pin
    return str(session.registry(address.reference.host).manifest(address.reference).digest)


def _short(pin: str) -> str:
    return pin.removeprefix("sha256:")[:_SHOWN]


def _base(name: str, locked: LockedModel, store: Callable[[], Store], session: Session) -> Iterator[Standing]:
    base = locked.base
    if base.commit and is_hub(base.spec):
        yield _on_hub(name, base.spec, base.commit)
    elif base.model is not None:
        yield _stored(name, base.model, store(), session)


def _on_hub(model: str, spec: str, commit: str) -> Standing:
    from modelsmith.models.sources.hub import snapshot_of

    reference = HubReference.parse(spec)
    if reference.is_pinned:
        return Standing(model, spec, commit[:_SHOWN], "", commit[:_SHOWN], "current")
    try:
        _, snapshot = snapshot_of(replace(reference, file="", quantization=""))
    except ModelsmithError as error:
        return Standing(model, spec, commit[:_SHOWN], "", "", "unknown", error.message)
    newest = snapshot.commit
    if newest == commit:
        return Standing(model, spec, commit[:_SHOWN], "", newest[:_SHOWN], "current")
    way = "`modelsmith lock --upgrade` takes it"
    return Standing(model, spec, commit[:_SHOWN], "", newest[:_SHOWN], "outdated", way)


def _stored(model: str, base: LockedStored, store: Store, session: Session) -> Standing:
    name = ModelName.strict(base.name)
    locked = base.digest[:_SHOWN]
    here, why = "", ""
    try:
        here = store.show(name).digest[:_SHOWN]
    except ModelNotFound:
        why = f"{name.short} is not in {store.location}"
    except ModelsmithError as error:
        why = error.message
    newest = ""
    try:
        reference = Reference(registry_host(name.host), f"{name.namespace}/{name.model}", name.tag)
        newest = session.registry(reference.host).manifest(reference).digest.hex[:_SHOWN]
    except ModelNotFound:
        why = why or f"{name.host} has no such model: it is only here"
    except ModelsmithError as error:
        why = why or error.message
    if newest and newest != locked:
        way = f"ollama pull {name.short}, then `modelsmith lock`" if newest != here else "`modelsmith lock` takes it"
        return Standing(model, name.short, locked, here, newest, "outdated", way)
    if here and here != locked:
        way = (
            f"`modelsmith lock` takes it; ollama pull {name.short} brings the locked one back"
            if newest
            else "`modelsmith lock` takes it"
        )
        return Standing(model, name.short, locked, here, newest, "moved", way)
    return Standing(model, name.short, locked, here, newest, "current" if here or newest else "unknown", why)


def _tools(model: str, locked: LockedModel, store: Callable[[], Store]) -> Iterator[Standing]:
    old = locked.tools.get("modelsmith", "")
    state = "current" if old == __version__ else "outdated"
    yield Standing(model, "modelsmith", old, __version__, "", state, "" if state == "current" else "modelsmith lock")
    ollama = locked.tools.get("ollama", "")
    server = of_server(store().ollama_version()) if locked.base.model is not None else None
    if server is not None:
        state = "current" if server == ollama else "outdated"
        yield Standing(model, "ollama", ollama, server, "", state, "" if state == "current" else "modelsmith lock")
    elif ollama != str(resolve(None)):
        yield Standing(
            model,
            "ollama",
            ollama,
            "",
            str(resolve(None)),
            "outdated",
            f"modelsmith lock --target-ollama {resolve(None)}",
        )
