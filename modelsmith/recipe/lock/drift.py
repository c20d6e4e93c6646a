"""What moved since a lock or a plan was written: two descriptions of one model, compared."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.recipe.lock.format import LockedBase, LockedFile, LockedLayer, LockedModel, LockedResult


@dataclass(frozen=True, slots=True)
class Moved:
    """One thing that is not as it was: ``what`` (``recipe``, ``base``, ``tool`` …), which one, what it was and what it is.

    ``matters`` is False for a tool that is another and makes the same.
    """

    what: str
    name: str
    before: str
    now: str
    matters: bool = True

    def __str__(self) -> str:
        return f"{self.what} {self.name}: {self.before or 'none'} -> {self.now or 'none'}"


def not_locked(model: str) -> Moved:
    """Return that a lock says nothing of a model, though there is a lock."""
    return Moved("lock", model, "", "not locked: add it with modelsmith lock")


def moved(locked: LockedModel, now: LockedModel) -> tuple[Moved, ...]:
    """Return what differs; what is not known on one of the sides does not count as moved."""
    causes = [*_recipe(locked, now), *_base(locked.base, now.base)]
    causes += _files("adapter", locked.adapters, now.adapters)
    same_result = locked.result.manifest is not None and locked.result.manifest == now.result.manifest
    tools = list(_named("tool", locked.tools, now.tools, matters=not same_result))
    return (*causes, *tools, *_result(locked.result, now.result))


def _recipe(locked: LockedModel, now: LockedModel) -> Iterator[Moved]:
    if locked.recipe != now.recipe:
        yield Moved("recipe", "path", locked.recipe, now.recipe)
    yield from _named("input", locked.inputs, now.inputs)
    yield from _named(
        "recipe",
        {source.name: _short(source.digest) for source in locked.sources},
        {source.name: _short(source.digest) for source in now.sources},
    )
    if locked.profile != now.profile:
        yield Moved("option", "--profile", locked.profile, now.profile)
    if locked.as_is != now.as_is:
        yield Moved("option", "--as-is", str(locked.as_is), str(now.as_is))


def _named(what: str, before: Mapping[str, Any], now: Mapping[str, Any], *, matters: bool = True) -> Iterator[Moved]:
    for name in dict.fromkeys((*before, *now)):
        if before.get(name) != now.get(name):
            yield Moved(what, name, str(before.get(name, "")), str(now.get(name, "")), matters)


def _base(locked: LockedBase, now: LockedBase) -> Iterator[Moved]:
    if locked.spec != now.spec:
        yield Moved("base", "from", locked.spec, now.spec)
        return
    if locked.commit != now.commit:
        yield Moved("base", f"{now.spec} (commit)", locked.commit[:12], now.commit[:12])
    if locked.modelfile != now.modelfile:
        yield Moved("base", f"{now.spec} (Modelfile)", _lines(locked.modelfile), _lines(now.modelfile))
    yield from _files("base", locked.files, now.files)
    before = locked.model.digest if locked.model else ""
    after = now.model.digest if now.model else ""
    if before != after:
        yield Moved("base", now.model.name if now.model else now.spec, before[:12], after[:12])


def _files(what: str, before: tuple[LockedFile, ...], now: tuple[LockedFile, ...]) -> Iterator[Moved]:
    old, new = {file.name: file for file in before}, {file.name: file for file in now}
    for name in dict.fromkeys((*old, *new)):
        ours, theirs = old.get(name), new.get(name)
        if ours is None or theirs is None:
            yield Moved(what, name, "there" if ours else "", "there" if theirs else "")
        elif ours.digest and theirs.digest and ours.digest != theirs.digest:
            yield Moved(what, name, _short(ours.digest), _short(theirs.digest))
        elif ours.commit != theirs.commit:
            yield Moved(what, f"{name} (commit)", ours.commit[:12], theirs.commit[:12])
        elif ours.size != theirs.size:
            yield Moved(what, name, f"{ours.size:,} bytes", f"{theirs.size:,} bytes")


def _result(locked: LockedResult, now: LockedResult) -> Iterator[Moved]:
    if locked.runs != now.runs:
        yield Moved("result", "template that runs", locked.runs, now.runs)
    if not locked.layers or not now.layers:
        return
    old, new = _by_kind(locked.layers), _by_kind(now.layers)
    for kind in dict.fromkeys((*old, *new)):
        ours, theirs = old.get(kind, []), new.get(kind, [])
        if len(ours) != len(theirs) or any(
            a is not None and b is not None and a != b for a, b in zip(ours, theirs, strict=False)
        ):
            yield Moved("result", kind, _digests(ours), _digests(theirs))


def _by_kind(layers: tuple[LockedLayer, ...]) -> dict[str, list[str | None]]:
    kinds: dict[str, list[str | None]] = {}
    for layer in layers:
        kinds.setdefault(kind_of(layer.type), []).append(layer.digest)
    return kinds


def kind_of(media_type: str) -> str:
    """Return the last word of a layer's type; ``config`` for the config blob."""
    kind = media_type.rpartition(".")[2].partition("+")[0]
    return "config" if "container.image" in media_type else kind


def _digests(digests: list[str | None]) -> str:
    return ", ".join(_short(digest) if digest else "?" for digest in digests)


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]


def _lines(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]
