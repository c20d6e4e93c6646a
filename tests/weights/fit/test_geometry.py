"""What each kind of architecture keeps of a token and of a conversation: every expected number was computed by hand."""

from __future__ import annotations

import pytest
from fit_models import Value, header, layers, model
from hypothesis import given, settings
from hypothesis import strategies as st

from modelsmith.errors import InvalidGGUF, ModelsmithError, UsageError
from modelsmith.weights.fit.fit import estimate, longest_context
from modelsmith.weights.fit.machine import Machine
from modelsmith.weights.fit.memory import cache_of, cells_of, compute, state_of
from modelsmith.weights.fit.model import FitModel
from modelsmith.weights.fit.settings import FitSettings

AT_4K = FitSettings(context=4096)


def cache(subject: FitModel, asked: FitSettings = AT_4K) -> int:
    return sum(cache_of(subject, layer, asked) for layer in subject.layers)


def states(subject: FitModel, asked: FitSettings = AT_4K) -> int:
    return sum(state_of(layer, asked) for layer in subject.layers)


def test_grouped_queries() -> None:
    # 2 heads x 32 numbers, keys and values, 2 bytes, 4 layers, 4096 tokens
    assert cache(model("llama")) == 2 * 32 * 2 * 2 * 4 * 4096


def test_heads_are_as_wide_as_the_file_says() -> None:
    subject = model("qwen3", attention__key_length=128, attention__value_length=64)
    assert cache(subject) == 4096 * 4 * (2 * 128 + 2 * 64) * 2


def test_without_a_number_of_heads_for_keys_there_are_as_many_as_for_queries() -> None:
    subject = FitModel.of_parts(
        [header("llama", {"block_count": 1, "embedding_length": 256, "attention.head_count": 8}, layers(1))]
    )
    assert cache(subject) == 4096 * 256 * 2 * 2


def test_heads_may_differ_from_layer_to_layer() -> None:
    subject = model("deci", attention__head_count_kv=[2, 0, 4, 1])
    assert cache(subject) == 4096 * (2 + 0 + 4 + 1) * 32 * 2 * 2
    flat = FitSettings(context=4096, flash_attention=False)
    # without flash attention the values of every layer that has any are padded to the widest (4 heads)
    assert cache(subject, flat) == 4096 * 32 * 2 * ((2 + 4) + (4 + 4) + (1 + 4))


@pytest.mark.parametrize(("name", "bits"), [("f32", 32), ("q8_0", 8.5), ("q5_1", 6), ("q4_0", 4.5), ("bf16", 16)])
def test_types_of_the_cache(name: str, bits: float) -> None:
    assert cache(model("llama"), FitSettings(context=4096, keys=name, values=name)) == 4096 * 4 * 2 * 64 * bits / 8


def test_a_cache_in_blocks_needs_heads_of_whole_blocks() -> None:
    subject = model("llama", attention__key_length=80, attention__value_length=80)
    with pytest.raises(UsageError, match="multiple of 32 numbers, these have 80"):
        cache(subject, FitSettings(keys="q8_0", values="q8_0"))


def test_values_in_blocks_need_flash_attention() -> None:
    with pytest.raises(UsageError, match="flash attention"):
        FitSettings(values="q8_0", flash_attention=False)
    assert FitSettings(keys="q8_0", flash_attention=False).values == "f16"


def test_compressed_attention_keeps_one_row_of_keys() -> None:
    subject = model(
        "deepseek2",
        attention__head_count=16,
        attention__head_count_kv=1,
        attention__key_length=576,
        attention__value_length=512,
        attention__key_length_mla=192,
        attention__value_length_mla=128,
    )
    assert cache(subject) == 4 * 4096 * 576 * 2  # 512 compressed + 64 positions; no values
    old = model("deepseek2", attention__head_count_kv=8, attention__key_length=192, attention__value_length=128)
    assert cache(old) == 4 * 4096 * 8 * (192 + 128) * 2


