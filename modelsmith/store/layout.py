"""Where things are in a store's folder, and what is in it. Reads only.

Sources: Ollama ``manifest/paths.go``, ``manifest/manifest.go`` (Manifests), ``server/routes.go`` (getExistingName).
"""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import BlobNotFound, InvalidDigest, InvalidModelName, ModelNotFound, StoreError
from modelsmith.files.reading import READ_ONLY
from modelsmith.manifest import MAX_MANIFEST_BYTES, Digest, Manifest, ManifestList, read_manifest
from modelsmith.name import ModelName, of_file
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.manifest import ManifestChild

NEWER = ("manifests-v2", "manifest-v2")
"""Folders of manifests beside ``manifests`` in which newer versions of Ollama keep models; they are read and never written."""
_NEWER_HOST, _HOST = "ollama.com", "registry.ollama.ai"
_PIECE = 64 << 10
_PARTS = ("host", "namespace", "model", "tag")
MAX_SMALL_BLOB = 64 << 20  # templates, parameters, licenses, configs; a larger one is not one of these


@dataclass(frozen=True, slots=True)
class Layout:
    """The places in a store's folder (``$OLLAMA_MODELS``)."""

    folder: Path

    @property
    def manifests(self) -> Path:
        """``manifests/<host>/<namespace>/<model>/<tag>`` are the models."""
        return self.folder / "manifests"

    @property
    def blobs(self) -> Path:
        """``blobs/sha256-<hex>`` are their parts."""
        return self.folder / "blobs"

    @property
    def private(self) -> Path:
        """Our own folder, which Ollama neither lists nor prunes."""
        return self.folder / ".modelsmith"

    @property
    def temporaries(self) -> Path:
        """Where files grow before they get their name."""
        return self.private / "tmp"

    @property
    def partial(self) -> Path:
        """Where blobs grow that come over the network; they stay when that breaks off, for the next try."""
        return self.private / "partial"

    def manifest_path(self, name: ModelName) -> Path:
        """Return where the manifest of a model is or would be; raises InvalidModelName."""
        return self.manifests / name.path

    def blob_path(self, digest: Digest) -> Path:
        """Return where a blob is or would be."""
        return self.blobs / digest.file_name

    def entries(self) -> Iterator[tuple[Path, ModelName | None]]:
        """Yield every file where a manifest could be, with the model's name; None where it cannot be one.

        A model may be there twice, in ``manifests`` and in a folder of NEWER.
        """
        for tree in (self.manifests, *(self.folder / name for name in NEWER)):
            for path in sorted(_at_depth(tree, len(_PARTS))):
                try:
                    name = ModelName.from_path(path.relative_to(tree).as_posix())
                except InvalidModelName:
                    yield path, None
                else:
                    yield (
                        path,
                        replace(name, host=_HOST) if tree != self.manifests and name.host == _NEWER_HOST else name,
                    )

    def names(self) -> tuple[ModelName, ...]:
        """Return the names of the models that are there; files that are no manifests are passed over, as Ollama does."""
        return tuple(sorted({name for path, name in self.entries() if name is not None and _readable(path)}))

    def newer(self, name: ModelName) -> Path | None:
        """Return where a newer Ollama keeps this model, which it then reads instead of ``manifests``; None: it does not."""
        host = _NEWER_HOST if name.host == _HOST else name.host
        paths = (self.folder / tree / replace(name, host=host).path for tree in NEWER)
        return next((path for path in paths if os.path.lexists(path)), None)

    def existing(self, name: ModelName) -> ModelName:
        """Return the name with the case of letters that the store has: Ollama ignores case, file systems may not.

        Each part follows any model that has it, as in Ollama; where several differ in case only, the one asked for wins.
        """
        if not name.is_valid:
            raise InvalidModelName(f'"{name}" is not a model name: {name.problem}', hint=name.way_out)
        if _readable(self.newer(name) or self.manifest_path(name)):
            return name
        known = self.names()
        same = next((other for other in known if other.same_as(name)), None)
        if same is not None:
            return same
        parts = {part: _cased(getattr(name, part), {getattr(other, part) for other in known}) for part in _PARTS}
        return ModelName(**parts, scheme=name.scheme)

    def manifest(self, name: ModelName) -> Manifest:
        """Read the manifest of a model; raises ModelNotFound, or StoreError where it is damaged."""
        name = self.existing(name)
        path = self.newer(name) or self.manifest_path(name)
        try:
            data = read_small(path, MAX_MANIFEST_BYTES)
        except FileNotFoundError:
            raise ModelNotFound(
                f'model "{name.short}" not found in {self.folder}',
                hint=of_file(name.short)
                or f"`ollama pull {name.short}` fetches it, if a registry has it; `modelsmith store ls` lists what is there",
            ) from None
        except OSError as error:
            what = self.folder if self.folder.is_file() else path
            raise StoreError(
                f"{what} cannot be read: {error.strerror or error}", hint="name another store, or mend its permissions"
            ) from error
        try:
            return self._chosen(read_manifest(data))
        except (StoreError, InvalidDigest) as error:
            raise StoreError(
                f"{path} is damaged: {error}", hint=f"`ollama pull {name.short}` or create the model again"
            ) from error

    def child(self, child: ManifestChild) -> Manifest:
        """Read the manifest of one build in a list; raises BlobNotFound, StoreError or InvalidDigest."""
        if child.manifest is not None:
            return child.manifest
        if child.digest is None:
            raise StoreError("an entry of the manifest list names no manifest")
        return Manifest.from_bytes(self.small_blob(child.digest))

    def _chosen(self, found: Manifest | ManifestList) -> Manifest:
        """Return the manifest that counts; one of a list has the bytes of the list, whose digest is the model's."""
        if isinstance(found, Manifest):
            return found
        return replace(self.child(found.preferred), raw=found.raw)

    def small_blob(self, digest: Digest) -> bytes:
        """Read a blob of text; raises BlobNotFound or StoreError."""
        path = self.blob_path(digest)
        try:
            data = read_small(path, MAX_SMALL_BLOB)
        except FileNotFoundError:
            raise BlobNotFound(f"{path} is missing", hint="pull or create the model again") from None
        except OSError as error:
            raise StoreError(f"{path} cannot be read: {error.strerror or error}") from error
        if Digest.of(data) != digest:
            raise damaged_blob(path)
        return data


