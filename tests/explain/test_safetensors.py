"""A stored model whose weights are Safetensors: nothing is said of a GGUF that is not there."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from fakes.ollama import FakeOllama, Fault

from modelsmith.errors import Unsupported
from modelsmith.explain.explanation import explain_model
from modelsmith.recipe.plan.plan import plan
from modelsmith.recipe.read.load import parse_recipe
from modelsmith.store.local.local import LocalStore
from modelsmith.store.ollama.ollama import OllamaStore

GO = "{{ range .Messages }}[{{ .Role }}]{{ .Content }}{{ end }}[assistant]"


def stored(folder: Path, template: str) -> LocalStore:
    """Return a store with a model as `ollama create --experimental` leaves it."""

    def layer(kind: str, data: bytes) -> dict[str, object]:
        digest = hashlib.sha256(data).hexdigest()
        (folder / "blobs").mkdir(parents=True, exist_ok=True)
        (folder / "blobs" / f"sha256-{digest}").write_bytes(data)
        return {"mediaType": f"application/vnd.{kind}", "digest": f"sha256:{digest}", "size": len(data)}

    config = {"model_format": "safetensors", "model_family": "qwen3", "file_type": "BF16"}
    layers = [layer("ollama.image.tensor", b"x" * 64) | {"name": "model.embed_tokens.weight"}]
    layers += [layer("ollama.image.json", b"{}") | {"name": "config.json"}]
    layers += [layer("ollama.image.template", template.encode())] if template else []
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": layer("docker.container.image.v1+json", json.dumps(config).encode()),
        "layers": layers,
    }
    place = folder / "manifests" / "registry.ollama.ai" / "library" / "st" / "latest"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps(manifest))
    return LocalStore(folder)


@pytest.mark.parametrize("template", ["", GO])
def test_no_way_leads_through_a_gguf(tmp_path: Path, template: str) -> None:
    explanation = explain_model("st", stored(tmp_path, template))
    assert not any("GGUF" in way for way in explanation.effective.ways)
    assert any(note.startswith("the weights are Safetensors: there is no GGUF") for note in explanation.notes)


def test_a_server_says_so_too(tmp_path: Path) -> None:
    with FakeOllama(tmp_path) as server:
        answer = {"template": GO, "modelfile": f"FROM st\nTEMPLATE {GO}\n", "details": {"format": "safetensors"}}
        server.faults["/api/show"] = Fault.raw(json.dumps(answer), status=200)
        explanation = explain_model("st", OllamaStore(server.url))
    assert not any("GGUF" in text for text in explanation.effective.ways)
    assert not any("cannot be read from here" in note for note in explanation.notes)


def test_a_recipe_cannot_edit_it(tmp_path: Path) -> None:
    recipe = parse_recipe('{"name": "r", "from": "st", "gguf": {"set": {"general.name": "x"}}, "create": "made"}')
    with pytest.raises(Unsupported, match="Safetensors, and there is no GGUF"):
        plan(recipe.resolve({}), stored(tmp_path, GO))
