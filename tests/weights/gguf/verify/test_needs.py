"""What llama.cpp refuses to load: the tables, what verify says by them, and llama.cpp itself on the same files."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from math import prod
from pathlib import Path

import pytest
from fit_models import TYPE, header, write_header
from local_stores import uint

from modelsmith.cli import run
from modelsmith.weights.fit.known import SHAPES, Experts, KnownShape, Latent
from modelsmith.weights.fit.shapes import shape_header
from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.metadata import Entry, Metadata
from modelsmith.weights.gguf.read.tensors import Tensor
from modelsmith.weights.gguf.sample import array_entry, byte_tokens, write_sample
from modelsmith.weights.gguf.types import ValueType
from modelsmith.weights.gguf.verify.expressions import compiled, names_of
from modelsmith.weights.gguf.verify.needs import (
    known_architectures,
    known_pretokenizers,
    known_tokenizers,
    needs_of,
    retyped,
)
from modelsmith.weights.gguf.verify.sizes import Sizes
from modelsmith.weights.gguf.verify.verify import verify

TEMPLATE = "<|im_start|>{{ messages[0].content }}<|im_end|><think>"
TINY = {
    "llama": KnownShape("llama", 2, 64, 64, 2, 1, 260, 512, ""),
    "qwen2": KnownShape("qwen2", 2, 64, 64, 2, 1, 260, 512, ""),
    "qwen3": KnownShape("qwen3", 2, 64, 64, 2, 1, 260, 512, "", 32),
    "qwen3moe": KnownShape("qwen3moe", 2, 64, 64, 2, 1, 260, 512, "", 32, experts=Experts(4, 2, 32)),
    "gemma3": KnownShape("gemma3", 2, 64, 64, 2, 1, 260, 512, "", 32, tied=True, window=64),
    "gpt-oss": KnownShape("gpt-oss", 2, 64, 64, 2, 1, 260, 512, "", 32, window=64, experts=Experts(4, 2, 64)),
    "deepseek2": KnownShape(
        "deepseek2", 2, 64, 64, 2, 2, 260, 512, "",
        experts=Experts(4, 2, 32, shared=1, dense_layers=1), latent=Latent(32, 32, 16, 16, 16),
    ),
}  # fmt: skip
MORE = {
    "deepseek2": {
        "leading_dense_block_count": 1, "attention.q_lora_rank": 32, "attention.kv_lora_rank": 32,
        "expert_shared_count": 1, "rope.dimension_count": 16, "expert_gating_func": 2,
    },
}  # fmt: skip


def tiny(architecture: str) -> GGUFFile:
    """Return a header of a model that llama.cpp loads."""
    gguf = shape_header("tiny", TINY[architecture])
    entries = {entry.key.decode(): entry for entry in gguf.metadata.entries}
    tokens = [*byte_tokens(), "<|im_start|>", "<|im_end|>", "<think>", "</think>"]
    added = [
        Entry.of(f"{architecture}.attention.layer_norm_rms_epsilon", ValueType.FLOAT32, 1e-6),
        Entry.of("tokenizer.ggml.model", ValueType.STRING, "gpt2"),
        Entry.of("tokenizer.ggml.pre", ValueType.STRING, "qwen2"),
        Entry.of("tokenizer.chat_template", ValueType.STRING, TEMPLATE),
        array_entry("tokenizer.ggml.tokens", ValueType.STRING, tokens),
        array_entry("tokenizer.ggml.token_type", ValueType.INT32, [1] * 256 + [3, 3, 4, 4]),
        array_entry("tokenizer.ggml.merges", ValueType.STRING, ["t h"]),
        uint("tokenizer.ggml.eos_token_id", 257),
    ]
    added += [uint(f"{architecture}.{key}", value) for key, value in MORE.get(architecture, {}).items()]
    return replace(gguf, metadata=Metadata(entries | {entry.key.decode(): entry for entry in added}))


def without(gguf: GGUFFile, name: str) -> GGUFFile:
    return replace(gguf, tensors=tuple(each for each in gguf.tensors if each.name != name))


def changed(gguf: GGUFFile, entry: Entry | None, key: str = "") -> GGUFFile:
    entries = {each.key.decode(): each for each in gguf.metadata.entries}
    if entry is None:
        del entries[key]
    else:
        entries[entry.key.decode()] = entry
    return replace(gguf, metadata=Metadata(entries))


def shaped(tensor: Tensor, *dims: int, kind: str = "") -> Tensor:
    used = TYPE[kind] if kind else tensor.type
    return replace(tensor, dims=dims, type=used, nbytes=prod(dims) // used.block * used.width)


def bent(gguf: GGUFFile, name: str, *dims: int, kind: str = "") -> GGUFFile:
    """Return the header with a tensor of another shape or type."""
    tensors = (shaped(each, *(dims or each.dims), kind=kind) if each.name == name else each for each in gguf.tensors)
    return replace(gguf, tensors=tuple(tensors))


def faults(path: Path) -> list[str]:
    return [str(fault) for fault in verify(path).faults]


@pytest.mark.parametrize("architecture", TINY)
def test_a_block_without_a_tensor_that_it_needs(architecture: str, tmp_path: Path) -> None:
    gguf = tiny(architecture)
    path = write_header(tmp_path / "m.gguf", gguf)
    assert faults(path) == []
    for tensor in gguf.tensors:
        if (
            tensor.name.endswith(("_exps.bias", "attn_q.bias", "attn_k.bias", "attn_v.bias"))
            or tensor.name == "output.weight"
        ):
            continue
        if tensor.name in {"rope_freqs.weight", "blk.1.exp_probs_b.bias"}:
            continue
        write_header(path, without(gguf, tensor.name))
        (fault, *_) = verify(path).faults
        assert fault.code == "missing-tensor", tensor.name
        assert tensor.name.partition(".")[2].partition(".")[2] in fault.message or tensor.name in fault.message


def test_many_blocks_are_one_finding(tmp_path: Path) -> None:
    gguf = tiny("qwen3")
    path = write_header(tmp_path / "m.gguf", without(without(gguf, "blk.0.ffn_up.weight"), "blk.1.ffn_up.weight"))
    assert faults(path) == ["2 blocks, the first of them blk.0, lack ffn_up.weight, which qwen3 needs"]


def test_either_of_two_ways_will_do(tmp_path: Path) -> None:
    gguf = tiny("qwen2")
    names = {f"blk.{block}.attn_{part}.{kind}" for block in (0, 1) for part in "qkv" for kind in ("weight", "bias")}
    fused = tuple(
        shaped(replace(each, name=each.name.replace("attn_output", "attn_qkv")), 64, 128)
        for each in gguf.tensors
        if "attn_output" in each.name
    )
    left = tuple(each for each in gguf.tensors if each.name not in names)
    path = write_header(tmp_path / "m.gguf", replace(gguf, tensors=(*left, *fused)))
    assert faults(path) == []
    write_header(path, replace(gguf, tensors=left))
    assert "lack attn_q.weight and attn_k.weight and attn_v.weight, which qwen2 needs" in faults(path)[0]


@pytest.mark.parametrize(
    ("entry", "words", "hint"),
    [
        (
            array_entry("tokenizer.ggml.eos_token_id", 4, [257, 256]),
            "is an array of 2, of type ARRAY",
            " 257 --type u32",
        ),
        (Entry.of("tokenizer.ggml.eos_token_id", 5, 257), "is 257, of type INT32", " 257 --type u32"),
        (Entry.of("tokenizer.ggml.pre", 8, "qwen22"), "does not know; did you mean", "tokenizer.ggml.pre NAME"),
        (Entry.of("tokenizer.ggml.model", 8, "gpt5"), "does not know", "tokenizer.ggml.model NAME"),
        (Entry.of("qwen3.rope.freq_base", 4, 10000), "of type UINT32, which llama.cpp refuses", " 10000 --type f32"),
        (Entry.of("qwen3.block_count", 10, 2), "of type UINT64, which llama.cpp refuses", " 2 --type u32"),
        (array_entry("qwen3.attention.head_count", 5, [2, 2, 2]), "has 3 items for 2 blocks", "convert"),
        (array_entry("qwen3.attention.head_count", 6, [2.0, 2.0]), "an array of FLOAT32", "convert"),
        (None, "qwen3.attention.layer_norm_rms_epsilon is missing, which qwen3 needs", "convert"),
    ],
)
def test_keys_that_llama_cpp_refuses(entry: Entry | None, words: str, hint: str, tmp_path: Path) -> None:
    gguf = changed(tiny("qwen3"), entry, "qwen3.attention.layer_norm_rms_epsilon")
    found = verify(write_header(tmp_path / "m.gguf", gguf))
    fault = found.faults[0]
    assert words in fault.message
    assert hint in fault.hint
    assert not found.ok


def test_the_command_of_the_hint_mends_the_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = "tokenizer.ggml.eos_token_id"
    path = write_sample(tmp_path / "m.gguf", metadata={key: array_entry(key, 4, [257, 256])})
    (fault,) = verify(path).faults
    command = [word.replace("FILE", str(path)) for word in fault.hint.partition("modelsmith ")[2].split()]
    assert run(command) == 0
    capsys.readouterr()
    assert faults(path) == []


@pytest.mark.parametrize("architecture", TINY)
def test_a_tensor_of_another_shape_than_the_keys_say(architecture: str, tmp_path: Path) -> None:
    gguf = tiny(architecture)
    for tensor in gguf.tensors:
        if tensor.name != "token_embd.weight":  # told with the vocabulary
            path = write_header(tmp_path / "m.gguf", bent(gguf, tensor.name, tensor.dims[0] + 32, *tensor.dims[1:]))
            (fault,) = verify(path).faults
            assert fault.code == "wrong-shape"
            assert f'tensor "{tensor.name}" is {tensor.dims[0] + 32}' in fault.message
            assert fault.expected == " x ".join(map(str, tensor.dims))


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("attention.head_count", 4, 'tensor "blk.0.attn_k.weight" is 64 x 32, but by the keys of the model it is 64 x 16'),
        ("attention.head_count_kv", 2, 'tensor "blk.0.attn_k.weight" is 64 x 32'),
        ("feed_forward_length", 96, 'tensor "blk.0.ffn_down.weight" is 64 x 64, but by the keys of the model it is 96 x 64'),
        ("rope.dimension_count", 7, "llama.rope.dimension_count is 7, which llama.cpp refuses"),
        ("attention.value_length", 48, "llama.attention.value_length is 48"),
        ("block_count", 0, "llama.block_count is 0"),
        ("expert_used_count", 2, "llama.expert_used_count is 2, which llama.cpp refuses"),
        ("expert_count", 4, "llama.expert_used_count is missing, which llama needs"),
    ],
)  # fmt: skip
def test_numbers_that_do_not_fit_each_other(key: str, value: int, words: str, tmp_path: Path) -> None:
    path = write_header(tmp_path / "m.gguf", changed(tiny("llama"), uint(f"llama.{key}", value)))
    found = faults(path)
    assert any(words in each for each in found), found


def test_tensors_that_llama_cpp_does_not_know(tmp_path: Path) -> None:
    gguf = tiny("qwen3")
    more = replace(gguf.tensors[1], name="blk.1.attn_z.weight"), replace(gguf.tensors[1], name="rope_scale.weight")
    path = write_header(tmp_path / "m.gguf", replace(gguf, tensors=(*gguf.tensors, *more)))
    assert [(each.code, each.message) for each in verify(path).faults] == [
        ("unknown-tensor", f'tensor "{each.name}" is none that qwen3 has') for each in more
    ]
    scale = shaped(replace(gguf.tensors[1], name="blk.1.attn_k.scale"), 1, kind="F32")
    wide = shaped(scale, 8)
    (wrong,) = faults(write_header(path, replace(gguf, tensors=(*gguf.tensors, wide))))
    assert 'tensor "blk.1.attn_k.scale" is 8, but by the keys of the model it is 1' in wrong
    without_its_matrix = replace(scale, name="blk.1.attn_qkv.scale")
    found = faults(write_header(path, replace(gguf, tensors=(*gguf.tensors, without_its_matrix))))
    assert 'tensor "blk.1.attn_qkv.scale" is none that qwen3 has' in found[0]
    vision = replace(gguf.tensors[1], name="v.blk.0.attn_q.weight")
    assert faults(write_header(path, replace(gguf, tensors=(*gguf.tensors, scale)))) == []
    assert (
        faults(write_header(path, replace(gguf, tensors=(*gguf.tensors, vision)))) == []
    )  # Ollama keeps them in one file


@pytest.mark.parametrize(
    ("name", "kind", "severity"),
    [
        ("blk.1.attn_norm.weight", "Q8_0", "error"),
        ("blk.1.attn_norm.weight", "I32", "error"),
        ("blk.1.attn_norm.weight", "F16", "error"),
        ("output_norm.weight", "BF16", "error"),
        ("blk.1.ffn_up.weight", "I8", "error"),
        ("blk.1.ffn_up.weight", "F64", "error"),
        ("blk.1.ffn_up.weight", "Q8_0", None),
        ("blk.1.ffn_up.weight", "BF16", None),
        ("token_embd.weight", "I32", "error"),
    ],
)
def test_types_that_llama_cpp_cannot_compute_with(name: str, kind: str, severity: str | None, tmp_path: Path) -> None:
    found = verify(write_header(tmp_path / "m.gguf", bent(tiny("qwen3"), name, kind=kind))).faults
    assert [(each.code, str(each.severity)) for each in found] == ([("wrong-type", severity)] if severity else [])
    assert all(f'tensor "{name}"' in each.message for each in found)


def test_keys_that_do_not_begin_with_the_architecture(tmp_path: Path) -> None:
    gguf = header(
        "apertus", {"block_count": 1, "context_length": 8, "embedding_length": 8}, [("token_embd.weight", (8, 8))]
    )
    keys = ("alpha_n", "alpha_p", "beta", "eps")
    entries = {f"xielu.{key}": array_entry(f"xielu.{key}", ValueType.FLOAT32, [0.5]) for key in keys}
    path = write_header(tmp_path / "m.gguf", replace(gguf, metadata=gguf.metadata.changed(entries)))
    assert not [each for each in faults(path) if "xielu" in each]
    found = faults(write_header(path, gguf))
    assert [each for each in found if "xielu" in each] == [
        f"xielu.{key} is missing, which apertus needs" for key in keys
    ]


def test_encoders_need_their_count_of_token_types() -> None:
    assert all("token_types == 0" in needs.refused for needs in map(needs_of, ("bert", "nomic-bert")) if needs)


def test_sizes_are_worked_out_as_llama_cpp_does() -> None:
    numbers = {
        "embedding_length": 96,
        "attention.head_count": 3,
        "attention.head_count_kv": [1, 3],
        "attention.key_length": 16,
    }
    numbers |= {"block_count": 3, "nextn_predict_layers": 1, "expert_shared_count": 2, "full_attention_interval": 2}
    tensors = [("blk.1.attn_norm.weight", (96,)), ("output.weight", (96, 5))]
    sizes = Sizes(header("qwen35", numbers, tensors))
    wanted = {
        "embedding_length": 96, "head_k * head": 48, "head_k * head_kv": 16, "head_k * head_kv(i)": 48, "head_v * head_kv(i)": 96, "head_v": 32,
        "rot // 2": 8, "layers": 2, "expert_feed_forward_length or embedding_length": 1, "2 * embedding_length - 3 * (head + 1)": 180,
        "expert_count": 0, "expert_shared_count": 2, "given(expert_group_count, 7)": 7, "embedding_length // expert_count": None, "ff": 0, "-i": -1,
        "recurrent(i)": 0, "recurrent(0)": 1, "head_kv(2)": 0, "i >= layers": 0, "'attn_norm.weight' in blk": 1, "'attn_norm.weight' not in blk(0)": 1,
        "'output.weight' in model": 1, "dim('attn_norm.weight', 0)": 96, "dim('output.weight', 1)": 5, "dim('nosuch', 0)": None,
        "has_key(block_count)": 1, "is_number(attention.head_count_kv)": 0, "length(attention.head_count_kv)": 2, "attention.head_count_kv[1]": 3,
        "1 if layers == 2 else vocab": 1, "min(3, 2) + max(1, 4)": 6, "not vocab": None, "vocab and 0": 0, "vocab or 1": 1, "vocab > 3": None,
        "rope_scaling": 1, "labels": 1, "head_k_swa": 16,
    }  # fmt: skip
    assert {name: sizes.value(name, 1) for name in wanted} == wanted


def test_what_no_table_may_hold() -> None:
    for text in ("print(1, 2)", "[1]", "f()", "'a' in head", "lambda: 1", "1.5", "key.name()"):
        with pytest.raises(ValueError, match=r"no name|nothing that a table|no function|holds no tensors"):
            compiled(text)
    assert names_of("given(a.b, c) + swa(i) if 'x' in blk(layers) else d[i]") == ("layers", "a.b", "c", "swa", "i", "d")


@pytest.mark.parametrize("architecture", known_architectures())
def test_every_expression_of_the_table_can_be_worked_out(architecture: str) -> None:
    needs = needs_of(architecture)
    assert needs is not None
    sizes = Sizes(header(architecture, {"block_count": 2}, []))
    tensors = [need for table in (needs.outer, needs.block) for wanted in table.values() for need in wanted]
    texts = [*needs.let.values(), *needs.refused, *(part for need in tensors for part in need.shape)]
    texts += [text for need in (*needs.keys, *tensors) if (text := need.when)] + [
        need.length for need in needs.keys if need.length
    ]
    assert any(need.is_needed for need in tensors)
    for text in texts:
        sizes.value(text, 1)
        unknown = [name for name in names_of(text) if name.endswith("_") and name not in needs.let]
        assert not unknown, text


@pytest.mark.parametrize(
    ("numbers", "gone", "words"),
    [
        ({"expert_shared_count": 1}, "ffn_up_shexp.weight", "blk.1 lacks ffn_up_shexp.weight"),
        ({"leading_dense_block_count": 0}, "", "blk.0 lacks ffn_gate_inp.weight"),
        ({"leading_dense_block_count": 2}, "", "blk.1 lacks ffn_gate.weight and ffn_up.weight and ffn_down.weight"),
        ({"nextn_predict_layers": 1}, "", ""),
    ],
)
def test_tensors_that_are_needed_under_a_condition(
    numbers: dict[str, int], gone: str, words: str, tmp_path: Path
) -> None:
    gguf = tiny("deepseek2")
    for key, value in numbers.items():
        gguf = changed(gguf, uint(f"deepseek2.{key}", value))
    found = faults(write_header(tmp_path / "m.gguf", without(gguf, f"blk.1.{gone}")))
    assert any(words in fault for fault in found) if words else not any("lack" in fault for fault in found), found


def test_blocks_that_predict_further_tokens(tmp_path: Path) -> None:
    """They may all be missing, and where they begin each of their tensors is needed."""
    gguf = (
        changed(tiny("qwen3"), None, "qwen3.rope.freq_base")
        if "qwen3.rope.freq_base" in tiny("qwen3").metadata
        else tiny("qwen3")
    )
    entries = {entry.key.decode().replace("qwen3.", "glm4moe."): entry for entry in gguf.metadata.entries}
    entries = {key: replace(entry, key=key.encode()) for key, entry in entries.items()}
    entries["general.architecture"] = Entry.of("general.architecture", ValueType.STRING, "glm4moe")
    for key, value in (
        ("nextn_predict_layers", 1),
        ("expert_count", 2),
        ("expert_used_count", 1),
        ("expert_feed_forward_length", 32),
        ("expert_shared_count", 1),
        ("leading_dense_block_count", 2),
    ):
        entries[f"glm4moe.{key}"] = uint(f"glm4moe.{key}", value)
    names = [f"blk.1.{name}.weight" for name in ("nextn.eh_proj", "nextn.enorm")]
    first = next(tensor for tensor in gguf.tensors if tensor.name == "output_norm.weight")
    tensors = (*gguf.tensors, *(replace(first, name=name) for name in names))
    found = faults(write_header(tmp_path / "m.gguf", replace(gguf, metadata=Metadata(entries), tensors=tensors)))
    assert any("blk.1 lacks" in fault and "nextn.hnorm.weight" in fault for fault in found), found


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (
            Entry.of("llama.rope.scaling.type", ValueType.STRING, "foo"),
            "llama.rope.scaling.type = foo: llama.cpp refuses",
        ),
        (
            Entry.of("llama.attention.layer_norm_rms_epsilon", ValueType.FLOAT32, -1.0),
            "epsilon is -1.0, which llama.cpp refuses",
        ),
        (uint("llama.attention.head_count", 1000), "llama.cpp refuses"),
        (uint("llama.rope.dimension_count", 64), "llama.rope.dimension_count is 64, which llama.cpp refuses"),
    ],
)
def test_values_that_llama_cpp_refuses(entry: Entry, words: str, tmp_path: Path) -> None:
    found = faults(write_header(tmp_path / "m.gguf", changed(tiny("llama"), entry)))
    assert any(words in fault for fault in found), found


def test_marks_of_the_template_that_are_cut_into_pieces(tmp_path: Path) -> None:
    kinds = array_entry("tokenizer.ggml.token_type", 5, [1] * 260)
    path = write_header(tmp_path / "m.gguf", changed(tiny("qwen3"), kinds))
    (fault,) = verify(path).faults  # llama.cpp takes <|im_end|> for a control token by its text
    assert fault.code == "normal-special"
    assert "token 256 '<|im_start|>' is of type NORMAL" in fault.message
    assert path.read_bytes()[fault.offset or 0] == 1
    assert "'tokenizer.ggml.token_type[256]' 3" in fault.hint
    assert "<|im_end|>" in retyped()


def test_a_model_without_a_vocabulary_says_its_size_by_a_key(tmp_path: Path) -> None:
    gguf = changed(tiny("llama"), Entry.of("tokenizer.ggml.model", ValueType.STRING, "none"))
    assert not any("rows" in fault for fault in faults(write_header(tmp_path / "m.gguf", gguf)))
    found = faults(write_header(tmp_path / "m.gguf", changed(gguf, None, "llama.vocab_size")))
    assert any("has 260 rows for 0 tokens" in fault for fault in found)


def test_what_is_not_in_the_table_is_not_judged(tmp_path: Path) -> None:
    assert needs_of("nosuch") is None
    path = write_header(tmp_path / "m.gguf", header("nosuch", {"block_count": 1}, [("blk.0.x.weight", (8, 8))]))
    assert faults(path) == []


def test_names_without_an_ending() -> None:
    needs = needs_of("mamba")
    assert needs is not None
    assert {"ssm_a", "ssm_d", "ssm_dt.bias", "ssm_in.weight"} <= set(needs.block)


def test_a_file_of_the_vocabulary_only_is_sound(tmp_path: Path) -> None:
    assert faults(write_header(tmp_path / "m.gguf", replace(tiny("qwen3"), tensors=()))) == []


def test_the_tables() -> None:
    assert {"qwen2", "llama-bpe", "deepseek-r1-qwen", "default"} <= known_pretokenizers()
    assert {"gpt2", "llama", "bert", "t5"} <= known_tokenizers()
    assert all(needs_of(shape.architecture) for shape in SHAPES.values())


LOAD = """
import json, os, sys, xllamacpp as x
alive = []  # a server that is let go right after its start may wait for ever
for path in sys.argv[1:]:
    params = x.CommonParams()
    params.model.path, params.n_ctx, params.cpuparams.n_threads = path, 256, 1
    params.warmup = params.fit_params = False
    try:
        alive.append(x.Server(params))
        print(json.dumps([path, True]), flush=True)
    except Exception:
        print(json.dumps([path, False]), flush=True)
