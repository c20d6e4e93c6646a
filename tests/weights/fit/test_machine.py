"""Finding cards and memory: what the programs of the vendors answer, and what the system's files say."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelsmith.weights.fit import machine as fit_machine
from modelsmith.weights.fit.machine import (
    GPU_OVERHEAD,
    OVERHEADS,
    Gpu,
    Machine,
    amd_cards,
    available_ram,
    detect,
    overhead_of,
    parse_nvidia,
    parse_rocm,
)


def test_nvidia_smi() -> None:
    text = "NVIDIA GeForce RTX 3090, 24576, 24100\nTesla T4, 15360, [N/A]\n"
    assert parse_nvidia(text) == (Gpu("NVIDIA GeForce RTX 3090", 24100 << 20), Gpu("Tesla T4", 15360 << 20))
    assert parse_nvidia("NVIDIA-SMI has failed because it could not communicate with the driver.\n") == ()


def test_rocm_smi() -> None:
    text = """{"card0": {"Card Series": "AMD Radeon RX 7900 XTX", "VRAM Total Memory (B)": "25753026560",
    "VRAM Total Used Memory (B)": "27803648"}, "system": {"Driver version": "6.7"}}"""
    assert parse_rocm(text) == (Gpu("AMD Radeon RX 7900 XTX", 25753026560 - 27803648),)
    assert parse_rocm("WARNING: no card") == parse_rocm("[1]") == parse_rocm('{"card0": 3}') == ()


def test_amdgpu_in_sysfs(tmp_path: Path) -> None:
    device = tmp_path / "card1" / "device"
    device.mkdir(parents=True)
    (device / "mem_info_vram_total").write_text("17163091968\n")
    (device / "mem_info_vram_used").write_text("63091968\n")
    assert amd_cards(tmp_path) == (Gpu("card1", 17100000000),)
    assert amd_cards(tmp_path / "nothing") == ()


def test_main_memory(tmp_path: Path) -> None:
    file = tmp_path / "meminfo"
    file.write_text("MemTotal:  32616624 kB\nMemAvailable:   24000000 kB\n")
    assert available_ram(file) == 24000000 * 1024
    file.write_text("MemTotal: many\n")
    assert available_ram(file) is None
    assert available_ram(tmp_path / "nothing") is None


def test_detect_takes_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    assert detect(tmp_path, tmp_path / "meminfo") == Machine()
    program = folder / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'Some Card, 8192, 8000'\n")
    program.chmod(0o755)
    assert detect(tmp_path, tmp_path / "meminfo") == Machine((Gpu("Some Card", 8000 << 20),))
    program.write_text("#!/bin/sh\necho 'Some Card, 8192, 8000'; exit 9\n")
    assert detect(tmp_path, tmp_path / "meminfo").gpus == ()


def test_what_a_card_needs_by_its_kind() -> None:
    assert overhead_of("NVIDIA H100 80GB HBM3") == OVERHEADS["H100"]
    assert overhead_of("GPU 0") == overhead_of("Some H1000") == GPU_OVERHEAD == max(OVERHEADS.values())


def test_a_program_that_hangs_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nexec /bin/sleep 20\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(fit_machine, "_SECONDS", 0.2)
    assert detect(tmp_path, tmp_path / "meminfo").gpus == ()
