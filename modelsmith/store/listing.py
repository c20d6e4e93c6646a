"""The models of a store in one table: what a list of many models needs, without opening a single GGUF."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from modelsmith.errors import InvalidDigest, ModelsmithError, StoreError
from modelsmith.manifest import MAX_MANIFEST_BYTES, Manifest
from modelsmith.store.layout import Layout, read_small

if TYPE_CHECKING:
    from modelsmith.manifest import Digest
    from modelsmith.name import ModelName


@dataclass(frozen=True, slots=True)
class ListedModel:
    """One row: ``size`` in bytes, of which ``shared`` are in blobs that other models use too (None: not known).

    ``digest`` is the manifest's, as ``ollama list`` shows it; ``modified`` is in seconds since 1970 (None: not known).
    """

    name: ModelName
    digest: str
    size: int
    shared: int | None
    modified: float | None


@dataclass(frozen=True, slots=True)
class Listing:
    """The models sorted by name, and what is wrong with those that cannot be read."""

    models: tuple[ListedModel, ...]
    damaged: tuple[ModelsmithError, ...] = ()


class Lists(Protocol):
    """A store that can list its models cheaply."""

    def listing(self) -> Listing:
        """Return the table of the models."""


def list_folder(layout: Layout) -> Listing:
    """Return the models of a folder, by their manifests alone."""
    found: list[tuple[ModelName, Manifest, float]] = []
    damaged: list[ModelsmithError] = []
    for path, name in layout.entries():
        if name is None:
            continue
        try:
            found.append((name, Manifest.from_bytes(read_small(path, MAX_MANIFEST_BYTES)), path.stat().st_mtime))
        except (StoreError, InvalidDigest) as error:
            damaged.append(
                StoreError(f"{name.short}: {path} is damaged: {error.message}", hint="pull or create it again")
            )
        except OSError as error:
            damaged.append(StoreError(f"{name.short}: {path} cannot be read: {error.strerror or error}"))
    users: Counter[Digest] = Counter(layer.digest for _, manifest, _ in found for layer in manifest.blobs)
    rows = [
        ListedModel(
            name,
            manifest.digest.hex,
            sum(layer.size for layer in manifest.blobs),
            sum(layer.size for layer in manifest.blobs if users[layer.digest] > 1),
            modified,
        )
        for name, manifest, modified in found
    ]
    return Listing(tuple(sorted(rows, key=lambda row: str(row.name))), tuple(damaged))
