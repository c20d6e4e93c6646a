"""The estimate beside what llama.cpp took on real cards: never below, at most 6 % above, and each buffer by itself."""

from __future__ import annotations

from typing import Any

import pytest
from fit_models import header, layers
from shared import conformance, needs_shared

from modelsmith.weights.fit.fit import Fit, estimate
from modelsmith.weights.fit.machine import Machine
from modelsmith.weights.fit.memory import PIPELINE_COPIES, compute, inputs, places
from modelsmith.weights.fit.model import FitModel
from modelsmith.weights.fit.pool import PROMPT, growth, pool
from modelsmith.weights.fit.settings import FitSettings
from modelsmith.weights.fit.shapes import shape_model

MIB, GIB = 1 << 20, 1 << 30
AT_8K = FitSettings(8192)


def fit_of(row: dict[str, Any]) -> Fit:
    settings = FitSettings(
        row["ctx"], row["kv"], row["kv"], flash_attention=row["fa"] == "on",
        ubatch=row["ub"], parallel=row["par"], gpu_layers=row["ngl"],
    )  # fmt: skip
    memory = (140 * GIB,) * row["cards"] if row.get("cards") else (80 * GIB,)
    return estimate(shape_model(row["model"].replace("r1-", "r1:", 1)), settings, Machine.of(memory))


@needs_shared
@pytest.mark.parametrize("name", ["fit-h100.jsonl", "fit-2x-h200.jsonl"])
def test_never_below_and_hardly_above_what_was_measured(name: str) -> None:
    rows = list(conformance(name))
    assert rows
    for row in rows:
        used = row["used_mib"] if isinstance(row["used_mib"], list) else [row["used_mib"]]
        for number, (gpu, measured) in enumerate(zip(fit_of(row).placement.gpus, used, strict=True)):
            assert 1 <= gpu.total / MIB / measured <= 1.06, row
            told = row["buffers"]
            assert gpu.weights / MIB == pytest.approx(told[f"CUDA{number} model"], abs=0.01), row
            assert gpu.cache / MIB == pytest.approx(told[f"CUDA{number} KV"], abs=0.01), row
            if row["ngl"] == 99:  # else weights are copied to the card while it computes: never below
                assert gpu.compute / MIB == pytest.approx(told[f"CUDA{number} compute"], abs=0.1), row
            assert gpu.compute / MIB > told[f"CUDA{number} compute"] - 0.1, row


@needs_shared
@pytest.mark.parametrize("name", ["fit-h100.jsonl", "fit-2x-h200.jsonl"])
def test_main_memory_is_never_below_what_was_measured(name: str) -> None:
    for row in conformance(name):
        ram, told = fit_of(row).placement.ram, row["buffers"]
        assert ram.weights / MIB == pytest.approx(told["CPU_Mapped model"], abs=0.01), row
        assert ram.cache / MIB == pytest.approx(told["CPU KV"], abs=0.01), row
        measured = max(told["CUDA_Host compute"], told["CPU compute"]) + told["CUDA_Host  output"]
        assert ram.compute / MIB > measured - 0.02, row
        if row["ngl"] == 99 and row["par"] == 1:
            assert ram.compute / MIB < measured + 0.1, row


def test_without_flash_attention_the_places_of_values_come_in_too() -> None:
    model = shape_model("deepseek-r1:7b")
    flat = FitSettings(8192, flash_attention=False)
    assert places(model.layers, flat) == 8 * 512 * 512
    assert places(model.layers, AT_8K) == 0


def test_several_cards_keep_copies_of_what_comes_in() -> None:
    model = shape_model("deepseek-r1:7b")
    one = compute(model, model.layers, AT_8K, output=True, card=True)
    several = compute(model, model.layers, AT_8K, output=True, card=True, copies=PIPELINE_COPIES)
    assert several - one == 3 * inputs(model.layers, AT_8K) + 4 * 4 * 3584 * 512
    cards = Machine.of((80 * GIB, 80 * GIB))
    assert estimate(model, AT_8K, cards).placement.copies == 4
    # not where layers or experts stay in main memory
    assert estimate(model, FitSettings(8192, gpu_layers=20), cards).placement.copies == 1
    assert estimate(model, FitSettings(8192, cpu_experts=1), cards).placement.copies == 1
    assert estimate(model, AT_8K, Machine.of((80 * GIB,))).placement.copies == 1


def test_the_pool_of_the_kernels() -> None:
    model = shape_model("deepseek-r1:7b")
    assert pool(model, model.layers, AT_8K) == 18944 * 512 * 36 // 32
    flat = FitSettings(16384, flash_attention=False)
    assert pool(model, model.layers, flat) == (32 << 20) + 2 * 2 * 3584 * 512 + PROMPT * 512 * 28 * 2
    assert growth(model.layers, flat) == (16384 - PROMPT) * 512 * 28 * 2
    assert growth(model.layers, AT_8K) == 0
    blocks = FitSettings(131072, "q8_0", "q8_0")
    assert growth(model.layers, blocks) == (131072 - PROMPT) * (512 + 512) * 2
    floats = FitModel.of_parts(
        [
            header(
                "llama",
                {"block_count": 1, "embedding_length": 256, "attention.head_count": 8},
                layers(1),
                others={"general.file_type": 1},
            )
        ]
    )
    assert pool(floats, floats.layers, AT_8K) == (32 << 20) + 2 * 2 * 256 * 512


def test_the_reserve_counts_for_whether_it_fits() -> None:
    model = shape_model("deepseek-r1:7b")
    settings = FitSettings(131072, "q8_0", "q8_0", gpu_layers=99)
    (gpu, _) = estimate(model, settings, Machine.of((80 * GIB,))).placement.devices
    assert gpu.reserve > 200 * MIB
    assert not estimate(model, settings, Machine.of((gpu.total,))).placement.fits
    assert estimate(model, settings, Machine.of((gpu.total + gpu.reserve,))).placement.fits


def test_an_overhead_that_was_told_is_all_of_it() -> None:
    model = shape_model("deepseek-r1:7b")
    assert estimate(model, AT_8K, Machine.of((80 * GIB,), overhead=5)).placement.gpus[0].overhead == 5
