"""How fast a model is created in a folder, against copying and hashing its file.

Usage: python benchmarks/create.py [--size MIB] [--runs N] [--folder DIR]

One run makes a GGUF, then takes turns: hash it, copy it with cp, create from it as it is, create from it in canonical
order (a fresh store each time, each create in a process of its own, so that its memory can be seen).
Bounds hold for the fastest runs: they show what the program needs, the slower ones what else the machine did (on a virtual
machine, fetching memory from the host can cost more than the whole copy).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MIB = 1 << 20
BOUNDS = {"as it is": (1.3, ("hash",)), "canonical": (1.5, ("hash", "cp"))}
MAX_MEMORY_MIB = 100

_CREATE = """
import json, resource, sys, time
from modelsmith.store.local.local import LocalStore
from modelsmith.store.model import CreateRequest
from modelsmith.weights.blobs.blob import FileBlob
folder, gguf, as_is = sys.argv[1], sys.argv[2], sys.argv[3] == "as it is"
start = time.perf_counter()
LocalStore(folder).create("bench", CreateRequest({}, {"model.gguf": FileBlob(gguf)}), as_is=as_is)
seconds = time.perf_counter() - start
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""
_SAMPLE = """
import sys
from modelsmith.weights.gguf.sample import SampleShape, write_sample
write_sample(sys.argv[1], shape=SampleShape(blocks=int(sys.argv[2]), embedding=1024, feed_forward=4096, heads=16))
"""
_BLOCK_MIB = 32


def timed_hash(gguf: Path) -> float:
    """Hash the file once."""
    start = time.perf_counter()
    with gguf.open("rb") as file:
        hashlib.file_digest(file, "sha256")
    return time.perf_counter() - start


def timed_copy(gguf: Path, folder: Path) -> float:
    """Copy the file once with cp."""
    start = time.perf_counter()
    subprocess.run(["cp", "--reflink=auto", gguf, folder / "copy"], check=True)
    seconds = time.perf_counter() - start
    (folder / "copy").unlink()
    return seconds


def timed_create(gguf: Path, folder: Path, how: str) -> tuple[float, float]:
    """Create a model in a fresh store; return seconds and peak memory in MiB."""
    store = folder / "store"
    command = [sys.executable, "-c", _CREATE, str(store), str(gguf), how]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    result = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    shutil.rmtree(store)
    seconds, memory = json.loads(result.stdout)
    return seconds, memory


def main() -> int:
    """Run the benchmark and print its table; exit 1 when a bound is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=260, metavar="MIB", help="size of the GGUF")
    parser.add_argument("--runs", type=int, default=7, metavar="N")
    parser.add_argument("--folder", type=Path, help="where to work; decides which disk is measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        gguf = folder / "model.gguf"
        subprocess.run([sys.executable, "-c", _SAMPLE, gguf, str(-(-options.size // _BLOCK_MIB))], check=True)
        os.sync()
        times: dict[str, list[float]] = {what: [] for what in ("hash", "cp", *BOUNDS)}
        memory = dict.fromkeys(BOUNDS, 0.0)
        timed_create(gguf, folder, "canonical")  # not counted: Python compiles our modules
        for _ in range(options.runs):
            times["hash"].append(timed_hash(gguf))
            times["cp"].append(timed_copy(gguf, folder))
            for how in BOUNDS:
                seconds, used = timed_create(gguf, folder, how)
                times[how].append(seconds)
                memory[how] = max(memory[how], used)
        size = gguf.stat().st_size
    return report(size, times, memory)


def report(size: int, times: dict[str, list[float]], memory: dict[str, float]) -> int:
    """Print the table; return 1 when a bound is not kept."""
    kept = True
    print(f"GGUF of {size / MIB:.0f} MiB, {len(times['hash'])} runs")
    print("             fastest   median   slowest   fastest and median against          bound")
    for what, values in times.items():
        line = f"{what:10} {min(values):7.3f} s {statistics.median(values):7.3f} s {max(values):7.3f} s"
        if what in BOUNDS:
            bound, against = BOUNDS[what]
            fastest, median = (of(values) / sum(of(times[part]) for part in against) for of in (min, statistics.median))
            good = fastest <= bound and memory[what] < MAX_MEMORY_MIB
            kept &= good
            line += f"   {fastest:.2f} and {median:.2f} x {' + '.join(against):10}        {bound:.1f}"
            line += f"   {memory[what]:.0f} of {MAX_MEMORY_MIB} MiB memory{'' if good else '   NOT KEPT'}"
        print(line)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
