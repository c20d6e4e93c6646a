"""Where a model goes: cards, main memory, experts, several cards, the longest context; and the known shapes."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import pytest
from fit_models import header, layers, model
from hypothesis import given
from hypothesis import strategies as st

from modelsmith.errors import UsageError
from modelsmith.weights.fit.explain import explain, memory_text
from modelsmith.weights.fit.extras import Extras, picture_room, with_adapter, with_draft, with_projector
from modelsmith.weights.fit.fit import Verdict, estimate, fits_in, longest_context
from modelsmith.weights.fit.known import LATEST, SHAPES
from modelsmith.weights.fit.machine import GPU_OVERHEAD, Machine
from modelsmith.weights.fit.model import FitModel
from modelsmith.weights.fit.settings import FitSettings, parse_context, parse_memory
from modelsmith.weights.fit.shapes import known_shape, shape_header, shape_model
from modelsmith.weights.quantize.choose import choose
from modelsmith.weights.quantize.wishes import Wishes

GIB = 1 << 30
BIG = shape_model("deepseek-r1:32b")


def card(*sizes: float, ram: int | None = None) -> Machine:
    return Machine.of(tuple(int(size * GIB) for size in sizes), ram)


def test_weights_go_where_llama_cpp_puts_them() -> None:
    fit = estimate(BIG, FitSettings(4096), card(24))
    gpu, ram = fit.placement.devices
    assert fit.verdict is Verdict.WHOLE
    assert gpu.weights == BIG.weights - BIG.input
    assert ram.weights == BIG.input
    assert gpu.cache == 64 * 8 * 128 * 2 * 2 * 4096 == GIB
    assert ram.cache == 0
    assert gpu.overhead == GPU_OVERHEAD + 27648 * 512 * 36 // 32  # what goes into the widest matrix, in blocks


def test_what_does_not_fit_is_split() -> None:
    fit = estimate(BIG, FitSettings(4096), card(16))
    assert fit.verdict is Verdict.PARTLY
    gpu, ram = fit.placement.devices
    assert gpu.total <= 16 * GIB
    assert gpu.layers + ram.layers == 64
    assert gpu.weights + ram.weights == BIG.weights
    more = estimate(BIG, FitSettings(4096, gpu_layers=fit.placement.gpu_layers + 1), card(16))
    assert more.verdict is Verdict.NOT


def test_main_memory_may_be_too_small_as_well() -> None:
    assert estimate(BIG, FitSettings(4096), card(16, ram=2 * GIB)).verdict is Verdict.NOT
    assert estimate(BIG, FitSettings(4096), card(16, ram=8 * GIB)).verdict is Verdict.PARTLY
    assert estimate(BIG, FitSettings(4096), Machine(ram=16 * GIB)).verdict is Verdict.NOT
    assert estimate(BIG, FitSettings(4096), Machine(ram=24 * GIB)).verdict is Verdict.WHOLE
    assert estimate(BIG, FitSettings(4096), Machine()).verdict is Verdict.WHOLE


def test_several_cards_share_the_layers() -> None:
    fit = estimate(BIG, FitSettings(8192), card(15, 15))
    assert fit.verdict is Verdict.WHOLE
    assert [gpu.layers for gpu in fit.placement.gpus] == [33, 31]  # the scores are the 65th layer, on the last card
    uneven = estimate(BIG, FitSettings(8192, tensor_split=(3, 1)), card(24, 24))
    assert [gpu.layers for gpu in uneven.placement.gpus] == [49, 15]


def test_experts_in_main_memory() -> None:
    tensors = [*layers(2), *((f"blk.{layer}.ffn_up_exps.weight", (256, 64, 8)) for layer in range(2))]
    numbers = {
        "block_count": 2,
        "embedding_length": 256,
        "attention.head_count": 8,
        "expert_count": 8,
        "expert_used_count": 2,
    }
    subject = FitModel.of_parts([header("qwen3moe", numbers, tensors)])
    size = 256 * 64 * 8 * 2
    usual = estimate(subject, FitSettings(), card(8)).placement
    away = estimate(subject, FitSettings(cpu_experts=1), card(8)).placement
    assert usual.gpus[0].weights - away.gpus[0].weights == size == away.ram.weights - usual.ram.weights
    assert away.gpus[0].compute == usual.gpus[0].compute + max(size, 256 * 512 * 2)
    assert usual.whole
    assert not away.whole


def test_tied_embeddings_are_needed_twice_on_a_card() -> None:
    tensors = [each for each in layers(2) if each[0] != "output.weight"]
    subject = FitModel.of_parts(
        [header("llama", {"block_count": 2, "embedding_length": 256, "attention.head_count": 8}, tensors)]
    )
    size = 256 * 1000 * 2
    assert subject.duplicate == subject.input == size
    assert subject.output == 0
    assert estimate(subject, FitSettings(), card(8)).placement.ram.weights == size
    whole = estimate(subject, FitSettings(), card(8)).placement
    assert whole.gpus[0].weights == subject.weights == subject.on_card
    assert estimate(subject, FitSettings(), Machine()).placement.ram.weights == subject.weights


def test_the_longest_context() -> None:
    longest = longest_context(BIG, FitSettings(), card(24))
    assert longest == 20736
    assert estimate(BIG, FitSettings(longest), card(24)).verdict is Verdict.WHOLE
    assert estimate(BIG, FitSettings(longest + 256), card(24)).verdict is not Verdict.WHOLE
    assert longest_context(BIG, FitSettings(), card(16)) == 0
    assert longest_context(BIG, FitSettings(), card(80)) == 131072
    assert longest_context(BIG, FitSettings(), card(80), longest=5000) == 5000
    assert longest_context(BIG, FitSettings(keys="q8_0", values="q8_0"), card(24)) > 1.8 * longest


@given(
    context=st.integers(1, 1 << 18),
    parallel=st.integers(1, 8),
    vram=st.integers(1, 40),
    flash=st.booleans(),
)
def test_laws(context: int, parallel: int, vram: int, flash: bool) -> None:
    settings = FitSettings(context, parallel=parallel, flash_attention=flash)
    fit = estimate(BIG, settings, card(vram))
    longer = estimate(BIG, replace(settings, context=context + 256), card(vram))
    larger = estimate(BIG, settings, card(vram + 1))
    assert larger.placement.gpu_layers >= fit.placement.gpu_layers
    assert longer.placement.gpu_layers <= fit.placement.gpu_layers
    assert sum(device.cache for device in fit.placement.devices) == 64 * 4096 * settings.cells * parallel
    assert sum(device.weights for device in fit.placement.devices) == BIG.weights
    assert fit.verdict is Verdict.NOT or all(device.fits for device in fit.placement.devices)


def test_files_beside_the_model() -> None:
    projector = header(
        "clip",
        {
            "has_vision_encoder": True,
            "vision.image_size": 896,
            "vision.patch_size": 14,
            "vision.embedding_length": 1152,
            "vision.feed_forward_length": 4304,
            "vision.attention.head_count": 16,
        },
        [("v.patch_embd.weight", (14, 14, 3, 1152)), ("mm.input_projection.weight", (2560, 1152))],
    )
    settings = FitSettings()
    extras = with_projector(Extras(), projector, settings)
    assert extras.projector == 2 * (14 * 14 * 3 * 1152 + 2560 * 1152)
    assert extras.pictures == 4 * 4096 * (4304 + 6 * 1152)
    assert picture_room(projector, replace(settings, flash_attention=False)) == 4 * (4 * 1152 * 4096 + 16 * 4096**2)
    adapter = header("llama", {}, [("blk.0.attn_q.weight.lora_a", (256, 8))], others={"general.type": "adapter"})
    assert with_adapter(extras, adapter).adapters == 2 * 256 * 8
    draft = with_draft(extras, model("llama"), settings).draft
    small = model("llama")
    assert draft > small.weights - small.input + 4 * 4096 * 64 * 2 * 2
    fit = estimate(BIG, settings, card(24), extras)
    assert fit.placement.gpus[0].extras == extras.on_gpu
    for wrong in (with_adapter, lambda extras, file: with_projector(extras, file, settings)):
        with pytest.raises(UsageError, match=r"model\.gguf is no (adapter|projector) but a model"):
            wrong(extras, header("llama", {"block_count": 1}, []))


def test_a_vision_part_inside_the_model_is_counted() -> None:
    tensors = [*layers(2), ("v.patch_embd.weight", (14, 14, 3, 64)), ("mm.0.weight", (64, 256))]
    subject = FitModel.of_parts(
        [header("llama", {"block_count": 2, "embedding_length": 256, "attention.head_count": 8}, tensors)]
    )
    assert subject.pictures == 2 * (14 * 14 * 3 * 64 + 64 * 256)
    assert estimate(subject, FitSettings(), card(8)).placement.gpus[0].extras == subject.pictures


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("1.5b", 1.11),
        ("7b", 4.67712),
        ("8b", 5.02),
        ("8b-llama-distill", 4.91),
        ("14b", 8.98),
        ("32b", 19.85),
        ("70b", 42.5),
    ],
)
def test_known_shapes_have_the_sizes_of_the_published_files(name: str, size: float) -> None:
    assert shape_model(f"deepseek-r1:{name}").weights / 1e9 == pytest.approx(size, rel=2e-3)


def test_the_sizes_of_a_shape_are_exact() -> None:
    seven = shape_model("deepseek-r1:7b")
    assert abs(seven.weights - (4_683_073_248 - 5_953_246)) < 32 * 339  # the published file less its header; padding


def test_an_unknown_shape_names_the_known() -> None:
    with pytest.raises(UsageError, match='did you mean "deepseek-r1:32b"'):
        known_shape("deepseek-r1:23b")
    assert all(shape.source.startswith("https://huggingface.co/") for shape in SHAPES.values())


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("deepseek-r1:1.5b", 1_777_088_000),
        ("deepseek-r1:671b", 671_026_419_200),
        ("qwq:32b", 32_763_876_352),
        ("qwen3:0.6b", 596_049_920),
        ("qwen3:1.7b", 1_720_574_976),
        ("qwen3:4b", 4_022_468_096),
        ("qwen3:8b", 8_190_735_360),
        ("qwen3:14b", 14_768_307_200),
        ("qwen3:30b", 30_532_122_624),
        ("qwen3:32b", 32_762_123_264),
        ("qwen3:235b", 235_093_634_560),
        ("gemma3:270m", 268_098_176),
        ("gemma3:1b", 999_885_952),
        # the publisher's counts, less the part for pictures and the 64 rows of the vocabulary that converters leave out
        ("gemma3:4b", 4_300_079_472 - (416_866_032 + 1152 + 1152 * 2560) - 64 * 2560),
        ("gemma3:12b", 12_187_325_040 - (416_866_032 + 1152 + 1152 * 3840) - 64 * 3840),
        ("gemma3:27b", 27_432_406_640 - (416_866_032 + 1152 + 1152 * 5376) - 64 * 5376),
        ("llama3:8b", 8_030_261_248),
        ("llama3.1:70b", 70_553_706_496),
        ("llama3.1:405b", 405_853_388_800),
        ("llama3.2:1b", 1_235_814_400),
        ("llama3.2:3b", 3_212_749_824),
        ("gpt-oss:20b", 20_914_757_184),
        ("gpt-oss:120b", 116_829_156_672),
    ],
)
def test_known_shapes_have_the_parameters_that_their_publishers_count(name: str, parameters: int) -> None:
    assert sum(prod(dims) for tensor, dims in SHAPES[name].tensors() if tensor != "rope_freqs.weight") == parameters


@pytest.mark.parametrize(
    ("name", "size"),
    [("deepseek-r1:671b", 404.4), ("gpt-oss:20b", 13.79), ("gpt-oss:120b", 65.37), ("qwen3:30b", 18.55)],
)
def test_large_shapes_have_the_sizes_that_ollama_lists(name: str, size: float) -> None:
    assert shape_model(name).weights / 1e9 == pytest.approx(size, rel=2e-3)


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_is_estimated(name: str) -> None:
    for settings in (FitSettings(8192), FitSettings(8192, flash_attention=False)):
        assert estimate(shape_model(name), settings, card(640, 640)).verdict is Verdict.WHOLE


def test_a_shape_without_a_tag_is_the_usual_one() -> None:
    assert known_shape("qwen3") is SHAPES["qwen3:8b"]
    assert known_shape("gpt-oss:latest") is SHAPES["gpt-oss:20b"]
    assert all(f"{name}:{tag}" in SHAPES for name, tag in LATEST.items())


def test_quantize_asks_whether_a_mix_fits() -> None:
    parts = (shape_header("deepseek-r1:14b", known_shape("deepseek-r1:14b")),)
    assert choose(parts, Wishes.of("Q4_K_M"), fits_in([16 * GIB], 16384)).mix.name == "Q6_K"
    assert choose(parts, Wishes.of("Q4_K_M"), fits_in([16 * GIB], 32768)).mix.name == "Q5_K_S"
    assert choose(parts, Wishes.of("Q4_K_M"), fits_in([48 * GIB], 4096)).mix.name == "F16"


def test_explanations_hold_the_formulas() -> None:
    text = "\n".join(explain(estimate(BIG, FitSettings(8192, parallel=2), card(24))))
    assert "64 layers x 16,384 tokens x (1024 keys x 2 + 1024 values x 2 bytes) = 4.0 GiB" in text
    assert "compute, feed forward: 512 tokens at once, 192.0 MiB <- the widest moment" in text
    flat = "\n".join(explain(estimate(BIG, FitSettings(8192, flash_attention=False), card(24))))
    assert "compute, attention: 512 tokens at once, 684.0 MiB <- the widest moment" in flat
    hybrid = model(
        "jamba", attention__head_count_kv=[0, 0, 2, 0], ssm__conv_kernel=4, ssm__inner_size=512, ssm__state_size=16
    )
    assert "state: 3 layers x 1 requests" in "\n".join(explain(estimate(hybrid)))
    assert memory_text(1536) == "1.5 KiB"
    assert memory_text(12) == "12 B"


@pytest.mark.parametrize(
    ("text", "value"), [("4096", 4096), ("8k", 8192), ("128K", 131072), ("1.5k", 1536), ("1m", 1 << 20)]
)
def test_contexts(text: str, value: int) -> None:
    assert parse_context(text) == value


@pytest.mark.parametrize(
    ("text", "value"), [("24G", 24 * GIB), ("24GB", 24 * GIB), ("6144MiB", 6 * GIB), ("1.5g", GIB * 3 // 2)]
)
def test_memories(text: str, value: int) -> None:
    assert parse_memory(text) == value


@pytest.mark.parametrize("text", ["", "0", "-1", "k", "1e9", "9" * 30, "9999999999999T", "24X"])
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(UsageError):
        parse_context(text)
    with pytest.raises(UsageError):
        parse_memory(text)


@pytest.mark.parametrize(
    "wrong", [{"batch": 0}, {"ubatch": -1}, {"parallel": 257}, {"keys": "q6_k"}, {"values": "f64"}]
)
def test_settings_that_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        FitSettings(**wrong)  # type: ignore[arg-type]
