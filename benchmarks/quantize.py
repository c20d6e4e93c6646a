"""How fast a model is quantized, and whether the file is the same, against llama.cpp's own code (cyllama) in the same run.

Usage: python benchmarks/quantize.py MODEL.gguf [--types Q4_K_M,Q8_0] [--threads N] [--runs N] [--folder DIR]

A quantized MODEL is turned into F16 first, which is compared too. Then each type takes turns, each run in a process of its
own, so that its memory can be seen; the call alone is timed. Ours waits until the file is on the disk (fsync), llama.cpp
does not. Bounds hold for the fastest runs: the slower ones show what else the machine did. Exit code 1: a bound is not
kept, or a file differs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.quantize.mixes import FLOATS, MIXES
from modelsmith.weights.quantize.run import available_threads

BOUND = 1.2
MAX_MEMORY_MIB = 120
_END = "\nprint('TIMED', seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
_OURS = """
import resource, sys, time
from modelsmith.weights.quantize.quantize import quantize
from modelsmith.weights.quantize.wishes import Wishes
source, target, mix, threads = sys.argv[1:]
start = time.perf_counter()
quantize(source, target, Wishes.of(mix, allow_requantize=True), threads=int(threads), overwrite=True)
seconds = time.perf_counter() - start"""
_THEIRS = """
import resource, sys, time
from cyllama.llama.llama_cpp import LlamaModelQuantizeParams, model_quantize
from modelsmith.weights.quantize.mixes import MIXES
source, target, mix, threads = sys.argv[1:]
parameters = LlamaModelQuantizeParams()
parameters.ftype, parameters.nthread, parameters.allow_requantize = MIXES[mix].file_type, int(threads), True
start = time.perf_counter()
model_quantize(source, target, parameters)
seconds = time.perf_counter() - start"""


def timed(code: str, source: Path, target: Path, mix: str, threads: int) -> tuple[float, float]:
    """Quantize once in a process of its own; return seconds and peak memory in MiB."""
    command = [sys.executable, "-c", code + _END, str(source), str(target), mix, str(threads)]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    _, seconds, memory = next(line.split() for line in result.stdout.splitlines() if line.startswith("TIMED "))
    return float(seconds), float(memory)


def same(one: Path, other: Path) -> str:
    """Say how far two files are the same: whole, or tensor by tensor."""
    if subprocess.run(["cmp", "-s", one, other], check=False).returncode == 0:
        return "same file"
    first, second = GGUFFile.open(one), GGUFFile.open(other)
    theirs = {each.name: second.data_of(each).read() for each in second.tensors}
    equal = sum(first.data_of(each).read() == theirs.get(each.name) for each in first.tensors)
    return f"{equal} of {len(theirs)} tensors"


def main() -> int:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--types", default="Q4_K_M,Q5_K_M,Q6_K,Q8_0,Q4_0")
    parser.add_argument("--threads", type=int, default=available_threads())
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to work; decides which disk is measured")
    parser.add_argument("--json", action="store_true", help="also print the figures as JSON")
    options = parser.parse_args()
    kept, rows = True, []
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        source = options.model
        types = options.types.split(",")
        if any(each.type.name not in FLOATS for each in GGUFFile.open(source).tensors):
            types.insert(0, "F16")
        print(
            f"{source.name}, {source.stat().st_size / (1 << 20):.0f} MiB, {options.threads} threads, {options.runs} runs"
        )
        print(f"{'type':10}{'ours':>20}{'llama.cpp':>20}{'ratio':>14}{'memory':>16}  files")
        for mix in types:
            ours, theirs, memory = [], [], [0.0, 0.0]
            for _ in range(options.runs):
                for number, (code, times) in enumerate(((_OURS, ours), (_THEIRS, theirs))):
                    seconds, used = timed(code, source, folder / f"{number}", MIXES[mix].name, options.threads)
                    times.append(seconds)
                    memory[number] = max(memory[number], used)
            ratio, median = min(ours) / min(theirs), statistics.median(ours) / statistics.median(theirs)
            equal = same(folder / "0", folder / "1")
            good = ratio <= BOUND and memory[0] <= MAX_MEMORY_MIB and equal == "same file"
            kept &= good
            rows.append({"type": mix, "ratio": ratio, "median_ratio": median, "memory_mib": memory[0], "files": equal})
            print(
                f"{mix:10}{min(ours):8.2f} ({statistics.median(ours):6.2f}) s {min(theirs):8.2f} ({statistics.median(theirs):6.2f}) s"
                f"  {ratio:5.2f} ({median:4.2f}) {memory[0]:7.0f}/{memory[1]:.0f} MiB  {equal}{'' if good else '  NOT KEPT'}"
            )
            if mix == "F16" and mix == types[0]:
                source = folder / "source"
                (folder / "0").replace(source)
    if options.json:
        print(json.dumps(rows))
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
