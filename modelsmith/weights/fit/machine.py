"""The memory of a machine: its graphics cards and its main memory, told or found; and what a card needs to be used at all.

Sources: the outputs of ``nvidia-smi`` and ``rocm-smi``; Linux ``/proc/meminfo`` and ``/sys/class/drm`` (amdgpu);
measurements of a CUDA build of llama.cpp on the cards that are named.
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OVERHEADS: dict[str, int] = {"H100": 624 << 20, "H200": 624 << 20}
"""What the driver's context and the kernels take on a kind of card, in bytes: measured, the most of all runs."""

GPU_OVERHEAD = max(OVERHEADS.values())
"""The same for a card that is not in the table: the largest that is known. Ollama counts 457 MiB at least."""

_SECONDS = 10.0
_NVIDIA = ("nvidia-smi", "--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits")
_ROCM = ("rocm-smi", "--showproductname", "--showmeminfo", "vram", "--json")


@dataclass(frozen=True, slots=True)
class Gpu:
    """A graphics card: its name and how many bytes of its memory can be used."""

    name: str
    memory: int


@dataclass(frozen=True, slots=True)
class Machine:
    """What a model can be put into. ``ram`` None: main memory is not looked at.

    ``overhead`` is taken from each card besides all that is counted; None: by the kind of card, and what its kernels take.
    """

    gpus: tuple[Gpu, ...] = ()
    ram: int | None = None
    overhead: int | None = None

    @classmethod
    def of(cls, memories: tuple[int, ...], ram: int | None = None, overhead: int | None = None) -> Machine:
        """Return a machine with cards of these sizes."""
        return cls(tuple(Gpu(f"GPU {index}", memory) for index, memory in enumerate(memories)), ram, overhead)


def overhead_of(name: str) -> int:
    """Return what a card of this name needs before anything is put on it, in bytes."""
    words = name.upper().replace("-", " ").split()
    return next((size for kind, size in OVERHEADS.items() if kind in words), GPU_OVERHEAD)


def detect(drm: Path = Path("/sys/class/drm"), meminfo: Path = Path("/proc/meminfo")) -> Machine:
    """Look for cards and memory on this machine: free memory where it is told, else all of it. Never fails; finds or not."""
    gpus = parse_nvidia(_output(_NVIDIA)) or parse_rocm(_output(_ROCM)) or amd_cards(drm)
    return Machine(gpus, available_ram(meminfo))


def parse_nvidia(text: str) -> tuple[Gpu, ...]:
    """Read the answer of nvidia-smi: name, total and free MiB of each card."""
    found = []
    for row in csv.reader(text.splitlines(), skipinitialspace=True):
        if len(row) == 3 and row[1].strip().isdigit():
            free = row[2].strip()
            found.append(Gpu(row[0].strip(), int(free if free.isdigit() else row[1]) << 20))
    return tuple(found)


def parse_rocm(text: str) -> tuple[Gpu, ...]:
    """Read the answer of rocm-smi: bytes of each card and how many of them are used."""
    try:
        cards: Any = json.loads(text)
    except ValueError:
        return ()
    if not isinstance(cards, dict):
        return ()
    found = []
    for name, card in cards.items():
        if not isinstance(card, dict):
            continue
        total, used = str(card.get("VRAM Total Memory (B)", "")), str(card.get("VRAM Total Used Memory (B)", "0"))
        if total.isdigit():
            title = str(card.get("Card Series") or card.get("Card series") or name)
            found.append(Gpu(title, int(total) - (int(used) if used.isdigit() else 0)))
    return tuple(found)


def amd_cards(drm: Path) -> tuple[Gpu, ...]:
    """Read what amdgpu tells in sysfs."""
    found = []
    for card in sorted(drm.glob("card[0-9]*/device/mem_info_vram_total")):
        used = _number(card.with_name("mem_info_vram_used"))
        if total := _number(card):
            found.append(Gpu(card.parent.parent.name, total - used))
    return tuple(found)


def available_ram(meminfo: Path) -> int | None:
    """Return the bytes of main memory that Linux would give without swapping."""
    try:
        lines = meminfo.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        words = line.split()
        if len(words) > 1 and words[0] == "MemAvailable:" and words[1].isdigit():
            return int(words[1]) << 10
    return None


def _number(path: Path) -> int:
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return 0
    return int(text) if text.isdigit() else 0


def _output(command: tuple[str, ...]) -> str:
    program = shutil.which(command[0])
    if program is None:
        return ""
    try:
        done = subprocess.run(
            (program, *command[1:]), capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