os._exit(0)
"""


def loaded(paths: list[Path]) -> dict[str, bool]:
    """Return which files llama.cpp loads."""
    done = subprocess.run(
        [sys.executable, "-c", LOAD, *map(str, paths)], capture_output=True, text=True, timeout=600, check=False
    )
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('["/')]
    return {Path(path).name: good for path, good in rows}


@pytest.mark.skipif(find_spec("xllamacpp") is None, reason="llama.cpp is not here: pip install xllamacpp")
@pytest.mark.parametrize("architecture", TINY)
def test_llama_cpp_refuses_what_verify_finds(architecture: str, tmp_path: Path) -> None:
    paths = [write_header(tmp_path / f"{name}.gguf", gguf) for name, gguf in _files(architecture)]
    answers = loaded(paths)
    for path in paths:
        assert answers[path.name] is not any(each.severity == "error" for each in verify(path).faults), path.name


def _files(architecture: str) -> Iterator[tuple[str, GGUFFile]]:
    gguf = tiny(architecture)
    yield "sound", gguf
    for tensor in gguf.tensors:
        if tensor.name.startswith("blk.1.") and not tensor.name.endswith("bias"):
            yield tensor.name, without(gguf, tensor.name)
    yield "ids", changed(gguf, array_entry("tokenizer.ggml.eos_token_id", 4, [257, 256]))
    yield "signed", changed(gguf, Entry.of("tokenizer.ggml.eos_token_id", 5, 257))
    yield "pre", changed(gguf, Entry.of("tokenizer.ggml.pre", 8, "qwen22"))
    yield "kind", changed(gguf, Entry.of("tokenizer.ggml.model", 8, "gpt5"))
    yield "epsilon", changed(gguf, None, f"{architecture}.attention.layer_norm_rms_epsilon")
    yield "base", changed(gguf, Entry.of(f"{architecture}.rope.freq_base", 4, 10000))
    for name in ("blk.1.attn_norm.weight", "blk.1.attn_output.weight"):
        tensor = next(each for each in gguf.tensors if each.name == name)
        yield f"shape of {name}", bent(gguf, name, *tensor.dims[:-1], tensor.dims[-1] + 32)
    yield "heads", changed(gguf, uint(f"{architecture}.attention.head_count", 3))
    yield "odd", replace(gguf, tensors=(*gguf.tensors, replace(gguf.tensors[0], name="blk.1.odd.weight")))
    yield "long", changed(gguf, Entry.of(f"{architecture}.context_length", 10, 512))
