"""What servers, registries, hubs and folders say in another type than they should: told with the field, never read as nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from odd_values import nulls, other_types

from modelsmith.engines.openai import OpenAIEngine
from modelsmith.errors import ModelsmithError, ServerError, StoreError
from modelsmith.fields import Fields
from modelsmith.manifest import read_manifest
from modelsmith.registry.documents import read_document
from modelsmith.store.foreign import read_config, read_messages, read_parameters
from modelsmith.store.ollama.ollama import OllamaStore
from modelsmith.store.ollama.show import read_show

DIGEST = "sha256:" + "a" * 64
LAYER = {"mediaType": "application/vnd.ollama.image.model", "digest": DIGEST, "size": 5}
MANIFEST = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
    "config": {**LAYER, "mediaType": "application/vnd.docker.container.image.v1+json", "digest": "sha256:" + "b" * 64},
    "layers": [LAYER, {**LAYER, "digest": "sha256:" + "c" * 64, "from": "x", "name": "y"}],
}
OCI = {**MANIFEST, "mediaType": "application/vnd.oci.image.manifest.v1+json", "annotations": {"a": "b"}}
LIST = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.ollama.manifest.list.v2+json",
    "manifests": [{"runner": "ggml", "format": "gguf", "mediaType": "m", "digest": DIGEST}],
}
SHOW = {
    "modelfile": "FROM x\n",
    "template": "{{ .Prompt }}x",
    "parameters": 'stop "a"',
    "system": "s",
    "license": "MIT",
    "details": {"family": "llama", "format": "gguf", "parent_model": "p"},
    "messages": [{"role": "user", "content": "hi"}],
    "capabilities": ["completion", "tools"],
    "renderer": "r",
    "parser": "p",
    "requires": "0.12.0",
    "remote_model": "m",
    "remote_host": "h",
}
CONFIG = {
    "model_format": "gguf",
    "model_family": "llama",
    "model_families": ["llama"],
    "model_type": "8B",
    "file_type": "Q4_0",
    "renderer": "r",
    "parser": "p",
    "requires": "0.12.0",
    "capabilities": ["tools"],
}
TAGS = {"models": [{"name": "m:latest", "size": 5, "digest": "a" * 64, "modified_at": "2026-01-01T00:00:00Z"}]}


def refused(message: str) -> StoreError:
    return StoreError(message)


class Said(OllamaStore):
    """A server that answers each question with the same."""

    def __init__(self, answers: dict[str, Any]) -> None:
        super().__init__("http://there:1")

        def ask(_method: str, path: str, _body: object = None, *, seconds: float | None = 60.0) -> dict[str, Any]:
            del seconds
            found = answers[path]
            if not isinstance(found, dict):
                raise ServerError("did not answer with a JSON object")
            return found

        self._http.ask = ask  # type: ignore[method-assign]


def engine(answers: dict[str, Any]) -> OpenAIEngine:
    made = OpenAIEngine("http://there:1", "m")
    made.ask = lambda _method, path, _body=None: answers[path]  # type: ignore[method-assign]
    return made


@dataclass(frozen=True)
class Reader:
    """Something right, and what reads it."""

    right: Any
    read: Callable[[Any], Any]
    any_number: bool = False


READERS = {
    "/api/show": Reader(SHOW, lambda value: read_show(Fields.of(value, "it", refused))),
    "/api/tags": Reader(TAGS, lambda value: Said({"/api/tags": value}).listing()),
    "/api/version": Reader({"version": "0.30.0"}, lambda value: Said({"/api/version": value}).ollama_version()),
    "config": Reader(CONFIG, lambda value: read_config(Fields.of(value, "it", refused).values, "it")),
    "parameters": Reader(
        {"stop": ["a"], "num_ctx": 4, "use_mmap": True},
        lambda value: read_parameters(Fields.of(value, "it", refused).values, "it"),
        any_number=True,
    ),
    "messages": Reader([{"role": "user", "content": "hi"}], lambda value: read_messages(value, "it")),
    "manifest": Reader(MANIFEST, lambda value: read_manifest(json.dumps(value).encode())),
    "manifest list": Reader(LIST, lambda value: read_manifest(json.dumps(value).encode())),
    "registry": Reader(MANIFEST, lambda value: read_document(json.dumps(value).encode(), "it")),
    "registry, OCI": Reader(OCI, lambda value: read_document(json.dumps(value).encode(), "it")),
}


@pytest.mark.parametrize("name", READERS)
def test_wrong_types_are_told(name: str) -> None:
    """A value of another type is an error that names its field, or nothing of what is read depends on it."""
    reader = READERS[name]
    right = comparable(reader.read(reader.right))
    told = 0
    for path, odd in other_types(reader.right, numbers=not reader.any_number):
        found, error = outcome(reader, odd)
        if error:
            told += 1
            names = {re.sub(r"\[\d+\]", "", path).rpartition(".")[2], re.split(r"[.\[]", path)[0].rstrip("s")}
            assert path == "the whole" or any(name in error for name in names), f"{path}: {error}"
        else:
            assert found == right, f"{path} of another type was read as something: {odd}"
    assert told
    for odd in nulls(reader.right):
        outcome(reader, odd)


def outcome(reader: Reader, value: Any) -> tuple[str, str]:
    """Return what was read, or the refusal; any other error is a bug."""
    try:
        return comparable(reader.read(value)), ""
    except ModelsmithError as error:
        return "", error.message


def comparable(value: Any) -> str:
    """Return what was read, without the bytes that it was read from."""
    return re.sub(r"raw=b('|\").*?\1\)", "raw)", repr(value))
