"""Stores and bundles with a megabyte of texts, layers or names."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

from megabyte_kinds.gguf_bytes import string
from megabyte_kinds.kind import KINDS, LOOP, Kind, fill, kind, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_STORE = (
    "list --store st",
    "list --store st --json",
    "store ls --store st",
    "store fsck --store st",
    "store gc --store st --dry-run",
    "store dedupe st --dry-run",
    "store doctor --store st",
    "show m --store st",
    "explain m --store st",
    "render m -u hi --store st",
    "plan force-think --set base=m --store st",
    "cp m copied --store st",
    "export m -o m.tar --store st --dry-run",
    "diff m m --store st",
    "verify m --store st",
    "rm m --store st --yes",
    "push m dir:out --store st",
)


def store(
    name: str, make_layers: Callable[[], list[tuple[str, bytes]]], config: bytes = b"{}", models: int = 1
) -> None:
    """Add a store with a model of these layers."""

    def make(folder: Path) -> None:
        _store(folder / "st", make_layers(), config, models)

    KINDS.append(Kind(f"store: {name}", make, _STORE))


def _blob(place: Path, kind_of_layer: str, content: bytes) -> dict[str, Any]:
    import hashlib

    digest = hashlib.sha256(content).hexdigest()
    (place / "blobs" / f"sha256-{digest}").write_bytes(content)
    return {
        "mediaType": f"application/vnd.ollama.image.{kind_of_layer}",
        "digest": f"sha256:{digest}",
        "size": len(content),
    }


def _store(place: Path, layers: list[tuple[str, bytes]], config: bytes, models: int) -> None:
    (place / "blobs").mkdir(parents=True)
    names = place / "manifests/registry.ollama.ai/library"
    rows = [_blob(place, kind_of_layer, content) for kind_of_layer, content in layers]
    settings = _blob(place, "config", config) | {"mediaType": "application/vnd.docker.container.image.v1+json"}
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": settings,
        "layers": rows,
    }
    for number_ in range(models):
        path = names / ("m" if not number_ else f"m{number_}") / "latest"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(manifest))


def _model_layer() -> tuple[str, bytes]:
    head = (
        b"GGUF"
        + struct.pack("<IQQ", 3, 0, 2)
        + string("general.architecture", "llama")
        + string("tokenizer.chat_template", LOOP)
    )
    return "model", head + bytes(-len(head) % 32)


store("params", lambda: [_model_layer(), ("params", ("{" + fill('"k{n}": 1, ') + '"z": 1}').encode())])
store("stops", lambda: [_model_layer(), ("params", ('{"stop": [' + fill('"<{n}>", ') + '"z"]}').encode())])
store("deep params", lambda: [_model_layer(), ("params", b"[" * 500_000)])
store("a system", lambda: [_model_layer(), ("system", fill("be kind ").encode())])
store("a template", lambda: [_model_layer(), ("template", fill("{{ .Prompt }}").encode())])
store(
    "messages",
    lambda: [
        _model_layer(),
        (
            "messages",
            ("[" + fill('{"role": "user", "content": "hi"}, ') + '{"role": "user", "content": "z"}]').encode(),
        ),
    ],
)
store("licenses", lambda: [_model_layer(), *(("license", f"MIT {name}".encode()) for name in range(4000))])
store("layers", lambda: [_model_layer(), *(("adapter", f"{name}".encode()) for name in range(4000))])
store("a long configuration", lambda: [_model_layer()], ("{" + fill('"k{n}": 1, ') + '"z": 1}').encode())
store("capabilities", lambda: [_model_layer()], ('{"capabilities": [' + fill('"c{n}", ') + '"z"]}').encode())
store("3,000 models", lambda: [_model_layer()], models=3000)


@kind("store: a manifest of a megabyte", *_STORE)
def _big_manifest(folder: Path) -> None:
    _store(folder / "st", [_model_layer()], b"{}", 1)
    path = folder / "st/manifests/registry.ollama.ai/library/m/latest"
    manifest = json.loads(path.read_text())
    manifest["layers"] = manifest["layers"] * 5500
    path.write_text(json.dumps(manifest))


@kind("store: a deep manifest", *_STORE)
def _deep_manifest(folder: Path) -> None:
    _store(folder / "st", [_model_layer()], b"{}", 1)
    text(folder, "st/manifests/registry.ollama.ai/library/m/latest", '{"a":' * 150_000)


_BUNDLE = ("load b.tar --list", "load b.tar --store st")


@kind("bundle: many entries", *_BUNDLE)
def _bundle(folder: Path) -> None:
    import io
    import tarfile

    with tarfile.open(folder / "b.tar", "w") as tar:
        for name in range(1800):
            tar.addfile(tarfile.TarInfo(f"blobs/sha256/{name:064x}"), io.BytesIO())


@kind("bundle: an index of a megabyte", *_BUNDLE)
def _index(folder: Path) -> None:
    import io
    import tarfile

    row = {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": "sha256:" + "a" * 64,
        "size": 5,
        "annotations": {"org.opencontainers.image.ref.name": "m"},
    }
    with tarfile.open(folder / "b.tar", "w") as tar:
        for name, data in (
            ("oci-layout", b'{"imageLayoutVersion": "1.0.0"}'),
            ("index.json", json.dumps({"schemaVersion": 2, "manifests": [row] * 4500}).encode()),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


@kind("bundle: words", *_BUNDLE)
def _no_bundle(folder: Path) -> None:
    text(folder, "b.tar", fill("word "))
