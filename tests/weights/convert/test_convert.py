"""Conversions: each family's tensors against what they were made of, computed here in the plainest way; files that run."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoints import FAMILIES, Tiny, bpe, byte_letters, write_checkpoint, write_safetensors

from modelsmith.errors import InvalidCheckpoint, InvalidGGUF, ModelsmithError, Unsupported
from modelsmith.weights.convert.convert import import_checkpoint, plan_import
from modelsmith.weights.convert.safetensors import SafetensorsFile
from modelsmith.weights.gguf.file import GGUFFile
from modelsmith.weights.quantize.quantize import quantize

Array = np.ndarray[Any, Any]


def stored(folder: Path) -> dict[str, Array]:
    """Return the tensors of a checkpoint as numbers (FP8 and packed ones as their bytes)."""
    found: dict[str, Array] = {}
    for path in folder.glob("*.safetensors"):
        for name, tensor in SafetensorsFile.open(path).tensors.items():
            kind = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}.get(tensor.dtype, "u1")
            data = np.frombuffer(tensor.place.read(), kind).reshape(tensor.shape)
            found[name] = (data.astype("<u4") << 16).view("<f4") if tensor.dtype == "BF16" else data
    return found


def made(file: GGUFFile, name: str) -> Array:
    """Return a tensor of a GGUF of floats as F32."""
    tensor = next(each for each in file.tensors if each.name == name)
    data = np.frombuffer(file.data_of(tensor).read(), {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}[tensor.type.name])
    data = (data.astype("<u4") << 16).view("<f4") if tensor.type.name == "BF16" else data.astype("<f4")
    return data.reshape(tensor.dims[::-1])


def converted(tmp_path: Path, name: str, kind: str | None = "f32", **options: Any) -> tuple[dict[str, Array], GGUFFile]:
    folder = write_checkpoint(tmp_path / name, FAMILIES[name], **options)
    import_checkpoint(folder, tmp_path / "out.gguf", kind)
    return stored(folder), GGUFFile.open(tmp_path / "out.gguf")


def paired(matrix: Array, heads: int) -> Array:
    """Return rows in llama.cpp's order, one by one."""
    size = len(matrix) // heads
    order = [
        head * size + half * (size // 2) + number
        for head in range(heads)
        for number in range(size // 2)
        for half in (0, 1)
    ]
    return matrix[order]


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_is_converted_and_nothing_is_lost(tmp_path: Path, name: str) -> None:
    before, file = converted(tmp_path, name)
    kept = [key for key in before if not key.startswith("pooler") and "_scale" not in key]
    if name == "deepseek-v3":
        kept = [key for key in kept if not key.startswith("model.layers.2.")]
    extra = sum(each.elements for each in file.tensors if each.name.startswith("rope_"))
    packed = 2 if name == "gpt-oss" else 1
    count = sum(before[key].size * (packed if key.endswith("_blocks") else 1) for key in kept)
    assert sum(each.elements for each in file.tensors) == count + extra
    assert file.architecture in {"gpt-oss"} or file.architecture.isalnum()
    assert file.metadata.uint(f"{file.architecture}.block_count") in {2, 27}


@pytest.mark.parametrize("name", ["llama-2", "granite", "mixtral", "smollm3"])
def test_queries_and_keys_are_in_the_order_of_llama_cpp(tmp_path: Path, name: str) -> None:
    before, file = converted(tmp_path, name)
    start = "model.layers.1.self_attn."
    assert (made(file, "blk.1.attn_q.weight") == paired(before[f"{start}q_proj.weight"], 4)).all()
    assert (made(file, "blk.1.attn_k.weight") == paired(before[f"{start}k_proj.weight"], 2)).all()
    assert (made(file, "blk.1.attn_v.weight") == before[f"{start}v_proj.weight"]).all()


@pytest.mark.parametrize("name", ["qwen2", "qwen3", "gemma-2"])
def test_other_families_keep_the_order(tmp_path: Path, name: str) -> None:
    before, file = converted(tmp_path, name)
    assert (made(file, "blk.0.attn_q.weight") == before["model.layers.0.self_attn.q_proj.weight"]).all()


def test_experts_become_one_tensor(tmp_path: Path) -> None:
    before, file = converted(tmp_path, "mixtral")
    start = "model.layers.1.block_sparse_moe.experts."
    for part, source in (("gate", "w1"), ("down", "w2"), ("up", "w3")):
        wanted = np.stack([before[f"{start}{number}.{source}.weight"] for number in range(4)])
        assert (made(file, f"blk.1.ffn_{part}_exps.weight") == wanted).all()


@pytest.mark.parametrize("name", ["mixtral-merged", "qwen3-moe-merged"])
def test_experts_that_are_one_tensor_already_are_gate_and_up_behind_each_other(tmp_path: Path, name: str) -> None:
    before, file = converted(tmp_path, name)
    both = before["model.layers.1.mlp.experts.gate_up_proj"]
    half = both.shape[1] // 2
    assert (made(file, "blk.1.ffn_gate_exps.weight") == both[:, :half]).all()
    assert (made(file, "blk.1.ffn_up_exps.weight") == both[:, half:]).all()
    assert (made(file, "blk.1.ffn_down_exps.weight") == before["model.layers.1.mlp.experts.down_proj"]).all()


def test_blocks_without_experts_are_refused_where_llama_cpp_has_none(tmp_path: Path) -> None:
    for changes in ({"mlp_only_layers": [1]}, {"decoder_sparse_step": 2}):
        folder = edited(write_checkpoint(tmp_path / str(changes), FAMILIES["qwen3-moe"]), **changes)
        with pytest.raises(ModelsmithError, match="some blocks have no experts"):
            import_checkpoint(folder, tmp_path / "out.gguf")
    folder = edited(write_checkpoint(tmp_path / "m", FAMILIES["qwen3-moe"]), mlp_only_layers=[], decoder_sparse_step=1)
    assert import_checkpoint(folder, tmp_path / "out.gguf")


def test_joined_experts_come_apart(tmp_path: Path) -> None:
    before, file = converted(tmp_path, "granite-moe-shared")
    both = before["model.layers.0.block_sparse_moe.input_linear.weight"]
    assert (made(file, "blk.0.ffn_gate_exps.weight") == both[:, :96]).all()
    assert (made(file, "blk.0.ffn_up_exps.weight") == both[:, 96:]).all()
    shared = before["model.layers.0.shared_mlp.input_linear.weight"]
    assert (made(file, "blk.0.ffn_up_shexp.weight") == shared[48:]).all()


def test_latent_attention_comes_apart(tmp_path: Path) -> None:
    before, file = converted(tmp_path, "deepseek-v2")
    both = before["model.layers.1.self_attn.kv_b_proj.weight"].reshape(4, 32, 32)
    assert (made(file, "blk.1.attn_k_b.weight") == both[:, :16].transpose(0, 2, 1)).all()
    assert (made(file, "blk.1.attn_v_b.weight") == both[:, 16:]).all()
    assert "blk.0.ffn_gate.weight" in {each.name for each in file.tensors}


def test_norms_of_gemma_are_stored_as_differences(tmp_path: Path) -> None:
    before, file = converted(tmp_path, "gemma")
    assert (
        made(file, "blk.0.attn_norm.weight") == before["model.layers.0.input_layernorm.weight"] + np.float32(1)
    ).all()


def test_fp8_is_multiplied_by_its_scales(tmp_path: Path) -> None:
    from modelsmith.weights.convert.fp8 import _table

    before, file = converted(tmp_path, "llama-fp8")
    name = "model.layers.0.mlp.up_proj.weight"
    scale = np.kron(before[f"{name}_scale_inv"], np.ones((32, 32), np.float32))
    assert (made(file, "blk.0.ffn_up.weight") == _table("F8_E4M3")[before[name]] * scale).all()
    before, file = converted(tmp_path / "rows", "llama-fp8-rows")
    scales = before[f"{name}_scale"]
    assert scales.shape == (96, 1)
    assert (made(file, "blk.0.ffn_up.weight") == _table("F8_E4M3")[before[name]] * scales).all()
    table = _table("F8_E4M3")
    assert (table[0x38], table[0x01], table[0x7E], table[0xC0]) == (1.0, 2.0**-9, 448.0, -2.0)
    assert math.isnan(table[0x7F])
    assert (_table("F8_E5M2")[0x3C], _table("F8_E5M2")[0x7B]) == (1.0, 57344.0)


def test_micro_scaled_experts_mean_the_same_numbers(tmp_path: Path) -> None:
    from gguf import GGMLQuantizationType, quants

    before, file = converted(tmp_path, "gpt-oss", None)
    values = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6], np.float32)
    start = "model.layers.0.mlp.experts."
    blocks, scales = before[f"{start}gate_up_proj_blocks"], before[f"{start}gate_up_proj_scales"]
    pairs = np.stack([values[blocks & 15], values[blocks >> 4]], axis=-1).reshape(*blocks.shape[:-1], 32)
    wanted = (pairs * np.exp2(scales.astype(np.float32) - 127)[..., None]).reshape(4, 192, 64)
    for part, first in (("gate", 0), ("up", 1)):
        tensor = next(each for each in file.tensors if each.name == f"blk.0.ffn_{part}_exps.weight")
        data = np.frombuffer(file.data_of(tensor).read(), np.uint8).reshape(4, 96, -1)
        assert (quants.dequantize(data, GGMLQuantizationType.MXFP4) == wanted[:, first::2]).all()
        bias = before[f"{start}gate_up_proj_bias"]
        assert (made(file, f"blk.0.ffn_{part}_exps.bias") == bias[:, first::2]).all()


