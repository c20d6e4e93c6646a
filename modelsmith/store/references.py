"""Which blobs the models of a store's folder refer to, and which nobody needs. Reads only.

The one answer for everything that removes: creating, ``rm`` and ``gc``. Where a manifest cannot be read, nobody can know what it
needs, and nothing counts as unused. What this version does not know (folders of a newer Ollama, backups) is searched for digests.
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

from modelsmith.errors import BlobNotFound, InvalidDigest, StoreError
from modelsmith.manifest import MAX_MANIFEST_BYTES, Digest, Layer, ManifestList, read_manifest
from modelsmith.patterns import regex
from modelsmith.records import dataclass
from modelsmith.store.layout import NEWER, read_small

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from modelsmith.manifest import Manifest
    from modelsmith.name import ModelName
    from modelsmith.store.layout import Layout

_KNOWN = frozenset({"blobs", "manifests", ".modelsmith", "metadata", *NEWER})
_DIGEST = regex(rb"sha256[:-]([0-9a-f]{64})")
_MOST_FILES = 10_000


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """A file where a manifest should be.

    ``name`` is None where its path is no model's name. ``manifests`` are its builds (one, but of a list), ``lists`` says whether it is a
    list, ``blobs`` are all blobs that it needs: layers, configs, and the blobs that hold manifests. ``problem`` says why it
    cannot be read ("": it can).
    """

    path: Path
    name: ModelName | None
    digest: Digest | None = None
    manifests: tuple[Manifest, ...] = ()
    blobs: tuple[Layer, ...] = ()
    is_list: bool = False
    problem: str = ""


@dataclass(frozen=True)
class References:
    """Everything in a store's folder that needs blobs."""

    files: tuple[ManifestFile, ...]
    elsewhere: frozenset[Digest] = frozenset()
    """Digests in files that this version does not know."""
    too_much: str = ""
    """Why not everything could be searched ("": it could)."""

    @cached_property
    def users(self) -> dict[Digest, tuple[ModelName, ...]]:
        """The models that need a blob."""
        found: dict[Digest, list[ModelName]] = {}
        for file in self.files:
            for layer in file.blobs:
                names = found.setdefault(layer.digest, [])
                if file.name is not None and file.name not in names:
                    names.append(file.name)
        return {digest: tuple(names) for digest, names in found.items()}

    @property
    def problems(self) -> tuple[str, ...]:
        """Why nobody can know what is unused; empty where it is known."""
        told = [f"{file.path}: {file.problem}" for file in self.files if file.problem]
        return (*told, self.too_much) if self.too_much else tuple(told)

    def unused(self, digests: Iterable[Digest], *, without: Iterable[ModelName] = ()) -> frozenset[Digest]:
        """Return those of the digests that nothing needs, were the models ``without`` gone; none where that cannot be known.

        A damaged manifest of one of those models is no obstacle.
        """
        gone = frozenset(without)
        staying = [file for file in self.files if file.name is None or file.name not in gone]
        if self.too_much or any(file.problem for file in staying):
            return frozenset()
        needed = {layer.digest for file in staying for layer in file.blobs} | self.elsewhere
        return frozenset(digests) - needed


def references(layout: Layout) -> References:
    """Read all manifests of a store's folder, and search what is unknown beside them; raises StoreError for a folder that cannot be read."""
    files = tuple(_read(layout, path, name) for path, name in layout.entries())
    elsewhere: set[Digest] = set()
    for number, path in enumerate(_unknown(layout)):
        if number >= _MOST_FILES:
            return References(
                files, frozenset(elsewhere), f"{layout.folder} holds more than {_MOST_FILES:,} other files"
            )
        elsewhere |= _digests_in(path)
    return References(files, frozenset(elsewhere))


def _read(layout: Layout, path: Path, name: ModelName | None) -> ManifestFile:
    try:
        data = read_small(path, MAX_MANIFEST_BYTES)
        found = read_manifest(data)
    except FileNotFoundError:
        return ManifestFile(path, name, problem="it is a link to nothing, on which Ollama stops listing models")
    except OSError as error:
        return ManifestFile(path, name, problem=error.strerror or str(error))
    except (StoreError, InvalidDigest) as error:
        empty = "it is empty" if isinstance(error, StoreError) and not path.stat().st_size else error.message
        return ManifestFile(path, name, problem=empty)
    own = Digest.of(data)
    blobs = {own: Layer("", own, len(data))} if os.path.lexists(layout.blob_path(own)) else {}
    manifests: list[Manifest] = []
    problem = "" if name is not None else "its path is not the name of a model"
    if isinstance(found, ManifestList):
        for child in found.children:
            if child.digest is not None:
                blobs[child.digest] = Layer("", child.digest, -1)
            try:
                manifests.append(layout.child(child))
            except BlobNotFound:
                continue  # a build that was not fetched needs nothing yet
            except (StoreError, InvalidDigest, OSError) as error:
                problem = f"one of its builds cannot be read: {error}"
    else:
        manifests.append(found)
    for manifest in manifests:
        blobs |= {layer.digest: layer for layer in manifest.blobs}
    return ManifestFile(
        path, name, own, tuple(manifests), tuple(blobs.values()), isinstance(found, ManifestList), problem
    )


def _unknown(layout: Layout) -> Iterator[Path]:
    """Yield the files in a store's folder that belong to nothing that this version knows; links are not followed."""
    try:
        entries = sorted(layout.folder.iterdir())
    except OSError:
        return
    for entry in entries:
        if entry.name in _KNOWN or entry.is_symlink():
            continue
        if entry.is_dir():
            for folder, _, names in os.walk(entry):
                yield from (layout.folder / folder / name for name in names)
        else:
            yield entry


def _digests_in(path: Path) -> set[Digest]:
    """Return the digests in a file that is small enough to be a manifest."""
    try:
        data = b"" if path.is_symlink() else read_small(path, MAX_MANIFEST_BYTES)
    except (OSError, StoreError):
        return set()
    return {Digest(found.decode()) for found in _DIGEST.findall(data)}
