from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lora_models import HEADS, WIDTH, all_modules, in_pairs, product, read_gguf, write_adapter, write_base

from modelsmith.errors import InvalidAdapter
from modelsmith.weights.adapters.convert import convert_adapter
from modelsmith.weights.adapters.fingerprint import fingerprint
from modelsmith.weights.adapters.gguf_adapter import FINGERPRINT
from modelsmith.weights.adapters.merge import merge_adapters
from modelsmith.weights.gguf.file import GGUFFile
from modelsmith.weights.quantize.quantize import quantize


def effective(path: Path, name: str) -> Any:
    """Return what llama.cpp adds to a tensor, by its own formula."""
    gguf = GGUFFile.open(path)
    tensors = read_gguf(path)
    a, b = (tensors[f"{name}.{side}"].astype(np.float64) for side in ("lora_a", "lora_b"))
    rank = b.shape[1]
    if name == "token_embd.weight":
        return gguf.metadata["adapter.lora.alpha"] / rank * (a @ b.T)
    return gguf.metadata["adapter.lora.alpha"] / rank * (b @ a)


@pytest.mark.parametrize(
    "config", [{}, {"use_rslora": True}, {"alpha_pattern": {"q_proj": 3, "layers.1.mlp.up_proj": 1}}]
)
def test_llama_cpp_adds_what_peft_adds(config: dict[str, Any], tmp_path: Path) -> None:
    base = write_base(tmp_path / "base.gguf")
    made = write_adapter(tmp_path / "a", rank=4, lora_alpha=8, **config)
    lora = convert_adapter(tmp_path / "a", base, tmp_path / "a.gguf")
    scale = 8 / 2 if config.get("use_rslora") else 8 / 4
    scales = dict.fromkeys(all_modules(), scale)
    for ending, alpha in config.get("alpha_pattern", {}).items():
        scales |= {module: alpha / 4 for module in scales if module.endswith(f".{ending}")}
    for module in all_modules():
        name = next(
            each for each in lora.pairs if each.startswith(f"blk.{module.split('.')[2]}.") and _same(each, module)
        )
        wanted = product(made, module, scales[module])
        if name.endswith(("attn_q.weight", "attn_k.weight")):
            wanted = in_pairs(wanted, HEADS)
        assert np.allclose(effective(tmp_path / "a.gguf", name), wanted, rtol=1e-5, atol=1e-6), name
    assert bool(lora.notes) == ("alpha_pattern" in config)


def _same(name: str, module: str) -> bool:
    ends = {"q_proj": "attn_q", "k_proj": "attn_k", "v_proj": "attn_v", "o_proj": "attn_output"}
    ends |= {"gate_proj": "ffn_gate", "up_proj": "ffn_up", "down_proj": "ffn_down"}
    return name.endswith(f".{ends[module.rpartition('.')[2]]}.weight")