def test_experts_of_gpt_oss_in_bf16(tmp_path: Path) -> None:
    before, file = converted(tmp_path, "gpt-oss-bf16")
    start = "model.layers.1.mlp.experts."
    both = before[f"{start}gate_up_proj"].transpose(0, 2, 1)
    assert (made(file, "blk.1.ffn_gate_exps.weight") == both[:, ::2]).all()
    assert (made(file, "blk.1.ffn_up_exps.weight") == both[:, 1::2]).all()
    assert (made(file, "blk.1.ffn_down_exps.weight") == before[f"{start}down_proj"].transpose(0, 2, 1)).all()


def test_slow_rotations_are_stretched(tmp_path: Path) -> None:
    _, file = converted(tmp_path, "llama-3.1")
    factors = made(file, "rope_freqs.weight")
    assert len(factors) == 8
    assert factors[0] == 1
    assert factors[-1] == 8
    assert (np.diff(factors) >= 0).all()


def test_metadata(tmp_path: Path) -> None:
    _, file = converted(tmp_path, "llama-2")
    found = file.metadata
    wanted = {
        "general.name": "Tiny Test",
        "general.license": "apache-2.0",
        "general.sampling.temp": pytest.approx(0.6),
        "general.sampling.top_k": 40,
        "general.base_model.0.name": "Tiny Base 1B",
        "general.base_model.0.organization": "Someone",
        "general.dataset.0.repo_url": "https://huggingface.co/someone/some-data",
        "llama.context_length": 512,
        "llama.rope.dimension_count": 16,
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.eos_token_id": 2,
    }
    assert {key: found[key] for key in wanted} == wanted
    assert list(found["general.languages"]) == ["en", "de"]
    assert list(found["general.tags"]) == ["chat", "tiny", "text-generation"]


