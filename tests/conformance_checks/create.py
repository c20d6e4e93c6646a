"""``create`` against the recorded answers of a real Ollama: the same manifests, the same blobs, the same refusals."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from local_stores import real_gguf
from shared import conformance

from modelsmith.errors import ModelNotFound, ModelsmithError
from modelsmith.manifest import Digest
from modelsmith.store.local.local import LocalStore

GGUF_DIGEST = "sha256:b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def check_manifests(gguf: Path) -> tuple[int, int, list[str]]:
    """Create every recorded model, in order, in a fresh folder; compare manifests, small blobs and refusals."""
    return _run(gguf, _compare_stored)


def check_shown(gguf: Path) -> tuple[int, int, list[str]]:
    """Create the same models and compare what ``show`` says with what ``/api/show`` said."""
    return _run(gguf, _compare_shown)


def check_modelfiles(gguf: Path) -> tuple[int, int, list[str]]:
    """Create the same models from their Modelfiles instead of their requests."""
    from modelsmith.store.model import CreateRequest
    from modelsmith.syntax.modelfile.modelfile import Modelfile
    from modelsmith.weights.blobs.blob import FileBlob

    agree, differences = 0, []
    rows = list(conformance("create.jsonl"))
    with tempfile.TemporaryDirectory() as folder:
        store = LocalStore(Path(folder) / "models")
        (Path(folder) / "model.gguf").symlink_to(gguf)
        for row in rows:
            modelfile = Modelfile.parse(row["modelfile"].replace("@gguf", "./model.gguf"))
            try:
                resolved = modelfile.resolve(Path(folder))
                files = {name: FileBlob(path) for name, path in resolved.files.items()}
                store.create(row["case"], CreateRequest(resolved.fields, files))
                error = None
            except ModelsmithError as caught:
                error = caught
            difference = _compare_stored(store, row, error)
            agree += not difference
            if difference:
                differences.append(f"{row['case']}: {difference}")
    return agree, len(rows), differences


def _run(gguf: Path, compare: Any) -> tuple[int, int, list[str]]:
    agree, differences = 0, []
    rows = list(conformance("create.jsonl"))
    with tempfile.TemporaryDirectory() as folder:
        store = LocalStore(Path(folder) / "models")
        for row in rows:
            try:
                store.create(row["case"], row["request"], blobs={GGUF_DIGEST: gguf})
                error = None
            except ModelsmithError as caught:
                error = caught
            difference = compare(store, row, error)
            agree += not difference
            if difference:
                differences.append(f"{row['case']}: {difference}")
    return agree, len(rows), differences


def _compare_stored(store: LocalStore, row: dict[str, Any], error: ModelsmithError | None) -> str:
    if "manifest" not in row:
        return _compare_refusal(row, error)
    if error is not None:
        return f"refused: {error}"
    path = store.layout.manifest_path(store.show(row["case"]).name)
    stored = path.read_bytes()
    if stored.decode() != row["manifest"] or Digest.of(stored).hex != row["manifest_sha256"]:
        return f"manifest {stored.decode()}"
    for digest, text in row["blobs"].items():
        blob = store.blob_path(digest)
        if not blob.is_file() or blob.read_bytes() != text.encode():
            return f"blob {digest}"
    return ""


def _compare_refusal(row: dict[str, Any], error: ModelsmithError | None) -> str:
    refusal = row["stream"][-1]["error"]
    if error is None:
        return f"accepted; Ollama said {refusal}"
    if refusal.startswith("pull model manifest"):
        # Ollama tries to pull a model that is missing; a folder has nobody to ask
        return "" if isinstance(error, ModelNotFound) else f"refused differently: {error}"
    return "" if error.message == refusal else f"refused with {error.message!r}, not {refusal!r}"


def _compare_shown(store: LocalStore, row: dict[str, Any], error: ModelsmithError | None) -> str:
    if "show" not in row:
        return _compare_refusal(row, error)
    if error is not None:
        return f"refused: {error}"
    shown, model = row["show"], store.show(row["case"])
    pairs = {
        "capabilities": (set(model.capabilities), set(shown["capabilities"])),
        "template": (model.template, shown["template"]),
        "system": (model.system, shown["system"] or ""),
        "license": ("\n".join(model.licenses), shown["license"] or ""),
        "messages": ([dict(message) for message in model.messages], shown["messages"] or []),
        "requires": (model.requires, shown["requires"] or ""),
        "family": (model.family, shown["details"]["family"]),
    }
    return "; ".join(f"{key} {ours!r}, not {theirs!r}" for key, (ours, theirs) in pairs.items() if ours != theirs)


_GGUF = real_gguf()
CHECKS = (
    {}
    if _GGUF is None
    else {
        "create: manifests and blobs": lambda: check_manifests(_GGUF),
        "create: from the Modelfiles": lambda: check_modelfiles(_GGUF),
        "create: show": lambda: check_shown(_GGUF),
    }
)
