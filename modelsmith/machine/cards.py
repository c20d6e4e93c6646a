"""Graphics cards: whether there are any, whether Ollama can use them, and if not, why.

Sources: Ollama ``docs/gpu.mdx`` (drivers, suspend), ``docs/troubleshooting.mdx`` (devices, groups, containers),
``envconfig/config.go`` (variables that hide cards), ``api/types.go`` (ProcessModelResponse: size_vram).
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.errors import ServerError
from modelsmith.store.care.doctor import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.machine.server import Server
    from modelsmith.machine.system import Process, System

OLDEST_DRIVER, OLDEST_DRIVER_FOR_OLD_CARDS = 550, 570
_DRIVER = re.compile(r"Kernel Module.*?\s(\d{3,4})\.\d+")
_HIDING = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "GGML_VK_VISIBLE_DEVICES")
_LOG = (
    "journalctl -u ollama | grep -i 'inference compute' shows what the server found (docker logs NAME in a container)"
)


def check_cards(server: Server, system: System, processes: tuple[Process, ...]) -> Iterator[Check]:
    """Yield what cards there are, what keeps the server from them, and where the loaded models lie."""
    yield from _loaded(server)
    if not server.is_local or not system.is_linux:
        return
    cards = system.cards()
    if not cards:
        inside = " (a container sees those that it was given)" if system.in_container else ""
        yield Check("cards", f"no graphics card is on the bus{inside}: models run on the processor")
    for vendor in sorted(set(cards)):
        count = cards.count(vendor)
        found = list(_VENDORS[vendor](system, processes))
        yield Check("cards", f"{count} from {vendor}" + ("" if found else ", and nothing stands in the way"))
        yield from found
    for process in processes:
        yield from _hidden(process, cards)


def _loaded(server: Server) -> Iterator[Check]:
    try:
        loaded = server.loaded()
    except ServerError as error:
        yield Check("loaded", error.message, Severity.WARNING, error.hint)
        return
    for model in loaded:
        name = model.name
        if not model.size:
            continue  # not loaded yet
        share = round(100 * model.on_cards / model.size)
        if share >= 99:
            yield Check("loaded", f"{name} is wholly on the graphics cards")
        else:
            yield Check(
                "loaded",
                f"{name} is {'on the processor' if share <= 0 else f'only {share}% on the graphics cards'}: it is slow so",
                Severity.WARNING,
                f"`modelsmith fit {name}` says whether it fits, and with which context; else see what is said of the cards. {_LOG}",
            )


def _nvidia(system: System, processes: tuple[Process, ...]) -> Iterator[Check]:
    del processes
    version = system.text("/proc/driver/nvidia/version")
    if not version:
        if system.in_container:
            yield Check(
                "cards",
                "this container sees an NVIDIA card on the bus and no driver",
                Severity.WARNING,
                "start it with --gpus=all, and install the NVIDIA container toolkit on the host",
            )
        else:
            yield Check(
                "cards",
                "there is an NVIDIA card and no NVIDIA driver (nouveau cannot compute)",
                Severity.ERROR,
                f"install driver {OLDEST_DRIVER} or newer, restart, and see whether nvidia-smi lists the card",
            )
        return
    match = _DRIVER.search(version)
    if match and int(match[1]) < OLDEST_DRIVER:
        yield Check(
            "cards",
            f"the NVIDIA driver is {match[1]}; Ollama needs {OLDEST_DRIVER} or newer",
            Severity.ERROR,
            "update the driver",
        )
    elif match and int(match[1]) < OLDEST_DRIVER_FOR_OLD_CARDS:
        yield Check(
            "cards",
            f"the NVIDIA driver is {match[1]}: enough for cards since Volta and Turing; older ones (compute capability 5.0 to 6.2) need "
            f"{OLDEST_DRIVER_FOR_OLD_CARDS}",
            Severity.INFO,
            "update the driver if the card is a GTX 10xx, a P40, or older",
        )
    for device in ("/dev/nvidiactl", "/dev/nvidia-uvm"):
        if not system.path(device).exists():
            fix = "start it with --gpus=all" if system.in_container else "sudo nvidia-modprobe -u -c=0"
            yield Check("cards", f"{device} is missing, without which nothing computes", Severity.ERROR, fix)
        elif not os.access(system.path(device), os.R_OK | os.W_OK):
            yield Check(
                "cards",
                f"{device} is not for this user",
                Severity.WARNING,
                "does the server's user have it? NVIDIA's own mode is 666",
            )


def _amd(system: System, processes: tuple[Process, ...]) -> Iterator[Check]:
    device = system.path("/dev/kfd")
    if not device.exists():
        if system.in_container:
            fix = "start it with --device /dev/kfd --device /dev/dri, and the image ollama/ollama:rocm"
        else:
            fix = "load amdgpu (sudo modprobe amdgpu), and install the ROCm 7 driver with amdgpu-install; or try OLLAMA_VULKAN=1"
        yield Check("cards", "there is an AMD card and no /dev/kfd, which ROCm needs", Severity.ERROR, fix)
        return
    group = device.stat().st_gid
    for process in processes:
        groups = _groups(system, process)
        if process.user != 0 and groups is not None and group not in groups:
            yield Check(
                "cards",
                f"/dev/kfd belongs to group {group}, which the server (process {process.pid}) is not in",
                Severity.ERROR,
                "sudo usermod -aG render,video ollama, then restart it; --group-add for a container",
            )


def _intel(system: System, processes: tuple[Process, ...]) -> Iterator[Check]:
    del system
    if not any(_is_true((process.environment or {}).get("OLLAMA_IGPU_ENABLE")) for process in processes):
        yield Check(
            "cards",
            "an Intel card is used by Vulkan only, and one on the processor's chip not unless it is asked for",
            Severity.INFO,
            "OLLAMA_IGPU_ENABLE=1 for the server lets it use one (Ollama 0.30 and later)",
        )


_VENDORS = {"NVIDIA": _nvidia, "AMD": _amd, "Intel": _intel}


def _hidden(process: Process, cards: tuple[str, ...]) -> Iterator[Check]:
    environment = process.environment or {}
    for name in _HIDING if cards else ():
        value = environment.get(name)
        if value is not None and value.strip().strip("\"'") in {"", "-1", "none", "NoDevFiles", "void"}:
            yield Check(
                "cards",
                f"the server (process {process.pid}) has {name}={value}, which hides every card from it",
                Severity.ERROR,
                f"unset {name} there, or name the cards that it may use",
            )
    library = environment.get("OLLAMA_LLM_LIBRARY", "").strip().strip("\"'")
    if cards and library.startswith("cpu"):
        yield Check(
            "cards",
            f"the server (process {process.pid}) has OLLAMA_LLM_LIBRARY={library}: it uses the processor whatever there is",
            Severity.ERROR,
            "unset OLLAMA_LLM_LIBRARY there",
        )


def _groups(system: System, process: Process) -> frozenset[int] | None:
    for line in system.text(f"/proc/{process.pid}/status").splitlines():
        if line.startswith("Groups:"):
            return frozenset(int(word) for word in line.split()[1:] if word.isdigit())
    return None


def _is_true(value: str | None) -> bool:
    return (value or "").strip().lower() in {"1", "t", "true"}