@pytest.mark.parametrize(
    ("source", "kind"), [("BF16", None), ("F16", None), ("F32", None), ("BF16", "f16"), ("F32", "bf16")]
)
def test_floats_of_every_width(tmp_path: Path, source: str, kind: str | None) -> None:
    before, file = converted(tmp_path, "qwen3", kind, dtype=source)
    tensor = next(each for each in file.tensors if each.name == "blk.0.ffn_up.weight")
    assert tensor.type.name == (kind or source).upper()
    wanted = before["model.layers.0.mlp.up_proj.weight"].astype("<f4")
    if kind == "f16":
        wanted = wanted.astype("<f2").astype("<f4")
    if kind == "bf16":
        from gguf import GGMLQuantizationType, quants

        wanted = quants.dequantize(quants.quantize(wanted, GGMLQuantizationType.BF16), GGMLQuantizationType.BF16)
    assert (made(file, "blk.0.ffn_up.weight") == wanted).all()
    assert (made(file, "blk.0.attn_norm.weight") == before["model.layers.0.input_layernorm.weight"].astype("<f4")).all()


@pytest.mark.parametrize("kind", ["Q4_K_M", "Q8_0", "Q5_0"])
@pytest.mark.parametrize("name", ["llama-2", "qwen3-moe", "deepseek-v2"])
def test_straight_to_a_quantization_is_the_same_as_by_way_of_a_file(tmp_path: Path, name: str, kind: str) -> None:
    folder = write_checkpoint(tmp_path / name, FAMILIES[name])
    import_checkpoint(folder, tmp_path / "floats.gguf")
    quantize(tmp_path / "floats.gguf", tmp_path / "twice.gguf", kind)
    import_checkpoint(folder, tmp_path / "once.gguf", kind)
    assert (tmp_path / "once.gguf").read_bytes() == (tmp_path / "twice.gguf").read_bytes()


