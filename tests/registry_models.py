"""Small models for the tests of registries: blobs of any bytes under a manifest as Ollama writes it."""

from __future__ import annotations

import functools
import hashlib
import random
from pathlib import Path

from fakes.registry import FakeRegistry

from modelsmith.http.response import Limits
from modelsmith.manifest import CONFIG_TYPE, MANIFEST_TYPE, MODEL, SYSTEM, TEMPLATE, Digest, Layer, Manifest
from modelsmith.name import ModelName
from modelsmith.registry.access import Access
from modelsmith.registry.moving import Mover
from modelsmith.registry.reference import Folder
from modelsmith.store.local.local import LocalStore

PATIENT = Limits(pause_seconds=0.01, tries=3)
"""A machine with much to do answers late; nobody waits for a test to fail."""
NAME = ModelName.parse("toy")


@functools.cache
def some_bytes(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def access(**others: object) -> Access:
    return Access(**{"insecure": True, "limits": PATIENT, **others})  # type: ignore[arg-type]


def toy(size: int = 300_000, seed: int = 1, with_empty: bool = True) -> tuple[Manifest, dict[Digest, bytes]]:
    """Return a model: its manifest as bytes that ``ollama create`` writes, and its blobs."""
    parts = [(MODEL, some_bytes(size, seed)), (TEMPLATE, b"{{ .Prompt }}"), (SYSTEM, b"Be brief.")]
    parts += [(MODEL, b"")] if with_empty else []
    layers = tuple(Layer(kind, Digest.of(data), len(data)) for kind, data in parts)
    config = b'{"model_format":"gguf"}\n'
    manifest = Manifest(Layer(CONFIG_TYPE, Digest.of(config), len(config)), layers)
    blobs = {Digest.of(data): data for _, data in parts} | {Digest.of(config): config}
    return Manifest.from_bytes(manifest.to_bytes()), blobs


def store_with(folder: Path, name: ModelName = NAME, size: int = 300_000, with_empty: bool = True) -> LocalStore:
    """Return a store that has the toy."""
    manifest, blobs = toy(size, with_empty=with_empty)
    place = folder.with_name(f"{folder.name}-dir")
    place.mkdir()
    for digest, data in blobs.items():
        (place / digest.hex).write_bytes(data)
    (place / "manifest.json").write_bytes(manifest.raw)
    store = LocalStore(folder)
    with Mover(access()) as mover:
        mover.pull(Folder(place), store, name)
    return store


def offer(registry: FakeRegistry, repository: str = "team/toy", tag: str = "latest", size: int = 300_000) -> Manifest:
    """Put the toy into a registry."""
    manifest, blobs = toy(size)
    for data in blobs.values():
        registry.put_blob(repository, data)
    digest = f"sha256:{hashlib.sha256(manifest.raw).hexdigest()}"
    registry.manifests[repository, tag] = registry.manifests[repository, digest] = (MANIFEST_TYPE, manifest.raw)
    return manifest


def files(folder: Path) -> dict[str, bytes]:
    """Return the models and blobs that are in a store's folder."""
    places = [folder / "manifests", folder / "blobs"]
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for place in places
        for path in place.rglob("*")
        if path.is_file()
    }