@pytest.mark.parametrize(
    ("architecture", "count", "keys", "slides"),
    [
        ("gemma2", 4, {}, [4096, 0, 4096, 0]),
        ("gemma2", 4, {"attention__sliding_window": 1024}, [1024, 0, 1024, 0]),
        ("gemma3", 7, {"attention__sliding_window": 512}, [512] * 5 + [0, 512]),
        ("gemma3", 4, {}, [0] * 4),
        ("gemma3", 4, {"attention__sliding_window": 512, "attention__sliding_window_pattern": 2}, [512, 0, 512, 0]),
        ("gpt-oss", 4, {"attention__sliding_window": 128}, [128, 0, 128, 0]),
        ("cohere2", 5, {"attention__sliding_window": 4096}, [4096, 4096, 4096, 0, 4096]),
        ("llama4", 5, {}, [8192, 8192, 8192, 0, 8192]),
        ("llama4", 4, {"attention__sliding_window": 0}, [0] * 4),
        ("llama4", 4, {"attention__sliding_window": 77}, [8192, 8192, 8192, 0]),
        ("smallthinker", 5, {"attention__sliding_window": 99}, [0, 4096, 4096, 4096, 0]),
        ("exaone4", 30, {"attention__sliding_window": 4096}, [0] * 30),
        ("gemma3", 3, {"attention__sliding_window": 512}, [512] * 3),
        ("phi3", 4, {"attention__sliding_window": 2047}, [0] * 4),
        ("llama", 4, {"attention__sliding_window": 4096}, [0] * 4),
        (
            "gemma4",
            4,
            {"attention__sliding_window": 64, "attention__sliding_window_pattern": [True, False, False, True]},
            [64, 0, 0, 64],
        ),
    ],
)
def test_sliding_windows(architecture: str, count: int, keys: dict[str, int], slides: list[int]) -> None:
    assert [layer.window for layer in model(architecture, count, **keys).layers] == slides


def test_hybrids_with_a_window_keep_it_in_all_layers_with_attention() -> None:
    """Of this llama.cpp logs 0.50 MiB: 1024 cells (the window and a batch), 2 layers; without the window 1.00 MiB."""
    keys: dict[str, Value] = {"attention__head_count_kv": [0, 2, 0, 2], "shortconv__l_cache": 3}
    asked = FitSettings(context=2048)
    assert cache(model("lfm2", **keys), asked) == 1 << 20
    assert cache(model("lfm2", **keys, attention__sliding_window=512), asked) == 1 << 19


def test_which_layers_of_minimax_keep_tokens() -> None:
    """Of 8 layers llama.cpp logs a cache of 1 layer, and 0.22 MiB of states: of 7."""
    subject = model("minimax-01", 8, attention__key_length=32)
    assert [bool(layer.keys) for layer in subject.layers] == [False] * 7 + [True]
    assert states(subject) == 7 * 4 * 8 * 32 * 32


def test_a_window_keeps_itself_and_one_batch() -> None:
    subject = model("gpt-oss", attention__sliding_window=128)
    near, far = subject.layers[0], subject.layers[1]
    assert cells_of(near, FitSettings(context=16384)) == 768  # 128 + 512 = 640, padded to a multiple of 256
    assert cells_of(far, FitSettings(context=16384)) == 16384
    assert cells_of(near, FitSettings(context=16384, whole_window=True)) == 16384
    assert cells_of(near, FitSettings(context=300)) == 512  # never more than the context
    assert cells_of(near, FitSettings(context=16384, parallel=4)) == 768  # of each request


def test_layers_with_a_window_may_have_heads_of_their_own_width() -> None:
    subject = model(
        "gemma4", 2, attention__sliding_window=64, attention__sliding_window_pattern=[True, False],
        attention__key_length=64, attention__value_length=64, attention__key_length_swa=32, attention__value_length_swa=32,
    )  # fmt: skip
    assert [(layer.keys, layer.values) for layer in subject.layers] == [(64, 64), (128, 128)]


def test_layers_that_share_the_cache_of_others() -> None:
    assert [bool(each.keys) for each in model("gemma4", attention__shared_kv_layers=1).layers] == [True] * 3 + [False]
    assert sum(bool(each.keys) for each in model("gemma3n", 30, attention__sliding_window=512).layers) == 20