def test_the_keys_are_those_that_llama_cpp_and_ollama_read(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base.gguf")
    write_adapter(tmp_path / "tuned", rank=4, base_model_name_or_path="org/Sample-1B")
    convert_adapter(tmp_path / "tuned", base, tmp_path / "a.gguf", kind="f16")
    gguf = GGUFFile.open(tmp_path / "a.gguf")
    assert gguf.kind == "adapter"
    assert gguf.architecture == "llama"
    assert gguf.metadata["adapter.type"] == "lora"
    assert gguf.metadata["adapter.lora.alpha"] == 8.0
    assert gguf.metadata["general.name"] == "tuned"
    assert gguf.metadata["general.base_model.0.repo_url"] == "https://huggingface.co/org/Sample-1B"
    assert {tensor.type.name for tensor in gguf.tensors} == {"F16"}


def test_a_converted_adapter_merges_as_the_folder_does(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base.gguf")
    write_adapter(tmp_path / "a", rank=4)
    convert_adapter(tmp_path / "a", base, tmp_path / "a.gguf")
    merge_adapters(base, [(tmp_path / "a", 0.7)], tmp_path / "one.gguf")
    merge_adapters(base, [(tmp_path / "a.gguf", 0.7)], tmp_path / "other.gguf")
    one, other = read_gguf(tmp_path / "one.gguf"), read_gguf(tmp_path / "other.gguf")
    for name, values in one.items():
        assert np.allclose(values, other[name], rtol=1e-3, atol=1e-6), name


def test_embeddings_are_stored_as_llama_cpp_looks_them_up(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base.gguf")
    tokens = len(read_gguf(base)["token_embd.weight"])
    chance = np.random.default_rng(3)
    a, b = (chance.normal(0, 0.3, shape).astype("<f4") for shape in ((2, tokens), (WIDTH, 2)))
    place = "base_model.model.model.embed_tokens.lora_embedding_"
    write_adapter(tmp_path / "a", rank=2, lora_alpha=2, tensors={f"{place}A": a, f"{place}B": b})
    convert_adapter(tmp_path / "a", base, tmp_path / "a.gguf")
    wanted = (b.astype(np.float64) @ a.astype(np.float64)).T
    assert np.allclose(effective(tmp_path / "a.gguf", "token_embd.weight"), wanted, rtol=1e-5, atol=1e-6)
    merge_adapters(base, [(tmp_path / "a.gguf", 1.0)], tmp_path / "one.gguf")
    merge_adapters(base, [(tmp_path / "a", 1.0)], tmp_path / "other.gguf")
    name = "token_embd.weight"
    assert np.allclose(read_gguf(tmp_path / "one.gguf")[name], read_gguf(tmp_path / "other.gguf")[name], atol=1e-3)


def test_the_fingerprint_is_that_of_every_quantization_and_of_no_other_model(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base.gguf")
    quantize(base, tmp_path / "q8.gguf", "Q8_0")
    quantize(base, tmp_path / "f32.gguf", "F32")
    write_adapter(tmp_path / "a")
    convert_adapter(tmp_path / "a", tmp_path / "q8.gguf", tmp_path / "a.gguf")
    found = GGUFFile.open(tmp_path / "a.gguf").metadata[FINGERPRINT]
    assert found == fingerprint([GGUFFile.open(base)]) == fingerprint([GGUFFile.open(tmp_path / "f32.gguf")])
    merge_adapters(base, [(tmp_path / "a.gguf", 1.0)], tmp_path / "out.gguf")
    other = write_base(tmp_path / "other.gguf", seed=9)
    with pytest.raises(InvalidAdapter, match="a model with other weights than other"):
        merge_adapters(other, [(tmp_path / "a.gguf", 1.0)], tmp_path / "out2.gguf")


def test_llama_server_answers_alike_with_the_adapter_and_with_the_merged_model(tmp_path: Path) -> None:
    xllamacpp = pytest.importorskip("xllamacpp", reason="pip install xllamacpp")
    base = write_base(tmp_path / "base.gguf")
    write_adapter(tmp_path / "a")
    convert_adapter(tmp_path / "a", base, tmp_path / "a.gguf")
    merge_adapters(base, [(tmp_path / "a", 1.0)], tmp_path / "merged.gguf")
    plain = probabilities(xllamacpp, base)
    merged = probabilities(xllamacpp, tmp_path / "merged.gguf")
    applied = probabilities(xllamacpp, base, tmp_path / "a.gguf")
    assert merged.keys() == applied.keys()
    effect = max(abs(merged[token] - plain[token]) for token in merged)
    error = max(abs(merged[token] - applied[token]) for token in merged)
    assert effect > 0.05
    assert error < effect / 20, (error, effect)


def probabilities(xllamacpp: Any, model: Path, adapter: Path | None = None) -> dict[int, float]:
    """Return the log-probabilities of the first tokens that may come after a prompt."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.n_ctx = 64
    parameters.cpuparams.n_threads = 1
    parameters.verbosity = -1
    if adapter is not None:
        parameters.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(adapter), 1.0)]
    server = xllamacpp.Server(parameters)
    asked = {"prompt": "the thing", "n_predict": 1, "n_probs": 300, "temperature": 0}
    answer = server.handle_completions(asked | {"logit_bias": [[ord("a"), 100]]})  # an answer that is always text
    found = json.loads(answer) if isinstance(answer, str) else answer
    (content,) = found["choices"][0]["logprobs"]["content"]
    return {each["id"]: each["logprob"] for each in content["top_logprobs"]}