def test_the_experts_of_gpt_oss_stay_in_their_type(tmp_path: Path) -> None:
    plan = plan_import(write_checkpoint(tmp_path / "m", FAMILIES["gpt-oss"]), "q8_0")
    types = {each.tensor.name: each.tensor.type.name for each in plan.tensors}
    assert types["blk.0.ffn_up_exps.weight"] == "MXFP4"
    assert types["blk.0.attn_q.weight"] == "Q8_0"


def test_shards_make_the_same_file(tmp_path: Path) -> None:
    for count in (1, 3):
        folder = write_checkpoint(tmp_path / str(count) / "m", FAMILIES["llama-3"], shards=count)
        import_checkpoint(folder, tmp_path / f"{count}.gguf", "q8_0")
    assert (tmp_path / "1.gguf").read_bytes() == (tmp_path / "3.gguf").read_bytes()


def test_a_folder_of_links_as_in_the_cache_of_the_hub(tmp_path: Path) -> None:
    real = write_checkpoint(tmp_path / "blobs", FAMILIES["qwen2"])
    links = tmp_path / "snapshots" / "m"
    links.mkdir(parents=True)
    for path in real.iterdir():
        (links / path.name).symlink_to(path)
    import_checkpoint(links, tmp_path / "out.gguf", "q8_0")
    assert GGUFFile.open(tmp_path / "out.gguf").architecture == "qwen2"


def test_a_multimodal_model_gives_its_text_part(tmp_path: Path) -> None:
    tiny = FAMILIES["gemma-3"]
    inner = {key: value for key, value in tiny.config.items() if key != "architectures"}
    outer = {"architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3", "text_config": inner}
    folder = write_checkpoint(tmp_path / "m", tiny)
    size = json.loads((folder / "config.json").read_text())["vocab_size"]
    (folder / "config.json").write_text(json.dumps({**outer, "text_config": {**inner, "vocab_size": size}}))
    tensors = {
        name: (each.dtype, each.shape, each.place.read())
        for name, each in SafetensorsFile.open(folder / "model.safetensors").tensors.items()
    }
    renamed = {f"language_model.{name}": value for name, value in tensors.items()}
    write_safetensors(folder / "model.safetensors", {**renamed, "vision_tower.x.weight": ("F32", (1,), bytes(4))})
    import_checkpoint(folder, tmp_path / "out.gguf")
    assert len(GGUFFile.open(tmp_path / "out.gguf").tensors) == len(tensors)


# bad input


def edited(folder: Path, **changes: Any) -> Path:
    """Change keys of config.json; None removes one."""
    config = {**json.loads((folder / "config.json").read_text()), **changes}
    (folder / "config.json").write_text(json.dumps({key: value for key, value in config.items() if value is not None}))
    return folder


def retensored(folder: Path, change: Any) -> Path:
    """Change the table of tensors."""
    path = folder / "model.safetensors"
    tensors = {
        name: (each.dtype, each.shape, each.place.read()) for name, each in SafetensorsFile.open(path).tensors.items()
    }
    change(tensors)
    write_safetensors(path, tensors)
    return folder


def _wrong_shape(tensors: dict[str, Any]) -> None:
    tensors["model.norm.weight"] = ("F32", (32,), bytes(128))


def _foreign(tensors: dict[str, Any]) -> None:
    tensors["model.layers.0.mlp.gate_proj.lora"] = ("F32", (1,), bytes(4))


def _integers(tensors: dict[str, Any]) -> None:
    tensors["model.norm.weight"] = ("I64", (64,), bytes(512))


def _one_token_more(folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["added_tokens"].append({"id": 5000, "content": "<new>", "special": True})
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))


