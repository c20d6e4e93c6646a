"""Content addresses, layers and manifests: what a model is made of in a store.

Sources: Ollama ``manifest/manifest.go``, ``manifest/layer.go``, ``manifest/paths.go``.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import field
from typing import Self

from modelsmith.errors import InvalidDigest, StoreError
from modelsmith.fields import Fields
from modelsmith.gojson import GoStruct, encode
from modelsmith.patterns import regex
from modelsmith.records import dataclass

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
LIST_TYPE = "application/vnd.ollama.manifest.list.v2+json"
"""One name for several manifests, one a runner (Ollama 0.40 and later)."""
CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
_IMAGE = "application/vnd.ollama.image."
MODEL, ADAPTER, PROJECTOR, DRAFT = (_IMAGE + kind for kind in ("model", "adapter", "projector", "draft"))
TEMPLATE, PROMPT, SYSTEM = (_IMAGE + kind for kind in ("template", "prompt", "system"))
PARAMS, MESSAGES, LICENSE = (_IMAGE + kind for kind in ("params", "messages", "license"))

_DIGEST = regex(r"sha256:[0-9a-f]{64}")
MAX_MANIFEST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """The SHA-256 of some bytes. A Digest that exists is well formed, so it is safe in a path or a URL."""

    hex: str

    @classmethod
    def parse(cls, text: object) -> Self:
        """Read ``sha256:<64 lower-case hex>``; raises InvalidDigest for anything else (CVE-2024-37032)."""
        if not isinstance(text, str) or not _DIGEST.fullmatch(text):
            raise InvalidDigest(
                f"{text!r:.120} is not a digest", hint='a digest is "sha256:" and 64 lower-case hex digits'
            )
        return cls(text[7:])

    @classmethod
    def of(cls, data: bytes) -> Self:
        """Return the digest of ``data``."""
        return cls(hashlib.sha256(data).hexdigest())

    @property
    def file_name(self) -> str:
        """Return the name of the blob's file under ``blobs/``."""
        return f"sha256-{self.hex}"

    @property
    def short(self) -> str:
        """Return the first 12 digits, as ``ollama list`` prints them."""
        return self.hex[:12]

    def __str__(self) -> str:
        return f"sha256:{self.hex}"


@dataclass(frozen=True, slots=True)
class Layer:
    """A reference to a blob: what it is (``media_type``), its digest and its size in bytes."""

    media_type: str
    digest: Digest
    size: int
    source: str = ""  # JSON key "from": the short name of the model that the layer was taken from
    name: str = ""

    def to_json(self) -> GoStruct:
        """Return the JSON object, keys in Ollama's order."""
        data = GoStruct(mediaType=self.media_type, digest=str(self.digest), size=self.size)
        if self.source:
            data["from"] = self.source
        if self.name:
            data["name"] = self.name
        return data

    @classmethod
    def read(cls, said: Fields) -> Self:
        """Read one layer; raises StoreError or InvalidDigest where the shape is wrong."""
        if "size" not in said:
            raise said.wrong("size", "a number of bytes")
        digest = _digest(said)
        return cls(said.text("mediaType"), digest, said.count("size"), said.text("from"), said.text("name"))


@dataclass(frozen=True, slots=True)
class Manifest:
    """A model: a config blob and the layers in order."""

    config: Layer
    layers: tuple[Layer, ...]
    raw: bytes = field(default=b"", compare=False)

    def to_bytes(self) -> bytes:
        """Return the bytes that ``ollama create`` writes: Go's JSON and one line feed."""
        body = GoStruct(
            schemaVersion=2,
            mediaType=MANIFEST_TYPE,
            config=self.config.to_json(),
            layers=[layer.to_json() for layer in self.layers] or None,
        )
        return encode(body).encode() + b"\n"

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a manifest of a store or a registry; raises StoreError where it cannot be one."""
        if len(data) > MAX_MANIFEST_BYTES:
            raise StoreError(f"a manifest of {len(data)} bytes is larger than the limit of {MAX_MANIFEST_BYTES}")
        return cls.read(_object(data), data)

    @classmethod
    def read(cls, said: Fields, raw: bytes = b"") -> Self:
        """Read a manifest that was decoded; raises StoreError or InvalidDigest where it cannot be one."""
        if "config" not in said:
            raise said.wrong("config", "an object")
        layers = tuple(map(Layer.read, said.objects("layers")))
        return cls(Layer.read(said.object("config")), layers, raw)

    @property
    def digest(self) -> Digest:
        """Return what ``ollama list`` shows as ID: the digest of the manifest's file."""
        return Digest.of(self.raw or self.to_bytes())

    def of_type(self, media_type: str) -> tuple[Layer, ...]:
        """Return the layers of one media type, in order."""
        return tuple(layer for layer in self.layers if layer.media_type == media_type)

    @property
    def blobs(self) -> tuple[Layer, ...]:
        """Return every referenced blob once: the layers, then the config."""
        return tuple({layer.digest: layer for layer in (*self.layers, self.config)}.values())


@dataclass(frozen=True, slots=True)
class ManifestChild:
    """One build of a model in a list: for which ``runner``, and the manifest itself or the digest of the blob that holds it."""

    runner: str
    format: str
    digest: Digest | None
    manifest: Manifest | None

    @classmethod
    def read(cls, said: Fields) -> Self:
        """Read one entry of a list; raises StoreError or InvalidDigest where the shape is wrong."""
        runner, form = said.text("runner").strip().lower(), said.text("format")
        if said.text("mediaType") == LIST_TYPE:
            raise StoreError("a manifest list holds another list, which Ollama does not read")
        inline = "config" in said or "layers" in said
        digest = None if inline and "digest" not in said else _digest(said)
        return cls(runner, form, digest, Manifest.read(said) if inline else None)


_RUNNERS = ("ggml", "llamacpp", "", "mlx")


@dataclass(frozen=True, slots=True)
class ManifestList:
    """One name, several builds. Source: Ollama ``manifest/manifest.go`` on the branch with manifest lists."""

    children: tuple[ManifestChild, ...]
    raw: bytes = field(default=b"", compare=False)

    @property
    def preferred(self) -> ManifestChild:
        """Return the build that a machine without MLX runs."""
        return min(
            self.children, key=lambda child: _RUNNERS.index(child.runner) if child.runner in _RUNNERS else len(_RUNNERS)
        )


def read_manifest(data: bytes) -> Manifest | ManifestList:
    """Read what a manifest's file holds; raises StoreError or InvalidDigest where it can be neither."""
    if len(data) > MAX_MANIFEST_BYTES:
        raise StoreError(f"a manifest of {len(data)} bytes is larger than the limit of {MAX_MANIFEST_BYTES}")
    said = _object(data)
    if said.text("mediaType") != LIST_TYPE and ("manifests" not in said or "config" in said):
        return Manifest.read(said, data)
    entries = said.objects("manifests")
    if not entries:
        raise StoreError("the manifest list is empty")
    return ManifestList(tuple(map(ManifestChild.read, entries)), data)


def _digest(said: Fields) -> Digest:
    try:
        return Digest.parse(said.values.get("digest"))
    except InvalidDigest as error:
        raise InvalidDigest(said.wrong("digest", "a digest").message, hint=error.hint) from error


def _object(data: bytes) -> Fields:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"the manifest is not JSON: {error}") from error
    return Fields.of(body, "the manifest", StoreError)
