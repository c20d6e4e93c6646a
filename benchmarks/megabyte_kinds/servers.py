"""Servers, registries and hubs that answer a megabyte."""

from __future__ import annotations

import json
from typing import Any

from megabyte_kinds.kind import KINDS, MB, Kind, fill

_SHOW: dict[str, Any] = {
    "modelfile": "FROM x\n", "template": "{{ .Prompt }}", "parameters": "", "details": {"family": "llama", "format": "gguf"}, "model_info": {"general.architecture": "llama"},
    "capabilities": ["completion"],
}  # fmt: skip
_SERVED = (
    "list --store {url}",
    "store ls --store {url}",
    "show m --store {url}",
    "explain m --store {url}",
    "render m -u hi --store {url}",
    "plan force-think --set base=m --store {url}",
    "diff m m --store {url}",
    "doctor --store {url}",
    "try m hi --on {url}",
)


def served(name: str, **changed: Any) -> None:
    """Add a server whose /api/show or /api/tags is a megabyte."""
    row = {
        "name": "m:latest",
        "model": "m:latest",
        "size": 1,
        "digest": "a" * 64,
        "modified_at": "2026-01-01T00:00:00Z",
        "details": {},
    }
    tags = changed.pop("tags", {"models": [row]})
    chat = changed.pop("chat", b'{"message": {"role": "assistant", "content": "hi"}, "done": true}\n')
    answers = {"/api/version": b'{"version": "0.30.0"}', "/api/tags": tags if isinstance(tags, bytes) else json.dumps(tags).encode(),
               "/api/show": changed.pop("show", None) or json.dumps(_SHOW | changed).encode(), "/api/ps": b'{"models": []}',
               "/api/chat": chat}  # fmt: skip
    KINDS.append(Kind(f"server: {name}", lambda _folder: answers, _SERVED))


_ROW = {"size": 1, "digest": "a" * 64, "modified_at": "2026-01-01T00:00:00Z", "details": {}}
served(
    "models", tags={"models": [{"name": f"m{name}:latest", "model": f"m{name}:latest", **_ROW} for name in range(6000)]}
)
served("deep tags", tags=b"[" * 500_000)
served("a Modelfile of a megabyte", modelfile="FROM x\n" + fill("PARAMETER stop a{n}\n"))
served("a template of a megabyte", template=fill("{{ .Prompt }}"))
served("parameters", parameters=fill('stop "a{n}"\n'))
served("model_info", model_info={f"a.{name}": name for name in range(60_000)})
served("licenses", license=fill("MIT "))
served("messages", messages=[{"role": "user", "content": "hi"}] * 25_000)
served("capabilities", capabilities=[f"c{name}" for name in range(80_000)])
served("a deep show", show=b'{"a":' * 150_000)
served(
    "tokens of an answer",
    chat=b'{"message": {"role": "assistant", "content": "h"}, "done": false}\n' * 15_000
    + b'{"message": {"role": "assistant", "content": "i"}, "done": true}\n',
)
served("one long line", chat=b'{"message": {"role": "assistant", "content": "' + b"h" * MB + b'"}, "done": true}\n')

_REGISTRY = (
    "pull oci://{host}/a/b:c --insecure --store st",
    "pull oci://{host}/a/b:c --insecure --store st --dry-run",
    "copy oci://{host}/a/b:c dir:out --insecure",
    "plan force-think --set base=oci://{host}/a/b:c",
    "list --store st",
)


def registry(name: str, manifest: bytes, config: bytes = b"{}") -> None:
    """Add a registry."""
    answers = {"/v2/": b"{}", "/v2/a/b/manifests/c": manifest, "/v2/a/b/tags/list": config, "*": config}
    KINDS.append(Kind(f"registry: {name}", lambda _folder: answers, _REGISTRY))


_LAYER = {"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:" + "a" * 64, "size": 5}
registry(
    "layers",
    json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": _LAYER,
            "layers": [_LAYER | {"digest": f"sha256:{name:064x}"} for name in range(6000)],
        }
    ).encode(),
)
registry("a deep manifest", b'{"a":' * 150_000)
registry(
    "an index",
    json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [_LAYER | {"digest": f"sha256:{name:064x}"} for name in range(6000)],
        }
    ).encode(),
)
registry("words", fill("word ").encode())
registry("errors", ('{"errors": [' + fill('{"code": "DENIED", "message": "no {n}"}, ') + "{}]}").encode())

_HUB = (
    "pull hf://a/b:Q4_K_M --store st --dry-run",
    "plan import-gguf --set base=hf://a/b:Q4_K_M",
    "inspect hf://a/b",
    "fit {url}/m.gguf --vram 8G",
    "lora inspect hf://a/b",
)


def hub(name: str, tree: Any, card: Any = None) -> None:
    """Add a Hub."""
    info = {"id": "a/b", "sha": "c" * 40, "siblings": [], **(card or {})}
    listing = tree if isinstance(tree, bytes) else json.dumps(tree).encode()
    answers = {
        "/api/models/a/b": json.dumps(info).encode(),
        "/api/models/a/b/revision/main": json.dumps(info).encode(),
        "*": listing,
    }
    KINDS.append(Kind(f"hub: {name}", lambda _folder: answers, _HUB))


hub("files", [{"type": "file", "path": f"m{name}.gguf", "size": 5, "oid": "a" * 40} for name in range(12_000)])
hub("a deep tree", b"[" * 500_000)
hub("siblings", [], {"siblings": [{"rfilename": f"m{name}.gguf"} for name in range(30_000)]})
hub("words", fill("word ").encode())