def test_mamba_keeps_a_state_and_no_tokens() -> None:
    subject = model(
        "mamba", attention__head_count=0, attention__head_count_kv=0,
        ssm__conv_kernel=4, ssm__inner_size=512, ssm__state_size=16, ssm__time_step_rank=16,
    )  # fmt: skip
    assert cache(subject) == 0
    assert states(subject) == 4 * 4 * (3 * 512 + 16 * 512)
    assert states(subject, FitSettings(context=1 << 20, parallel=3)) == 3 * states(subject)


def test_hybrids_keep_either() -> None:
    ssm = {"ssm__conv_kernel": 4, "ssm__inner_size": 512, "ssm__state_size": 128, "ssm__group_count": 1}
    jamba = model("jamba", attention__head_count_kv=[0, 0, 2, 0], **ssm)
    assert cache(jamba) == 4096 * 2 * 32 * 2 * 2
    assert states(jamba) == 3 * 4 * (3 * (512 + 2 * 128) + 128 * 512)
    qwen = model("qwen3next", **ssm)
    assert [bool(layer.keys) for layer in qwen.layers] == [False, False, False, True]
    lfm = model("lfm2", attention__head_count_kv=[0, 2, 0, 2], shortconv__l_cache=3)
    assert states(lfm) == 2 * 4 * 256 * 2
    assert [bool(layer.state) for layer in lfm.layers] == [True, False, True, False]
    both = model("falcon-h1", **ssm)
    assert all(layer.state and layer.keys for layer in both.layers)


def test_rwkv() -> None:
    subject = model("rwkv7", attention__head_count=0, wkv__head_size=64)
    assert states(subject) == 4 * 4 * (2 * 256 + 256 * 64)


def test_encoders_keep_nothing() -> None:
    subject = model("bert")
    assert cache(subject) == 0


def test_the_context_is_padded_and_split_among_requests() -> None:
    assert FitSettings(context=1000).cells == 1024
    assert FitSettings(context=1000, parallel=3).cells == 1024  # 3000 -> 3072
    assert cache(model("llama"), FitSettings(context=4096, parallel=2)) == 2 * cache(model("llama"))


def test_room_to_compute() -> None:
    subject = model("llama")
    # attention: queries, keys, values and what goes in; x 512 tokens x 4 bytes; the mask: 4096 x 512 x 2 bytes
    assert compute(subject, subject.layers, AT_4K, output=True) == (
        3 * 256 + 64 + 64 + 4 * 256
    ) * 2048 + 4096 * 1024 + (32 << 10)
    flat = FitSettings(context=4096, flash_attention=False)
    # attention: scores of 8 heads, queries, keys, values and what goes in; the mask in 32 bits
    wide = 4096 * 8 + 3 * 256 + 64 + 64 + 3 * 256
    assert compute(subject, subject.layers, flat, output=True) == wide * 2048 + 4096 * 2048 + (32 << 10)
    everything = FitSettings(context=4096, outputs=512, batch=8192, ubatch=512)
    assert compute(subject, subject.layers, everything, output=True) == max(
        (3 * 256 + 64 + 64 + 4 * 256) * 2048, (1000 + 256 + 256) * 2048
    ) + 4096 * 1024 + (32 << 10)


@pytest.mark.parametrize(
    ("tensors", "alive"),
    [
        ({"up": (64, 512), "gate": (64, 512), "down": (512, 64)}, 3 * 512),
        ({"up": (64, 1024), "down": (512, 64)}, 1024 + 512),  # Phi-3: up and gate in one
        ({"up": (64, 512), "down": (512, 64)}, 512),  # GPT-2, StarCoder: no gate
    ],
)
def test_feed_forward(tensors: dict[str, tuple[int, int]], alive: int) -> None:
    numbers = {"block_count": 1, "embedding_length": 64, "attention.head_count": 1, "feed_forward_length": 7}
    found = header("llama", numbers, [(f"blk.0.ffn_{part}.weight", dims) for part, dims in tensors.items()])
    assert FitModel.of_parts([found]).feed_forward == alive