def damaged_blob(path: Path, source: str = "") -> StoreError:
    """Return the error for a blob whose bytes are not those of its name; ``source`` is the model that it belongs to."""
    way_out = f"`ollama pull {source}` or create it again" if source else "pull or create the model again"
    return StoreError(f"{path} is damaged: its bytes are not those that its name promises", hint=way_out)


def read_small(path: Path, limit: int) -> bytes:
    """Read a regular file of at most ``limit`` bytes; raises OSError or StoreError."""
    descriptor = os.open(path, READ_ONLY)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise StoreError(f"{path} is not a regular file", hint="pull or create the model again")
        data = os.read(descriptor, min(status.st_size, limit) + 1)  # one byte more than there is finds the end at once
        while status.st_size < len(data) <= limit and (more := os.read(descriptor, _PIECE)):
            data += more
    finally:
        os.close(descriptor)
    if len(data) > limit:
        raise StoreError(
            f"{path} is larger than {limit} bytes, which it cannot be", hint="pull or create the model again"
        )
    return data


def _listed(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StoreError(f"{folder} cannot be read: {error.strerror or error}") from error


def _at_depth(folder: Path, depth: int) -> Iterator[Path]:
    for entry in _listed(folder):
        if depth > 1:
            if _is_folder(entry):
                yield from _at_depth(Path(entry.path), depth - 1)
        elif not _is_folder(entry):
            yield Path(entry.path)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads nowhere, or round in circles
        return False


def _readable(path: Path) -> bool:
    try:
        read_manifest(read_small(path, MAX_MANIFEST_BYTES))
    except (OSError, StoreError, InvalidDigest):
        return False
    return True


def _cased(part: str, known: set[str]) -> str:
    if part in known:
        return part
    return min((other for other in known if other.lower() == part.lower()), default=part)
