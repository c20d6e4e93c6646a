from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lora_models import (
    HEADS,
    INNER,
    WIDTH,
    all_modules,
    in_pairs,
    product,
    read_gguf,
    write_adapter,
    write_base,
    write_safetensors,
)

from modelsmith.errors import InvalidAdapter, InvalidGGUF, Unsupported, UsageError
from modelsmith.weights.adapters.merge import merge_adapters
from modelsmith.weights.adapters.merge_folder import merge_into_folder
from modelsmith.weights.adapters.names import gguf_name
from modelsmith.weights.gguf.file import GGUFFile
from modelsmith.weights.quantize.quantize import quantize


def expected(base: Path, changes: dict[str, Any]) -> dict[str, Any]:
    """Return the tensors of a base with numbers added, rounded once to half precision."""
    tensors = read_gguf(base)
    for name, delta in changes.items():
        tensors[name] = (tensors[name].astype(np.float64) + delta).astype(np.float16).astype(np.float32)
    return tensors


def arranged(name: str, delta: Any) -> Any:
    return in_pairs(delta, HEADS) if name.endswith(("attn_q.weight", "attn_k.weight")) else delta


def check_equal(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Every number is the right one, or its neighbour in half precision (the product is made in single precision)."""
    assert found.keys() == wanted.keys()
    for name, values in wanted.items():
        step = np.spacing(np.abs(values).astype(np.float16)).astype(np.float32)
        assert (np.abs(found[name] - values) <= step).all(), name
        assert (found[name] == values).mean() > 0.995, name


@pytest.mark.parametrize("stabilized", [False, True])
def test_every_tensor_gets_scale_times_b_times_a(stabilized: bool, tmp_path: Path) -> None:
    base = write_base(tmp_path / "base.gguf")
    made = write_adapter(tmp_path / "adapter", rank=4, lora_alpha=8, use_rslora=stabilized)
    merged = merge_adapters(base, [(tmp_path / "adapter", 1.0)], tmp_path / "out.gguf")
    scale = 8 / (math.sqrt(4) if stabilized else 4)
    changes = {}
    for module in all_modules():
        name = gguf_name(module)
        assert name is not None
        changes[name] = arranged(name, product(made, module, scale))
    check_equal(read_gguf(tmp_path / "out.gguf"), expected(base, changes))
    assert len(merged.plan.changed) == len(changes)
    assert merged.adapters[0][0].ranks == (4,)
    assert GGUFFile.open(tmp_path / "out.gguf").chat_template == GGUFFile.open(base).chat_template


def test_several_adapters_add_up_by_their_weights(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base.gguf")
    both = {"model.layers.0.mlp.up_proj": (INNER, WIDTH), "model.layers.1.self_attn.q_proj": (WIDTH, WIDTH)}
    one = write_adapter(tmp_path / "one", both, rank=2, seed=1, lora_alpha=2)
    other = write_adapter(tmp_path / "other", dict(list(both.items())[:1]), rank=8, seed=2, lora_alpha=4)
    merge_adapters(base, [(tmp_path / "one", 0.5), (tmp_path / "other", -2.0)], tmp_path / "out.gguf")
    up, q = both
    changes = {
        "blk.0.ffn_up.weight": product(one, up, 0.5) + product(other, up, -1.0),
        "blk.1.attn_q.weight": in_pairs(product(one, q, 0.5), HEADS),
    }
    check_equal(read_gguf(tmp_path / "out.gguf"), expected(base, changes))


def test_patterns_of_alpha_hold_for_their_modules(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base.gguf")
    modules = {"model.layers.0.mlp.up_proj": (INNER, WIDTH), "model.layers.1.mlp.up_proj": (INNER, WIDTH)}
    made = write_adapter(tmp_path / "a", modules, rank=4, lora_alpha=4, alpha_pattern={"layers.1.mlp.up_proj": 12})
    merge_adapters(base, [(tmp_path / "a", 1.0)], tmp_path / "out.gguf")
    changes = {
        f"blk.{block}.ffn_up.weight": product(made, f"model.layers.{block}.mlp.up_proj", scale)
        for block, scale in ((0, 1.0), (1, 3.0))
    }
    check_equal(read_gguf(tmp_path / "out.gguf"), expected(base, changes))


def test_embeddings_are_looked_up(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base.gguf")
    tokens = len(read_gguf(base)["token_embd.weight"])
    chance = np.random.default_rng(3)
    a, b = (chance.normal(0, 0.3, shape).astype("<f4") for shape in ((2, tokens), (WIDTH, 2)))
    place = "base_model.model.model.embed_tokens.lora_embedding_"
    write_adapter(tmp_path / "a", rank=2, lora_alpha=2, tensors={f"{place}A": a, f"{place}B": b})
    merge_adapters(base, [(tmp_path / "a", 1.0)], tmp_path / "out.gguf")
    changes = {"token_embd.weight": (b.astype(np.float64) @ a.astype(np.float64)).T}
    check_equal(read_gguf(tmp_path / "out.gguf"), expected(base, changes))


def test_the_result_is_quantized_on_the_way_as_from_a_file(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base.gguf")
    write_adapter(tmp_path / "a")
    merge_adapters(base, [(tmp_path / "a", 1.0)], tmp_path / "q8.gguf", mix="Q8_0")
    quantize(base, tmp_path / "f32.gguf", "F32")
    merge_adapters(tmp_path / "f32.gguf", [(tmp_path / "a", 1.0)], tmp_path / "merged-f32.gguf")
    quantize(tmp_path / "merged-f32.gguf", tmp_path / "twice.gguf", "Q8_0")
    one, other = (GGUFFile.open(tmp_path / name) for name in ("q8.gguf", "twice.gguf"))
    assert [tensor.type.name for tensor in one.tensors] == [tensor.type.name for tensor in other.tensors]
    for left, right in zip(one.tensors, other.tensors, strict=True):
        assert one.data_of(left).read() == other.data_of(right).read(), left.name


def test_a_quantized_base_is_refused_with_the_way_out(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base.gguf")
    write_adapter(tmp_path / "a")
    quantize(base, tmp_path / "q.gguf", "Q8_0")
    with pytest.raises(Unsupported, match="is quantized \\(Q8_0\\)") as caught:
        merge_adapters(tmp_path / "q.gguf", [(tmp_path / "a", 1.0)], tmp_path / "out.gguf")
    assert "-t Q4_K_M" in caught.value.hint
    assert not (tmp_path / "out.gguf").exists()


def test_an_adapter_of_another_model_is_refused(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base.gguf")
    cases = {
        "model.layers.9.mlp.up_proj": ((INNER, WIDTH), "has no such tensor"),
        "model.layers.0.mlp.up_proj": ((INNER, WIDTH + 2), "make 128 x 66 numbers"),
        "model.layers.0.self_attn.q_proj": ((WIDTH + 2, WIDTH), "has 66 rows, and the model 4 heads"),
        "model.layers.0.mlp.experts.3.up_proj": ((INNER, WIDTH), "no tensor of its own"),
    }
    for number, (module, (shape, message)) in enumerate(cases.items()):
        write_adapter(tmp_path / str(number), {module: shape})
        with pytest.raises((InvalidAdapter, Unsupported), match=message):
            merge_adapters(base, [(tmp_path / str(number), 1.0)], tmp_path / "out.gguf")


def test_a_doubtful_base_is_noted(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base.gguf")
    write_adapter(tmp_path / "a", base_model_name_or_path="meta-llama/Llama-3.2-1B")
    merged = merge_adapters(base, [(tmp_path / "a", 1.0)], tmp_path / "out.gguf")
    assert "meta-llama/Llama-3.2-1B" in merged.adapters[0][0].notes[0]


def test_numbers_that_are_none_stop_the_merge(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base.gguf")
    made = write_adapter(tmp_path / "a")
    made["base_model.model.model.layers.0.mlp.up_proj.lora_A.weight"][0, 0] = np.inf
    write_adapter(tmp_path / "a", tensors=made)
    with pytest.raises(InvalidGGUF, match=r"blk\.0\.ffn_up"):
        merge_adapters(base, [(tmp_path / "a", 1.0)], tmp_path / "out.gguf")
    assert not (tmp_path / "out.gguf").exists()
    with pytest.raises(UsageError, match="0 adapters"):
        merge_adapters(base, [], tmp_path / "out.gguf")


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16"])
def test_a_folder_of_safetensors_becomes_another(kind: str, tmp_path: Path) -> None:
    chance = np.random.default_rng(5)
    names = ("model.layers.0.mlp.up_proj.weight", "model.norm.weight", "model.layers.0.self_attn.q_proj.weight")
    shapes = ((INNER, WIDTH), (WIDTH,), (WIDTH, WIDTH))
    plain = {name: chance.normal(0, 1, shape).astype("<f4") for name, shape in zip(names, shapes, strict=True)}
    stored = {name: stored_as(kind, values) for name, values in plain.items()}
    base = tmp_path / "base"
    base.mkdir()
    write_safetensors(base / "model-00001-of-00002.safetensors", {name: stored[name] for name in names[:2]})
    write_safetensors(base / "model-00002-of-00002.safetensors", {name: stored[name] for name in names[2:]})
    (base / "config.json").write_text("{}")
    (base / "pytorch_model.bin").write_bytes(b"pickle")
    modules = {names[0].removesuffix(".weight"): shapes[0], names[2].removesuffix(".weight"): shapes[2]}
    made = write_adapter(tmp_path / "a", modules, rank=4, lora_alpha=4)
    result = merge_into_folder(base, [(tmp_path / "a", 1.0)], tmp_path / "out")
    assert result.changed == 2
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "config.json",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    ]
    from safetensors import safe_open

    found: dict[str, bytes] = {}
    for path in sorted((tmp_path / "out").glob("*.safetensors")):
        header = int.from_bytes(path.read_bytes()[:8], "little")
        assert path.read_bytes()[: 8 + header] == (base / path.name).read_bytes()[: 8 + header]
        with safe_open(path, "numpy") as opened:
            assert list(opened.keys())
        data = path.read_bytes()[8 + header :]
        for name in opened_names(path):
            found[name] = data[opened_names(path)[name][0] : opened_names(path)[name][1]]
    assert found[names[1]] == stored[names[1]].tobytes()
    for module in modules:
        exact = widened(kind, stored[f"{module}.weight"]).astype(np.float64) + product(made, module, 1.0)
        wanted = stored_as(kind, exact.astype("<f4"))
        assert (np.frombuffer(found[f"{module}.weight"], wanted.dtype) == wanted.reshape(-1)).mean() > (
            0.995 if kind != "F32" else 0.3
        )
        got = widened(kind, np.frombuffer(found[f"{module}.weight"], wanted.dtype)).reshape(exact.shape)
        assert np.allclose(got, exact, rtol={"F32": 1e-5, "F16": 1e-3, "BF16": 8e-3}[kind], atol=1e-5)
    with pytest.raises(UsageError, match="exists already"):
        merge_into_folder(base, [(tmp_path / "a", 1.0)], tmp_path / "out")


def opened_names(path: Path) -> dict[str, tuple[int, int]]:
    import json

    data = path.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return {name: tuple(entry["data_offsets"]) for name, entry in header.items()}


def stored_as(kind: str, values: Any) -> Any:
    if kind == "BF16":
        bits = values.astype("<f4").view("<u4").astype(np.uint64)
        return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")
    return values.astype("<f2" if kind == "F16" else "<f4")


def widened(kind: str, values: Any) -> Any:
    return (values.astype("<u4") << 16).view("<f4") if kind == "BF16" else values.astype("<f4")


def test_a_folder_that_does_not_fit_is_left_alone(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    write_safetensors(
        base / "model.safetensors", {"model.layers.0.mlp.up_proj.weight": np.zeros((INNER, WIDTH), "<f2")}
    )
    write_adapter(tmp_path / "a", {"model.layers.0.mlp.down_proj": (WIDTH, INNER)})
    with pytest.raises(InvalidAdapter, match='no such tensor; did you mean "model'):
        merge_into_folder(base, [(tmp_path / "a", 1.0)], tmp_path / "out")
    write_adapter(tmp_path / "b", {"model.layers.0.mlp.up_proj": (INNER, WIDTH + 1)})
    with pytest.raises(InvalidAdapter, match="make 128 x 65 numbers, and the tensor has 128 x 64"):
        merge_into_folder(base, [(tmp_path / "b", 1.0)], tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "base"]
