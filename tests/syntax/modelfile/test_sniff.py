"""What files look like by their first bytes."""

from __future__ import annotations

import pytest

from modelsmith.syntax.modelfile.sniff import content_type


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"", "text/plain"),
        (b'{"a": 1}', "text/plain"),
        (b"\x1b[0m", "text/plain"),
        (b"version https://git-lfs.github.com/spec/v1\n", "text/plain"),
        (b"\xef\xbb\xbf\0", "text/plain"),
        (b"\xff\xfe\0\0", "text/plain"),
        (b"GGUF\x03\0\0\0", "application/octet-stream"),
        (b"\x08\0\0\0\0\0\0\0{}", "application/octet-stream"),
        (b"PK\x03\x04", "application/zip"),
        (b" \n<!doctype html>", "text/html"),
        (b"<a>", "text/html"),
        (b"<ab>", "text/plain"),
        (b"<?xml", "text/xml"),
        (b"\x1f\x8b\x08", "application/x-gzip"),
        (b"\0\0\0\x18ftypxxxx0000mp42isom", "video/mp4"),
        (b"\0\0\0\x0cftypmp4", "application/octet-stream"),
        (b"a" * 512 + b"\0", "text/plain"),
        (b"a" * 511 + b"\0", "application/octet-stream"),
    ],
)
def test_types(start: bytes, kind: str) -> None:
    assert content_type(start) == kind