def _no_scale(tensors: dict[str, Any]) -> None:
    tensors["model.layers.0.mlp.up_proj.weight"] = ("F8_E4M3", (96, 64), bytes(96 * 64))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: edited(folder, architectures=["LlamasForCausalLM"]), "the nearest that can is LlamaForCausalLM"),
        (lambda folder: edited(folder, architectures=None), "architectures is missing"),
        (lambda folder: edited(folder, hidden_size="x"), "hidden_size is 'x'"),
        (lambda folder: edited(folder, num_hidden_layers=3), 'tensor "model.layers.2.input_layernorm.weight" is missing'),
        (lambda folder: edited(folder, num_hidden_layers=1), 'tensor "model.layers.1.input_layernorm.weight" is not part of'),
        (lambda folder: edited(folder, num_hidden_layers=1 << 20), "num_hidden_layers is"),
        (_one_token_more, "has tokens up to number 5000, and the model has 272"),
        (lambda folder: edited(folder, vocab_size=4000), "and config.json means"),
        (lambda folder: edited(folder, rope_scaling={"rope_type": "proportional"}), "'proportional'"),
        (lambda folder: retensored(folder, _wrong_shape), 'tensor "model.norm.weight" has the shape [32]'),
        (lambda folder: retensored(folder, _foreign), "is not part of a model"),
        (lambda folder: retensored(folder, _integers), "holds I64"),
        (lambda folder: retensored(folder, _no_scale), "FP8 without scales"),
        (lambda folder: retensored(folder, lambda tensors: tensors.pop("model.norm.weight")), "is missing"),
        (lambda folder: (folder / "model.safetensors").unlink(), "has no Safetensors"),
        (lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"), "has no Safetensors"),
        (lambda folder: (folder / "config.json").unlink(), "has no config.json"),
        (lambda folder: (folder / "config.json").write_text("[" * 100_000), "is no JSON"),
        (lambda folder: (folder / "config.json").write_bytes(b"\xff"), "is not UTF-8"),
        (lambda folder: (folder / "config.json").write_text("[]"), "is no table"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "has no tokenizer"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "has no table of tokens"),
        (lambda folder: (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../x.safetensors"}}'), "outside of the folder"),
        (lambda folder: (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "b.safetensors"}}'), "are missing|is missing"),
        (lambda folder: (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "model.safetensors"}}'), "tensors of the index are in none"),
        (lambda folder: (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors"), "missing: model-00002-of-00002"),
    ],
)  # fmt: skip
def test_what_cannot_be_converted_is_refused_with_its_reason(tmp_path: Path, change: Any, message: str) -> None:
    folder = write_checkpoint(tmp_path / "m", FAMILIES["llama-3"])
    change(folder)
    with pytest.raises(ModelsmithError) as caught:
        import_checkpoint(folder, tmp_path / "out.gguf")
    assert any(part in caught.value.message for part in message.split("|"))
    assert caught.value.hint
    assert not (tmp_path / "out.gguf").exists()


def test_numbers_that_are_none_are_found(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "m", FAMILIES["llama-3"])

    def change(tensors: dict[str, Any]) -> None:
        dtype, shape, data = tensors["model.layers.0.mlp.up_proj.weight"]
        tensors["model.layers.0.mlp.up_proj.weight"] = (dtype, shape, b"\xff\x7f" + data[2:])

    retensored(folder, change)
    for kind in (None, "f16", "q8_0"):
        with pytest.raises(InvalidGGUF, match=r"blk\.0\.ffn_up\.weight.*NaN"):
            import_checkpoint(folder, tmp_path / "out.gguf", kind)
    assert not list(tmp_path.glob("*out*"))


def test_numbers_that_f16_cannot_hold(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "m", FAMILIES["llama-3"])

    def change(tensors: dict[str, Any]) -> None:
        dtype, shape, data = tensors["model.layers.0.mlp.up_proj.weight"]
        tensors["model.layers.0.mlp.up_proj.weight"] = (dtype, shape, b"\x00\x49" + data[2:])

    retensored(folder, change)
    with pytest.raises(InvalidCheckpoint, match="F16 ends at 65504"):
        import_checkpoint(folder, tmp_path / "out.gguf", "f16")
    import_checkpoint(folder, tmp_path / "out.gguf", "bf16")


def test_a_file_that_changes_meanwhile(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "m", FAMILIES["llama-3"])
    plan = plan_import(folder)
    with (folder / "model.safetensors").open("ab") as file:
        file.write(b"\0")
    from modelsmith.weights.quantize.quantize import write_quantized

    with pytest.raises(ModelsmithError, match="changed"):
        write_quantized(plan, tmp_path / "out.gguf")


def test_an_unknown_way_of_cutting_words_is_refused_and_can_be_named(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "m", FAMILIES["qwen2"])
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = r"\w+"
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(Unsupported, match="cuts words") as caught:
        plan_import(folder)
    assert "--pretokenizer" in caught.value.hint
    assert plan_import(folder, pretokenizer="qwen2").metadata["tokenizer.ggml.pre"] == "qwen2"


def test_a_tokenizer_that_is_no_byte_pair_one_of_the_hub(tmp_path: Path) -> None:
    """SentencePiece written as tokenizer.json: bytes, scores by the order of merges, a space before the first word."""
    special = {"<s>": 256 + 5, "</s>": 256 + 6}
    tokens = [*(f"<0x{byte:02X}>" for byte in range(256)), "▁", "t", "h", "▁t", "▁th", *special]
    found = bpe("gpt-2", tokens, [["▁", "t"], ["▁t", "h"]], special, bos="<s>", eos="</s>")
    tokenizer = json.loads(found.files["tokenizer.json"])
    tokenizer["model"]["byte_fallback"] = True
    tokenizer["pre_tokenizer"] = None
    tokenizer["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}]}
    tiny = FAMILIES["llama-2"]
    folder = write_checkpoint(tmp_path / "m", Tiny(tiny.config, tiny.shapes, "gpt-2"), found)
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    metadata = plan_import(folder).metadata
    assert metadata["tokenizer.ggml.model"] == "llama"
    assert next(iter(metadata["tokenizer.ggml.token_type"])) == 6
    scores = list(metadata["tokenizer.ggml.scores"])
    assert scores[tokens.index("▁t")] > scores[tokens.index("▁th")]
    assert metadata["tokenizer.ggml.add_space_prefix"] is True
    assert len(byte_letters()) == 256


def test_vocab_and_merges_as_files_of_their_own(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "m", FAMILIES["qwen2"])
    model = json.loads((folder / "tokenizer.json").read_text())["model"]
    wanted = plan_import(folder).metadata
    (folder / "vocab.json").write_text(json.dumps(model["vocab"]))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(model["merges"]) + "\n")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "Qwen2Tokenizer"}')
    (folder / "tokenizer.json").unlink()
    metadata = plan_import(folder).metadata
    assert list(metadata["tokenizer.ggml.merges"]) == list(wanted["tokenizer.ggml.merges"])
    assert metadata["tokenizer.ggml.pre"] == "qwen2"


def test_the_chat_template_in_its_places(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "m", FAMILIES["qwen2"])
    config = json.loads((folder / "tokenizer_config.json").read_text())
    key = "tokenizer.chat_template"
    assert key not in plan_import(folder).metadata
    named = [{"name": "default", "template": "a"}, {"name": "tool-use", "template": "b"}]
    (folder / "tokenizer_config.json").write_text(json.dumps({**config, "chat_template": named}))
    metadata = plan_import(folder).metadata
    assert (metadata[key], metadata[f"{key}.tool_use"], list(metadata[f"{key}s"])) == ("a", "b", ["tool_use"])
    (folder / "chat_template.jinja").write_text("c")
    assert plan_import(folder).metadata[key] == "c"


_RUN = """
import sys, xllamacpp
for path in sys.argv[1:]:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = path
    parameters.n_ctx, parameters.verbosity, parameters.warmup = 64, -1, False
    parameters.cpuparams.n_threads = 1
    parameters.embedding = "bert" in path
    server = xllamacpp.Server(parameters)
    try:
        server.handle_embeddings({"input": "the"}) if parameters.embedding else server.handle_completions({"prompt": "the", "n_predict": 1})
    except RuntimeError as error:
        if "output" not in str(error):  # noise as weights makes noise as text, which need not be UTF-8
            raise
    print(path, flush=True)
"""


def test_every_family_runs(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp", reason='xllamacpp is not installed: pip install "modelsmith[run]"')
    paths = []
    for name, tiny in FAMILIES.items():
        paths.append(str(tmp_path / f"{name}.gguf"))
        import_checkpoint(write_checkpoint(tmp_path / name, tiny), paths[-1])
    run = subprocess.run([sys.executable, "-c", _RUN, *paths], capture_output=True, text=True, check=False, timeout=600)
    assert run.stdout.splitlines() == paths, run.stderr[-3000:]
