"""Planning with a lock: from it alone, or from exactly what it pins."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from modelsmith.errors import InvalidGGUF, UnreadableFile, Unsupported
from modelsmith.files.cache import ANOTHER_FOLDER, cache_folder, make_folder_of
from modelsmith.hub.reference import HubReference, is_hub
from modelsmith.manifest import Digest
from modelsmith.models.find import resolve_base
from modelsmith.recipe.lock.store import LockedStore
from modelsmith.recipe.lock.text import dumps
from modelsmith.recipe.plan.plan import plan
from modelsmith.weights.adapters.spec import weighted
from modelsmith.weights.blobs.blob import FileBlob
from modelsmith.weights.gguf.file import GGUFFile
from modelsmith.weights.gguf.standin import write_standin

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from modelsmith.models.base import Base
    from modelsmith.recipe.lock.format import LockedBase, LockedModel
    from modelsmith.recipe.plan.plan import Plan
    from modelsmith.recipe.read.load import Recipe


def plan_from_lock(recipe: Recipe, locked: LockedModel, location: str, modelfile: Path | None = None) -> Plan:
    """Plan a recipe with what a lock says of its base; asks no store, no server and no hub.

    ``location`` names the lock for people. Raises Unsupported where the lock does not hold enough, and what ``plan`` raises.
    """
    store, base = locked_base(locked, recipe.from_, location)
    target = locked.tools.get("ollama")
    return plan(recipe, store, version=target, as_is=locked.as_is, modelfile=modelfile, base=base)


def pinned(recipe: Recipe, locked: LockedModel) -> Recipe:
    """Return the recipe whose base, and whose adapters, on the Hub are at the commits that the lock names."""
    commits = {file.name: file.commit for file in locked.adapters if file.commit}
    adapters = tuple(_pinned_adapter(text, commits) for text in recipe.adapters)
    changes = {"adapters": adapters, "from_": _pinned(recipe.from_, locked.base.commit)}
    return recipe.model_copy(update=changes).noting(recipe.warnings)


def _pinned(place: str, commit: str) -> str:
    return str(replace(HubReference.parse(place), revision=commit)) if commit and is_hub(place) else place


def _pinned_adapter(text: str, commits: Mapping[str, str]) -> str:
    place, weight = weighted(text)
    if not is_hub(place):
        return text
    found = _pinned(place, commits.get(place.replace("/", "|"), ""))
    return found if weight == 1.0 else f"{found}={weight:g}"


def locked_base(locked: LockedModel, spec: str, location: str) -> tuple[LockedStore, Base]:
    """Return a store that knows the locked base, and the base itself, made of files that stand in for its weights."""
    base = locked.base
    if base.partly:
        raise Unsupported(
            f"{location} does not hold enough of {base.spec} to plan with: {base.partly}",
            hint="plan where the model is, without --from-lock",
        )
    folder = cache_folder() / "locked" / hashlib.sha256(dumps(base.model_dump(mode="json"))).hexdigest()[:24]
    weights = _blobs(base, folder)
    store = LockedStore(location, base.model, weights)
    if spec.startswith("sample:"):
        return store, resolve_base(spec, store, folder)
    for file in base.files:
        _standin(file.gguf, file.size, folder / file.name, file.digest, location)
    written = folder / "Modelfile"
    text = base.modelfile.encode("utf-8", "surrogateescape")
    _write(written, text)
    found = resolve_base(str(written), store, folder)
    return store, replace(found, spec=spec)


def _blobs(base: LockedBase, folder: Path) -> Mapping[str, Path]:
    if base.model is None:
        return {}
    sizes = {layer.digest: layer.size for layer in base.model.layers if layer.digest}
    paths = {}
    for digest, outline in base.model.ggufs.items():
        path = folder / Digest.parse(digest).file_name
        _standin(outline, sizes[digest] if digest in sizes else outline["size"], path, digest, base.model.name)
        paths[digest] = path
    return paths


def _standin(outline: Mapping[str, Any] | None, size: int, path: Path, digest: str | None, owner: str) -> None:
    """Make sure that a file stands in for weights; its digest is the one that the lock tells."""
    if outline is None:
        raise Unsupported(
            f"{owner} says nothing of what is in {path.name}", hint="plan where the file is, without --from-lock"
        )
    if not _is_there(path, size):
        try:
            write_standin(outline, path, size)
            GGUFFile.open(path)
        except (InvalidGGUF, KeyError, TypeError, AttributeError) as error:
            path.unlink(missing_ok=True)
            reason = error.message if isinstance(error, InvalidGGUF) else f"it lacks {error}"
            raise UnreadableFile(
                f"what {owner} says of {path.name} describes no GGUF: {reason}",
                hint="write the lock again with modelsmith lock",
            ) from error
    if digest is not None:
        FileBlob(path).remember(Digest.parse(digest))


def _is_there(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size and bool(GGUFFile.open(path).metadata)
    except (OSError, InvalidGGUF, UnreadableFile):
        return False


def _write(path: Path, text: bytes) -> None:
    from modelsmith.files.replacing import write

    make_folder_of(path)
    if not path.exists() or path.read_bytes() != text:
        write(path, [text], keeps=False, hint=ANOTHER_FOLDER)
