"""Fetch the files of an artifact in a registry: layers with a title are files, layers that say so are folders in a tar.

Sources: OCI image spec 1.1 (annotations: ``org.opencontainers.image.title``), ORAS (``io.deis.oras.content.unpack``).
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zlib
from typing import TYPE_CHECKING, Any, Final

from modelsmith.errors import InvalidDigest, ModelsmithError, RecipeSourceError, StoreError
from modelsmith.manifest import Digest
from modelsmith.recipe.remote.checkout import (
    MAX_BYTES,
    MAX_FILE_BYTES,
    MAX_FILES,
    Checkout,
    kept_tree,
    recipes_cache,
    remember,
    seen,
)
from modelsmith.registry.access import Access, Session
from modelsmith.registry.documents import once

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.recipe.remote.address import OciAddress
    from modelsmith.registry.client import Registry

_TITLE: Final = "org.opencontainers.image.title"
_UNPACK: Final = "io.deis.oras.content.unpack"


def fetch_oci(address: OciAddress) -> Checkout:
    """Return the files of an artifact; raises RecipeSourceError. A tag that is not pinned by a digest gets a note."""
    before = seen(address.origin)
    reference = address.reference
    if reference.digest is not None and (kept := recipes_cache() / "trees" / reference.digest.file_name).is_dir():
        return Checkout(kept, address.origin, str(reference.digest))
    with Session(Access.of_host(reference.host)) as session:
        try:
            registry = session.registry(reference.host)
            document = registry.manifest(reference)
        except ModelsmithError as error:
            if not before or not (recipes_cache() / "trees" / before.replace(":", "-")).is_dir():
                raise RecipeSourceError(f"{address.origin}: {error.message}", hint=error.hint) from error
            note = f"{address.origin} does not answer ({error.message}): {before[:19]} of an earlier run is used"
            return Checkout(recipes_cache() / "trees" / before.replace(":", "-"), address.origin, before, (note,))
        pin = str(document.digest)
        try:
            root = kept_tree(pin, lambda: _files(registry, address, document.data))
        except (StoreError, InvalidDigest) as error:
            raise RecipeSourceError(f"{address.origin}: {error.message}", hint=error.hint) from error
    remember(address.origin, pin)
    notes = () if address.is_pinned else (f"{address.origin} is a tag, which moves: pin it with @{pin}",)
    return Checkout(root, address.origin, pin, notes)


def _files(registry: Registry, address: OciAddress, data: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        body = json.loads(data, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise RecipeSourceError(f"the manifest of {address.origin} is not JSON: {error}") from error
    layers = body.get("layers") if isinstance(body, dict) else None
    if not isinstance(layers, list) or not layers or len(layers) > MAX_FILES:
        raise RecipeSourceError(f"{address.origin} is no artifact with files", hint="push it with: oras push NAME FILE")
    for layer in layers:
        title, digest, size, folded = _layer(layer, address)
        with registry.blob(address.reference.repository, digest, 0, max(size, 1)) as response:
            content = response.read(size) if size else b""
        if Digest.of(content) != digest:
            raise RecipeSourceError(f"{address.origin}: the registry sent something else for {title}: {digest}")
        if folded:
            yield from _unpacked(title, content, address)
        else:
            yield title, content


def _layer(layer: Any, address: OciAddress) -> tuple[str, Digest, int, bool]:
    layer = layer if isinstance(layer, dict) else {}
    annotations = layer.get("annotations")
    annotations = annotations if isinstance(annotations, dict) else {}
    title, size = annotations.get(_TITLE), layer.get("size")
    if not isinstance(title, str) or not title:
        raise RecipeSourceError(
            f"{address.origin} is no artifact with files: a layer has no {_TITLE}", hint="push it with: oras push"
        )
    if not isinstance(size, int) or not 0 <= size <= MAX_FILE_BYTES:
        raise RecipeSourceError(f"{address.origin}: {title:.100} has {size!r:.30} bytes; recipes are small")
    return title, Digest.parse(str(layer.get("digest"))), size, annotations.get(_UNPACK) == "true"


def _unpacked(title: str, content: bytes, address: OciAddress) -> Iterator[tuple[str, bytes]]:
    """Yield the regular files of a folder that ORAS packed; links and devices are left out."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            plain = packed.read(MAX_BYTES + 1)
        if len(plain) > MAX_BYTES:
            raise RecipeSourceError(f"{address.origin}: {title:.100} unpacks to more than {MAX_BYTES >> 20} MiB")
        with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isreg() else None
                if file is not None and member.size <= MAX_FILE_BYTES:
                    yield member.name.removeprefix("./"), file.read()
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise RecipeSourceError(f"{address.origin}: {title:.100} is no folder in a tar: {error}") from error
