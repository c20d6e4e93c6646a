"""Which type each tensor gets: as llama.cpp chooses, for any model."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from quantize_models import block_tensors, write_model
from quantize_oracle import chosen_types, needs_llama_cpp

from modelsmith.errors import InvalidGGUF, UsageError
from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.metadata import Entry
from modelsmith.weights.gguf.types import ValueType
from modelsmith.weights.quantize.choose import choose, parse_size
from modelsmith.weights.quantize.mixes import ALIASES, MIXES, TYPES, find_mix, find_type
from modelsmith.weights.quantize.plan import plan_quantize
from modelsmith.weights.quantize.quantize import open_parts
from modelsmith.weights.quantize.rules import fallback, more_bits
from modelsmith.weights.quantize.wishes import TensorRule, Wishes

CASES = 66


def random_model(path: Path, chance: random.Random) -> tuple[Path, list[tuple[str, tuple[int, ...]]]]:
    heads = chance.choice((8, 16, 32))
    experts = chance.choice((0, 0, 2, 4, 8))
    blocks = chance.choice((1, 3, 8, 17, 32))
    tensors = block_tensors(blocks, experts=experts)
    extra = ("attn_qkv", "attn_kv_b", "ssm_in", "ssm_conv1d", "attn_k_norm", "time_mix_w1", "ffn_down_shexp", "nothing")
    tensors += [(f"blk.{chance.randrange(blocks)}.{name}.weight", (256, 2)) for name in extra if chance.random() < 0.3]
    if chance.random() < 0.6:
        tensors.append(("output.weight", (chance.choice((256, 96)), 2)))
    if chance.random() < 0.3:
        tensors += [("per_layer_token_embd.weight", (256, 2)), ("position_embd.weight", (256, 2))]
    tensors = [
        (name, (chance.choice((64, 256, 512)), *dims[1:]) if chance.random() < 0.05 else dims) for name, dims in tensors
    ]
    chance.shuffle(tensors)
    numbers = {"block_count": blocks, "attention.head_count": heads, "rope.dimension_count": 256 // heads}
    numbers["attention.head_count_kv"] = heads // chance.choice((1, 2, 4, 8))
    if experts:
        numbers |= {"expert_count": experts, "expert_used_count": 2, "expert_feed_forward_length": 256}
    architecture = chance.choice(("llama", "llama", "qwen2", "falcon", "gemma3", "olmo", "qwen3moe"))
    write_model(path, tensors, architecture=architecture, numbers=numbers)
    return path, tensors


class Everything(dict[str, Any]):
    """An importance matrix that has an entry for every tensor."""

    path, stamp = "every", None

    def __init__(self, tensors: list[tuple[str, tuple[int, ...]]]) -> None:
        super().__init__({name: [1.0] * self.size(dims) for name, dims in tensors if len(dims) > 1})
        self.entries = {name: type("Entry", (), {"size": len(values)}) for name, values in self.items()}

    @staticmethod
    def size(dims: tuple[int, ...]) -> int:
        return dims[0] * (dims[2] if len(dims) > 2 else 1)

    def metadata(self) -> list[Entry]:
        return []


@needs_llama_cpp
def test_the_types_are_those_that_llama_cpp_chooses(tmp_path: Path) -> None:
    chance = random.Random(20)
    jobs: list[dict[str, Any]] = []
    matrices: list[Everything | None] = []
    mixes = [name for name in MIXES if name != "COPY"]
    for number in range(CASES):
        path, tensors = random_model(tmp_path / f"{number}.gguf", chance)
        mix = mixes[number % len(mixes)]
        needy = mix.startswith(("IQ1", "IQ2", "IQ3_X")) or mix == "Q2_K_S"
        matrix = Everything(tensors) if needy or chance.random() < 0.4 else None
        job = {"source": str(path), "file_type": MIXES[mix].file_type, "mix": mix}
        jobs.append(job | ({"imatrix": matrix} if matrix is not None else {}))
        matrices.append(matrix)
    compared = 0
    for job, matrix, theirs in zip(jobs, matrices, chosen_types(jobs), strict=True):
        plan = plan_quantize(open_parts(job["source"]), Wishes.of(job["mix"]), matrix)  # type: ignore[arg-type]
        if theirs is None:
            assert plan.fell_back, job["mix"]  # to F16, where llama.cpp knows no way on
            continue
        assert {each.tensor.name: each.tensor.type.name for each in plan.tensors} == theirs, (job["mix"], job["source"])
        compared += 1
    assert compared > CASES // 2


@pytest.mark.parametrize(
    ("architecture", "kv_heads", "kind"),
    [("llama", 1, "Q5_K"), ("llama", 8, "Q3_K"), ("qwen2", 8, "Q5_K"), ("phi3", 1, "Q3_K")],
)
def test_models_of_70b(tmp_path: Path, architecture: str, kv_heads: int, kind: str) -> None:
    numbers = {"block_count": 80, "attention.head_count": 8, "attention.head_count_kv": kv_heads}
    path = write_model(
        tmp_path / "m.gguf", [("blk.3.attn_v.weight", (256, 2))], architecture=architecture, numbers=numbers
    )
    (tensor,) = plan_quantize(open_parts(path), Wishes.of("Q3_K_S")).tensors
    assert tensor.tensor.type.name == kind


def test_numbers_of_heads_may_differ_from_block_to_block(tmp_path: Path) -> None:
    from modelsmith.weights.gguf.sample import array_entry

    heads = array_entry("deci.attention.head_count_kv", ValueType.INT32, [2, 8])
    path = write_model(tmp_path / "m.gguf", [("blk.0.attn_v.weight", (256, 2))], architecture="deci")
    gguf = GGUFFile.open(path)
    gguf = gguf.with_metadata(gguf.metadata.changed({"deci.attention.head_count_kv": heads}))
    (tensor,) = plan_quantize((gguf,), Wishes.of("Q2_K")).tensors
    assert tensor.tensor.type.name == "Q4_K"


def test_more_bits() -> None:
    assert [block for block in range(16) if more_bits(block, 16)] == [0, 1, 4, 7, 10, 13, 14, 15]


def test_every_type_has_a_way_on_for_rows_that_do_not_fit() -> None:
    for name, kind in TYPES.items():
        for row in (1, 31, 32, 64, 96, 128, 256):
            found = TYPES[fallback(name, row)]
            assert row % found.block == 0
            assert found == kind or row % kind.block


def test_a_mix_that_needs_an_importance_matrix(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.gguf", block_tensors(8))
    for mix in ("IQ2_XS", "IQ1_S", "Q2_K_S", "IQ3_XXS"):
        with pytest.raises(UsageError, match="garbage") as caught:
            plan_quantize(open_parts(path), Wishes.of(mix))
        assert "--imatrix" in caught.value.hint
    with pytest.raises(UsageError, match=r"token_embd\.weight would come out as garbage"):
        plan_quantize(open_parts(path), Wishes.of("Q4_K_M", rules=["token_embd=IQ2_XXS"]))


def test_rules(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.gguf", block_tensors(2))
    plan = plan_quantize(open_parts(path), Wishes.of("F16", rules=[r"blk\.0\..*=Q8_0", "attn_v=Q4_0"]))
    types = {each.tensor.name: each.tensor.type.name for each in plan.tensors}
    assert types["blk.0.attn_v.weight"] == "Q8_0"
    assert types["blk.1.attn_v.weight"] == "Q4_0"
    assert types["blk.1.attn_q.weight"] == "F16"
    assert types["blk.0.attn_norm.weight"] == "F32"
    with pytest.raises(UsageError, match="is about no tensor that is quantized"):
        plan_quantize(open_parts(path), Wishes.of("F16", rules=["attn_norm=Q8_0"]))
    for text, reason in {
        "x": "is no rule",
        "=Q8_0": "is no rule",
        "[=Q8_0": "no regular expression",
        "x=Q9": "no tensor type",
    }.items():
        with pytest.raises(UsageError, match=reason):
            TensorRule.parse(text)
    assert TensorRule.parse("a=b=q8_0").pattern.text == "a=b"


def test_names() -> None:
    assert find_mix("q4_k").name == "Q4_K_M"
    assert find_mix(" iq4-xs ").name == "IQ4_XS"
    assert set(ALIASES.values()) <= set(MIXES)
    with pytest.raises(UsageError, match='did you mean "Q4_K_M"'):
        find_mix("Q4_KM")
    with pytest.raises(UsageError) as caught:
        find_type("Q4_K_M")
    assert "mix of several types" in caught.value.hint
    assert all(mix.type is None or mix.type in TYPES for mix in MIXES.values())


def test_the_best_mix_that_fits(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.gguf", block_tensors(16, rows=64), kind="F16")
    parts = open_parts(path)
    sizes = {name: plan_quantize(parts, Wishes.of(name)).size for name in ("F16", "Q8_0", "Q6_K", "Q4_K_M", "Q2_K")}
    wishes = Wishes.of("COPY")
    for name, size in sizes.items():
        assert choose(parts, wishes, lambda plan, size=size: plan.size <= size).mix.name == name
        assert choose(parts, wishes, lambda plan, size=size: plan.size <= size + 1).mix.name == name
    with pytest.raises(UsageError, match="no quantization is small enough: Q2_K would take"):
        choose(parts, wishes, lambda plan: plan.size < sizes["Q2_K"])


def test_sizes() -> None:
    assert parse_size("12G") == parse_size("12 GB") == 12_000_000_000
    assert parse_size("1.5GiB") == parse_size("1.5Gi") == 3 << 29
    assert parse_size("900m") == 900_000_000
    assert parse_size("1000") == 1000
    for text in ("", "G", "0", "-1G", "1e9", "12X", "9" * 30):
        with pytest.raises(UsageError, match="is no size"):
            parse_size(text)


def test_a_file_that_llama_cpp_would_not_load_is_refused(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.gguf", block_tensors(1))
    gguf = GGUFFile.open(path)
    with pytest.raises(InvalidGGUF, match="context_length is missing"):
        plan_quantize((gguf.with_metadata(gguf.metadata.changed({"llama.context_length": None})),), Wishes.of("Q8_0"))
