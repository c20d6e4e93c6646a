"""Digests, layers and manifests."""

from __future__ import annotations

import json

import pytest
from shared import conformance, needs_shared

from modelsmith.errors import InvalidDigest, StoreError
from modelsmith.manifest import CONFIG_TYPE, MODEL, TEMPLATE, Digest, Layer, Manifest

A = "sha256:" + "a" * 64


def test_known_manifest_bytes() -> None:
    manifest = Manifest(
        Layer(CONFIG_TYPE, Digest("99759ad5b91e723db0393d698ffbb448b1b7df5ff6377a108c49254583b1bc8c"), 147),
        (
            Layer(MODEL, Digest("89a2116c3a82d6a97f59f748d86ed4417214353fd178ee54df418fde32495fad"), 68),
            Layer(TEMPLATE, Digest.of(b"{{ .Prompt }}"), 13),
        ),
    )
    assert len(manifest.to_bytes()) == 555
    assert str(manifest.digest) == "sha256:6375396d1a4fe5dc60af8c8921245ffc3acf7c627cb1ad63281e4c52ba87fa24"
    assert Manifest.from_bytes(manifest.to_bytes()) == manifest


@pytest.mark.parametrize(
    "text", ["", "sha256:", A.upper(), A + "a", A[:-1], A.replace(":", "-"), "../../etc/passwd", None, 7, A + "\n"]
)
def test_only_a_digest_is_a_digest(text: object) -> None:
    with pytest.raises(InvalidDigest, match="is not a digest"):
        Digest.parse(text)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "is \\[\\], not an object"),
        (b'{"layers":{}}', "config is null, not an object"),
        (b'{"layers":{"a":1},"config":{}}', "layers is an object, not a list"),
        (b'{"layers":[1],"config":{}}', "layers\\[0\\] is 1, not an object"),
        (
            json.dumps({"config": {"digest": A, "size": -1}}).encode(),
            "config.size is -1, not a whole number of 0 or more",
        ),
        (json.dumps({"config": {"digest": A, "size": True}}).encode(), "config.size is true, not a whole"),
        (
            json.dumps({"config": {"digest": "sha256:../x", "size": 1}}).encode(),
            'config.digest is "sha256:../x", not a digest',
        ),
        (json.dumps({"config": {"digest": A, "size": 1, "from": 3}}).encode(), "config.from is 3, not a text"),
        (b" " * (5 << 20), "larger than the limit"),
    ],
)
def test_hostile_manifests_are_refused(data: bytes, message: str) -> None:
    with pytest.raises((StoreError, InvalidDigest), match=message):
        Manifest.from_bytes(data)


@needs_shared
def test_recorded_manifests_are_rewritten_byte_for_byte() -> None:
    manifests = [
        (row["manifest"].encode(), row["manifest_sha256"]) for row in conformance("create.jsonl") if row.get("manifest")
    ]
    assert len(manifests) == 28
    for data, digest in manifests:
        assert Manifest.from_bytes(data).to_bytes() == data
        assert Manifest.from_bytes(data).digest.hex == digest