def test_experts_are_found_by_their_tensors() -> None:
    tensors = [*layers(1), ("blk.0.ffn_up_exps.weight", (256, 64, 8)), ("blk.0.ffn_up_shexp.weight", (256, 64))]
    numbers = {"block_count": 1, "embedding_length": 256, "attention.head_count": 8}
    subject = FitModel.of_parts([header("qwen2moe", numbers | {"expert_count": 8, "expert_used_count": 2}, tensors)])
    assert subject.layers[0].experts == 256 * 64 * 8 * 2
    assert subject.expert_width == 64
    assert subject.layers[0].weights == 256 * 4 + 2 * (256 * 256 + 256 * 512 + 256 * 64 * 8 + 256 * 64)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"block_count": 0}, r"llama\.block_count is 0, and must be within 1 and 1024"),
        ({"block_count": 4_000_000_000}, r"llama\.block_count is 4000000000"),
        ({"embedding_length": 0}, r"llama\.embedding_length is 0"),
        ({"attention__head_count": 0}, r"llama\.attention\.head_count is 0, and without heads there is no attention"),
        ({"attention__head_count": 1 << 31}, r"llama\.attention\.head_count is 2147483648"),
        ({"attention__head_count_kv": -1}, r"llama\.attention\.head_count_kv is -1"),
        ({"attention__head_count_kv": [2, 2]}, r"head_count_kv is <array of 2 INT32>, and the model has 4 layers"),
        ({"attention__key_length": "many"}, r"llama\.attention\.key_length is 'many', which is no whole number"),
        ({"context_length": 1 << 40}, r"llama\.context_length is 1099511627776"),
        ({"expert_count": 1 << 20}, r"llama\.expert_count is 1048576"),
    ],
)
def test_numbers_that_cannot_be_true(keys: dict[str, int], message: str) -> None:
    with pytest.raises(InvalidGGUF, match=message):
        model("llama", **keys)


NUMBER = st.one_of(st.integers(-2, 9), st.integers(-(1 << 63), (1 << 63) - 1), st.lists(st.integers(0, 9), min_size=1))


@given(
    architecture=st.sampled_from(
        ["llama", "deepseek2", "gemma3", "gemma4", "jamba", "mamba", "nemotron_h", "qwen3next"]
    ),
    keys=st.dictionaries(
        st.sampled_from(
            (
                "block_count",
                "attention__head_count",
                "attention__head_count_kv",
                "attention__key_length",
                "attention__key_length_mla",
                "attention__value_length_mla",
                "attention__sliding_window",
                "attention__sliding_window_pattern",
                "attention__shared_kv_layers",
                "ssm__inner_size",
                "ssm__state_size",
                "expert_count",
                "expert_used_count",
            )
        ),
        NUMBER,
    ),
)
@settings(max_examples=60)
def test_no_number_breaks_it(architecture: str, keys: dict[str, int]) -> None:
    """Whatever the numbers are: an estimate, or a sentence that says what is wrong."""
    outcome = ""
    try:
        subject = model(architecture, **keys)
        estimate(subject, AT_4K, Machine.of((1 << 30,)))
        outcome = f"{longest_context(subject, AT_4K, Machine.of((1 << 30,)))}"
    except ModelsmithError as error:
        outcome = error.hint
    assert outcome


def test_what_is_missing_is_named() -> None:
    with pytest.raises(InvalidGGUF, match=r"llama\.embedding_length is missing"):
        FitModel.of_parts([header("llama", {"block_count": 1}, layers(1))])
    with pytest.raises(InvalidGGUF, match=r"mamba\.ssm\.inner_size is missing"):
        model("mamba", attention__head_count=0)
    with pytest.raises(InvalidGGUF, match="no tensor belongs to one of its 2 layers"):
        FitModel.of_parts([header("llama", {"block_count": 2, "embedding_length": 8}, [])])
    with pytest.raises(InvalidGGUF, match=r'tensor "blk\.3\.attn_norm\.weight" is of layer 3'):
        FitModel.of_parts(
            [header("llama", {"block_count": 3, "embedding_length": 256, "attention.head_count": 8}, layers(4))]
        )


def test_other_files_are_no_models() -> None:
    with pytest.raises(UsageError, match="is no model but an adapter"):
        FitModel.of_parts([header("llama", {}, [], others={"general.type": "adapter"})])
