"""Manifests as registries keep them: Ollama's (docker's schema 2), and OCI image manifests of the same blobs.

An OCI manifest that is written here carries Ollama's own one as an annotation, so that it comes back byte for byte.
Sources: OCI image spec 1.1 (manifest.md, annotations.md), distribution ``docs/spec/manifest-v2-2.md``.
"""

from __future__ import annotations

import json
from typing import Any

from modelsmith.errors import DigestMismatch, InvalidDigest, StoreError
from modelsmith.fields import Fields
from modelsmith.gojson import GoStruct, encode
from modelsmith.manifest import CONFIG_TYPE, MANIFEST_TYPE, MAX_MANIFEST_BYTES, Digest, Layer, Manifest
from modelsmith.records import dataclass

OCI_TYPE = "application/vnd.oci.image.manifest.v1+json"
ACCEPTED = f"{MANIFEST_TYPE}, {OCI_TYPE}, application/vnd.oci.image.index.v1+json"
_LISTS = frozenset(
    ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
)
_ORIGINAL = "io.modelsmith.ollama.manifest"
_TITLE = "org.opencontainers.image.title"
_OLLAMA = "application/vnd.ollama.image."
MAX_LAYERS = 16_384
_MAX_SIZE = 1 << 50  # a petabyte; whoever announces more wants to see what happens


@dataclass(frozen=True, slots=True)
class Document:
    """A manifest as it goes over the wire: its bytes and what they are."""

    data: bytes
    media_type: str

    @property
    def digest(self) -> Digest:
        """The digest of the bytes."""
        return Digest.of(self.data)


def read_document(data: bytes, where: str) -> Manifest:
    """Read a manifest of a registry into Ollama's form; raises StoreError, with ``where`` it came from.

    Refused: what is too large, duplicate keys, digests that are none, one blob with two sizes, lists of manifests.
    """
    try:
        return _read(data)
    except (StoreError, InvalidDigest) as error:
        raise StoreError(f"the manifest of {where} is refused: {error}", hint=error.hint) from error


def _read(data: bytes) -> Manifest:
    if len(data) > MAX_MANIFEST_BYTES:
        raise StoreError(f"it is larger than {MAX_MANIFEST_BYTES} bytes")
    try:
        body = json.loads(data, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"it is not JSON: {error}") from error
    said = Fields.of(body, "it", StoreError)
    kind = said.text("mediaType")
    if kind in _LISTS or "manifests" in body:
        raise StoreError("it is a list of manifests", hint="name one of them: oci://HOST/NAME@sha256:…")
    if body.get("schemaVersion") != 2:
        raise StoreError(f"its schemaVersion is {body.get('schemaVersion')!r:.40} instead of 2")
    if (count := len(said.objects("layers"))) > MAX_LAYERS:
        raise StoreError(f"it has {count} layers; {MAX_LAYERS} are allowed")
    manifest = Manifest.from_bytes(data)
    _check(manifest)
    if kind != OCI_TYPE:
        return manifest
    return _original(said, manifest)


def _check(manifest: Manifest) -> None:
    sizes: dict[Digest, int] = {}
    for layer in (*manifest.layers, manifest.config):
        if layer.size > _MAX_SIZE:
            raise StoreError(f"blob {layer.digest} has {layer.size} bytes, which cannot be")
        if sizes.setdefault(layer.digest, layer.size) != layer.size:
            raise StoreError(f"blob {layer.digest} has two sizes, {sizes[layer.digest]} and {layer.size}")


def check_is_model(manifest: Manifest, where: str) -> None:
    """Raise StoreError where a manifest is not that of a model of Ollama."""
    kinds = {layer.media_type for layer in manifest.layers}
    if not any(kind.startswith(_OLLAMA) for kind in kinds):
        shown = ", ".join(sorted(kinds)[:3]) or "none"
        raise StoreError(f"{where} is no model for Ollama: its layers are {shown:.300}")


def write_document(manifest: Manifest, *, oci: bool) -> Document:
    """Return what is pushed: the manifest as it is stored, or an OCI manifest of the same blobs that carries it."""
    original = manifest.raw or manifest.to_bytes()
    if not oci:
        return Document(original, MANIFEST_TYPE)
    body = GoStruct(
        schemaVersion=2,
        mediaType=OCI_TYPE,
        config=GoStruct(mediaType=CONFIG_TYPE, digest=str(manifest.config.digest), size=manifest.config.size),
        layers=[_descriptor(layer) for layer in manifest.layers],
        annotations={_ORIGINAL: original.decode()},
    )
    return Document(encode(body).encode(), OCI_TYPE)


def _descriptor(layer: Layer) -> GoStruct:
    entry = GoStruct(mediaType=layer.media_type, digest=str(layer.digest), size=layer.size)
    if layer.name:
        entry["annotations"] = {_TITLE: layer.name}
    return entry


def _original(said: Fields, manifest: Manifest) -> Manifest:
    """Return Ollama's manifest that an OCI one carries; one in Ollama's form where it carries none."""
    annotations = said.object("annotations")
    if _ORIGINAL not in annotations:
        return Manifest.from_bytes(Manifest(manifest.config, manifest.layers).to_bytes())
    original = Manifest.from_bytes(annotations.text(_ORIGINAL).encode())
    _check(original)
    if _blobs(original) != _blobs(manifest):
        raise DigestMismatch(f"its annotation {_ORIGINAL} names other blobs than its layers")
    return original


def _blobs(manifest: Manifest) -> list[tuple[Digest, int]]:
    return [(layer.digest, layer.size) for layer in (*manifest.layers, manifest.config)]


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object; two keys of one name could be read one way here and another way elsewhere."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise StoreError(f"the key {key!r:.60} occurs twice in one object")
        found[key] = value
    return found
