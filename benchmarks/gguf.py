"""How fast the header of a GGUF is read and how much memory that takes, against gguf.GGUFReader in the same run.

Usage: python benchmarks/gguf.py MODEL.gguf... [--runs N] [--json]

Each run is a process of its own, so that its memory can be seen; importing is not timed. Bounds hold for the fastest runs:
the slower ones show what else the machine did. Measured besides: verify without and with reading every number (against
reading the file alone), and the largest of a few hostile files. Exit code 1: a bound is not kept.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from modelsmith.weights.gguf import GGUFFile

RATIO = 200.0
LARGE = (
    4 << 20
)  # headers of less, with vocabularies of less than 100,000 tokens, need to be only half as many times as fast
MAX_MILLISECONDS = 50.0
MAX_MEMORY_MIB = 25.0
HOSTILE_SECONDS = 1.0
_TIMED = """
import resource, sys, time
from pathlib import Path
{setup}
path = sys.argv[1]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start, cpu = time.perf_counter(), time.process_time()
{work}
seconds, used = time.perf_counter() - start, time.process_time() - cpu
print("TIMED", seconds, used, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""
_OURS = ("from modelsmith.weights.gguf import GGUFFile", "GGUFFile.open(path)")
_THEIRS = ("from gguf import GGUFReader", "GGUFReader(path)")
_VERIFY = ("from modelsmith.weights.gguf.verify.verify import verify", "verify(path)")
_DEEP = (
    "import numpy\nfrom modelsmith.weights.gguf.verify.verify import verify",
    "verify(path, deep=True)",
)
_READ = (
    "buffer = bytearray(4 << 20)",
    "file = open(path, 'rb', buffering=0)\nwhile file.readinto(buffer): pass",
)


def timed(code: tuple[str, str], path: Path) -> tuple[float, float, float]:
    """Run once in a process of its own; return seconds, seconds of the processor, and the growth of memory in MiB."""
    setup, work = code
    command = [sys.executable, "-c", _TIMED.format(setup=setup, work=work), str(path)]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    _, seconds, cpu, memory = next(line.split() for line in result.stdout.splitlines() if line.startswith("TIMED "))
    return float(seconds), float(cpu), float(memory)


def best(code: tuple[str, str], path: Path, runs: int) -> tuple[float, float, float]:
    """Return the fastest seconds, the least processor time and the most memory of some runs."""
    rows = [timed(code, path) for _ in range(runs)]
    return min(row[0] for row in rows), min(row[1] for row in rows), max(row[2] for row in rows)


def hostile(runs: int) -> tuple[str, float, float]:
    """Return the hostile file that takes the most processor time, its seconds and its memory in MiB."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    sparse = importlib.import_module("weights.hostile").sparse
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for case in sparse():
            path = Path(folder) / "x.gguf"
            with path.open("wb") as file:
                file.write(case.data)
                file.truncate(case.size)
            _, cpu, memory = best(_VERIFY, path, runs)
            rows.append((cpu, memory, case.name))
    cpu, memory, name = max(rows)
    return name, cpu, max(memory, *(row[1] for row in rows))


def main() -> int:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="also print the figures as JSON")
    options = parser.parse_args()
    kept, rows = True, []
    for path in options.models:
        ours, ours_cpu, memory = best(_OURS, path, options.runs)
        theirs, theirs_cpu, their_memory = best(_THEIRS, path, max(options.runs // 2, 1))
        verify, _, _ = best(_VERIFY, path, options.runs)
        deep, _, deep_memory = best(_DEEP, path, options.runs)
        read, _, _ = best(_READ, path, options.runs)
        ratio = theirs_cpu / ours_cpu
        bound = RATIO if GGUFFile.open(path).data_offset >= LARGE else RATIO / 2
        good = ratio >= bound and ours_cpu * 1000 <= MAX_MILLISECONDS and memory <= MAX_MEMORY_MIB
        kept &= good
        print(f"{path.name}, {path.stat().st_size / (1 << 20):.0f} MiB{'' if good else '  NOT KEPT'}")
        print(f"  open     {ours * 1000:8.1f} ms ({ours_cpu * 1000:.1f} ms of the processor), {memory:.1f} MiB more")
        print(f"  gguf-py  {theirs * 1000:8.1f} ms, {their_memory:.1f} MiB more; ratio {ratio:.0f}")
        print(f"  verify   {verify * 1000:8.1f} ms")
        print(f"  --deep   {deep * 1000:8.1f} ms, {deep_memory:.1f} MiB more; {deep / read:.1f} x reading the file")
        rows.append(
            {
                "model": path.name,
                "milliseconds": ours * 1000,
                "cpu_milliseconds": ours_cpu * 1000,
                "memory_mib": memory,
                "ratio": ratio,
                "verify_milliseconds": verify * 1000,
                "deep_milliseconds": deep * 1000,
                "deep_over_read": deep / read,
            }
        )
    name, cpu, memory = hostile(2)
    good = cpu <= HOSTILE_SECONDS and memory <= 100
    kept &= good
    print(f"the worst hostile file ({name}): {cpu:.2f} s, {memory:.1f} MiB{'' if good else '  NOT KEPT'}")
    if options.json:
        print(json.dumps(rows))
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
