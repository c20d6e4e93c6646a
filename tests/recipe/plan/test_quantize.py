"""The recipe key ``quantize``: planned to the byte, made once, the same file that ``gguf quantize`` writes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyllama_oracle import copied, needs_llama_cpp
from fakes.ollama import FakeOllama
from quantize_oracle import needs_ggml

from modelsmith.errors import RecipeError, Unsupported
from modelsmith.memo import remembering
from modelsmith.recipe.plan.apply import apply
from modelsmith.recipe.plan.plan import Plan, plan
from modelsmith.recipe.read.load import parse_recipe
from modelsmith.store import Store
from modelsmith.store.local.local import LocalStore
from modelsmith.store.ollama.ollama import OllamaStore
from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.sample import SampleShape, write_sample
from modelsmith.weights.quantize.quantize import quantize
from modelsmith.weights.quantize.run import Quantizer

pytestmark = needs_ggml


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    shape = SampleShape(blocks=1, embedding=256, feed_forward=256)
    path = write_sample(tmp_path / "m.gguf", shape=shape, chat_template="{{ messages[0].content }}")
    return settled(path)


def settled(path: Path) -> Path:
    """Make a file a minute old: what was written this moment could change unnoticed, so nothing is remembered of it."""
    os.utime(path, (time.time() - 60,) * 2)
    return path


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count how often a model is quantized."""
    counted: list[int] = []
    chunks = Quantizer.chunks

    def counting(self: Quantizer) -> Iterator[memoryview]:
        counted.append(1)
        return chunks(self)

    monkeypatch.setattr(Quantizer, "chunks", counting)
    return counted


def planned(store: Store, base: str | Path, text: str = "quantize: Q4_K_M", **more: Path) -> Plan:
    recipe = f"name: small\ninputs: {{base: {{}}}}\nfrom: ${{base}}\n{text}\ncreate: small\n"
    return plan(parse_recipe(recipe).resolve({"base": str(base)}), store, **more)


def test_in_a_folder(model: Path, tmp_path: Path, runs: list[int]) -> None:
    store = LocalStore(tmp_path / "models")
    made = planned(store, model)
    layer = made.preview.layers[0]
    assert (layer.how, layer.digest) == ("quantize", None)
    assert any(note.startswith("quantize: 9 of 12 tensors change") for note in made.after.notes)
    assert not runs
    assert apply(made).changed
    assert len(runs) == 1
    stored = store.show("small")
    assert stored.weights is not None
    assert stored.weights.stat().st_size == layer.size
    quantize(model, tmp_path / "file.gguf", "Q4_K_M")
    assert stored.weights.read_bytes() == (tmp_path / "file.gguf").read_bytes()
    again = planned(store, model)
    assert not again.changes
    assert again.preview.layers[0].how == "exists"
    assert not apply(again).changed
    assert len(runs) == 2  # the second was quantize() above


@needs_llama_cpp
def test_ollama_would_keep_the_bytes(model: Path, tmp_path: Path) -> None:
    quantize(model, tmp_path / "file.gguf", "Q4_K_M")
    assert copied(tmp_path / "file.gguf") == [(tmp_path / "file.gguf").read_bytes()]


def test_on_a_server(model: Path, tmp_path: Path, runs: list[int]) -> None:
    with FakeOllama(tmp_path / "server") as server:
        store = OllamaStore(server.url)
        made = planned(store, model)
        assert [layer.how for layer in made.preview.layers][:1] == ["upload"]
        assert not runs
        assert apply(made).changed
        assert len(runs) == 1
        again = planned(store, model)
        assert not again.changes
        assert not apply(again).changed
        assert len(runs) == 1
    stored = LocalStore(tmp_path / "server").show("small")
    assert stored.weights is not None
    quantize(model, tmp_path / "file.gguf", "Q4_K_M")
    assert stored.weights.read_bytes() == (tmp_path / "file.gguf").read_bytes()


def test_a_stored_model_with_edited_metadata_and_exceptions(model: Path, tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "models")
    assert apply(planned(store, model, "system: Be brief.")).changed
    text = """gguf: {set: {tokenizer.chat_template: "{{ 'new' }}"}}
quantize: {type: q8_0, tensors: ['attn_v=F16', 'output=Q6_K']}"""
    assert apply(planned(store, "small", text)).changed
    stored = store.show("small")
    assert stored.system == "Be brief."
    assert stored.chat_template == "{{ 'new' }}"
    assert stored.weights is not None
    types = {tensor.name: tensor.type.name for tensor in GGUFFile.open(stored.weights).tensors}
    assert types["blk.0.attn_v.weight"] == "F16"
    assert types["blk.0.attn_q.weight"] == "Q8_0"
    assert types["blk.0.attn_output.weight"] == "Q6_K"


def test_what_is_quantized_already(model: Path, tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "models")
    quantize(model, tmp_path / "q8.gguf", "Q8_0")
    with pytest.raises(Unsupported, match="quantized already") as caught:
        planned(store, tmp_path / "q8.gguf")
    assert "allow-requantize: true" in caught.value.hint
    assert apply(planned(store, tmp_path / "q8.gguf", "quantize: {type: Q4_0, allow-requantize: true}")).changed
    assert store.show("small").weights is not None


@remembering()
def test_with_a_modelfile_beside_it(model: Path, tmp_path: Path, runs: list[int]) -> None:
    store = LocalStore(tmp_path / "models")
    for changed in (True, False):
        made = planned(store, model, modelfile=tmp_path / "Modelfile")
        assert made.changes == changed
        assert apply(made).changed == changed
    assert str(tmp_path / "Modelfile.gguf") in (tmp_path / "Modelfile").read_text()
    stored = store.show("small")
    assert stored.weights is not None
    assert (tmp_path / "Modelfile.gguf").read_bytes() == stored.weights.read_bytes()


@pytest.mark.parametrize("key", ["${how}", "{type: '${how}', tensors: ['attn_v=${how}']}"])
def test_the_type_can_be_an_input(model: Path, tmp_path: Path, key: str) -> None:
    text = f"name: x\ninputs: {{how: {{}}}}\nfrom: {model}\nquantize: {key}\ncreate: x\n"
    recipe = parse_recipe(text)
    store = LocalStore(tmp_path / "models")
    made = plan(recipe.resolve({"how": "F32"}), store)
    assert made.after.quantize is not None
    assert made.after.quantize.mix.name == "F32"
    with pytest.raises(RecipeError, match="no quantization") as caught:
        recipe.resolve({"how": "Q4_KM"})
    assert 'did you mean "Q4_K_M"' in caught.value.diagnostics[0].message
    assert caught.value.diagnostics[0].hint.startswith("one of F32")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("quantize: Q99", 'no quantization "Q99"'),
        ("quantize: {type: Q4_K_M, tensors: ['nothing']}", "no rule for tensors"),
        ("quantize: {type: Q4_K_M, tensor: []}", "tensor"),
        ("quantize: {tensors: []}", "type"),
        ("quantize: 4", "quantize"),
    ],
)
def test_mistakes_have_a_place(model: Path, tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(RecipeError) as caught:
        planned(LocalStore(tmp_path / "models"), model, text)
    assert reason in caught.value.diagnostics[0].message
