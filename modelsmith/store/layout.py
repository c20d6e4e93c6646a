"""Where things are in a store's folder, and what is in it. Reads only.

Sources: Ollama ``manifest/paths.go``, ``manifest/manifest.go`` (Manifests), ``server/routes.go`` (getExistingName).
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.errors import BlobNotFound, InvalidDigest, InvalidModelName, ModelNotFound, StoreError
from modelsmith.manifest import MAX_MANIFEST_BYTES, Digest, Manifest
from modelsmith.name import ModelName

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
        """Yield every file where a manifest could be, with the model's name; None where it cannot be one."""
        for path in sorted(_at_depth(self.manifests, len(_PARTS))):
            try:
                yield path, ModelName.from_path(path.relative_to(self.manifests).as_posix())
            except InvalidModelName:
                yield path, None

    def names(self) -> tuple[ModelName, ...]:
        """Return the names of the models that are there; files that are no manifests are passed over, as Ollama does."""
        return tuple(sorted(name for path, name in self.entries() if name is not None and _readable(path)))

    def existing(self, name: ModelName) -> ModelName:
        """Return the name with the case of letters that the store has: Ollama ignores case, file systems may not.

        Each part follows any model that has it, as in Ollama; where several differ in case only, the one asked for wins.
        """
        if not name.is_valid:
            raise InvalidModelName(f'"{name}" is not a model name: {name.problem}', hint=name.way_out)
        if _readable(self.manifest_path(name)):
            return name
        known = self.names()
        same = next((other for other in known if other.same_as(name)), None)
        if same is not None:
            return same
        parts = {part: _cased(getattr(name, part), {getattr(other, part) for other in known}) for part in _PARTS}
        return ModelName(**parts, scheme=name.scheme)

    def manifest(self, name: ModelName) -> Manifest:
        """Read the manifest of a model; raises ModelNotFound, or StoreError where it is damaged."""
        path = self.manifest_path(self.existing(name))
        try:
            data = read_small(path, MAX_MANIFEST_BYTES)
        except FileNotFoundError:
            raise ModelNotFound(
                f'model "{name.short}" not found in {self.folder}',
                hint=f"`ollama pull {name.short}` fetches it, if a registry has it; `modelsmith store ls` lists what is there",
            ) from None
        except OSError as error:
            what = self.folder if self.folder.is_file() else path
            raise StoreError(
                f"{what} cannot be read: {error.strerror or error}", hint="name another store, or mend its permissions"
            ) from error
        try:
            return Manifest.from_bytes(data)
        except (StoreError, InvalidDigest) as error:
            raise StoreError(
                f"{path} is damaged: {error}", hint=f"`ollama pull {name.short}` or create the model again"
            ) from error

    def in_use(self) -> frozenset[Digest] | None:
        """Return the digests that any model refers to; None when something cannot be read, so that nobody can know."""
        if any(path.name.startswith("manifest") and path.name != "manifests" for path in _listed(self.folder)):
            return None  # another layout beside this one, whose references we cannot read
        used: set[Digest] = set()
        for path, name in self.entries():
            try:
                manifest = Manifest.from_bytes(read_small(path, MAX_MANIFEST_BYTES)) if name is not None else None
            except (OSError, StoreError, InvalidDigest):
                return None
            if manifest is None:
                return None
            used |= {layer.digest for layer in manifest.blobs}
        return frozenset(used)

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
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise StoreError(f"{path} is not a regular file", hint="pull or create the model again")
        data = file.read(limit + 1)
    if len(data) > limit:
        raise StoreError(
            f"{path} is larger than {limit} bytes, which it cannot be", hint="pull or create the model again"
        )
    return data


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StoreError(f"{folder} cannot be read: {error.strerror or error}") from error


def _at_depth(folder: Path, depth: int) -> Iterator[Path]:
    for path in _listed(folder):
        if depth > 1:
            if path.is_dir():
                yield from _at_depth(path, depth - 1)
        elif not path.is_dir():
            yield path


def _readable(path: Path) -> bool:
    try:
        Manifest.from_bytes(read_small(path, MAX_MANIFEST_BYTES))
    except (OSError, StoreError, InvalidDigest):
        return False
    return True


def _cased(part: str, known: set[str]) -> str:
    if part in known:
        return part
    return min((other for other in known if other.lower() == part.lower()), default=part)
