"""How fast the daily verbs are: create, export, load, copies on one disk, a list of many models, and the memory of all of them.

Usage: python benchmarks/models.py [--gguf FILE] [--ollama PROGRAM] [--size MB] [--models N] [--runs N] [--folder DIR]

Each run is a process of its own, from its start to its end, and the contenders take turns, so that what else the machine does falls on
all alike. Ratios are of the fastest runs. FILE is what is created (a sample of 98 MB without it). With PROGRAM (``ollama``), whose server
answers at OLLAMA_HOST, ``ollama create`` of the same Modelfile is compared; each starts without the model. Exit code 1: a bound is not kept.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CREATE, MOVE, LIST, MEMORY_MIB, LINKED_MIB = 1.0, 0.7, 12.0, 120, 1.0
OURS = (sys.executable, "-m", "modelsmith")
_HASH = "import hashlib, sys\nwith open(sys.argv[1], 'rb') as file:\n    hashlib.file_digest(file, 'sha256')"
_SAMPLE = """
import sys
from modelsmith.weights.gguf.sample import SampleShape, write_sample
blocks = max(1, round(int(sys.argv[2]) / 34))
write_sample(sys.argv[1], shape=SampleShape(blocks=blocks, embedding=1024, feed_forward=4096, heads=16))
"""


class Bench:
    """What was measured: the fastest time of each contender, the largest memory of ours, and the bounds that were kept."""

    def __init__(self, runs: int) -> None:
        self.runs = runs
        self.memory = 0.0
        self.kept: dict[str, bool] = {}

    def timed(self, command: Sequence[str | Path]) -> float:
        """Run a process; return seconds, and remember its memory where it is ours."""
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert process.stderr is not None
        error = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        if os.waitstatus_to_exitcode(status):
            raise SystemExit(f"{' '.join(map(str, command))}: {error.decode(errors='replace')}")
        if tuple(command[: len(OURS)]) == OURS:
            self.memory = max(self.memory, usage.ru_maxrss / 1024)
        return seconds

    def turns(self, *contenders: tuple[Callable[[], None], Sequence[Sequence[str | Path]]]) -> list[float]:
        """Let contenders, each what to do before and its commands, take turns; return the fastest sum of each."""
        times: list[list[float]] = [[] for _ in contenders]
        for _ in range(self.runs):
            for own, (before, commands) in zip(times, contenders, strict=True):
                before()
                own.append(sum(self.timed(command) for command in commands))
        return [min(own) for own in times]

    def bound(self, text: str, holds: bool) -> None:
        """Note whether a bound was kept."""
        self.kept[text] = holds


def removed(*paths: Path) -> Callable[[], None]:
    """Return what removes files and folders, where they are there."""

    def remove() -> None:
        for path in paths:
            if path.is_dir():
                shutil.rmtree(path)
            path.unlink(missing_ok=True)

    return remove


def create(bench: Bench, scratch: Path, gguf: Path, ollama: str) -> None:
    """Compare the creation of a model by its command."""
    modelfile = scratch / "Modelfile"
    modelfile.write_text(f"FROM {gguf}\nSYSTEM bench\n")
    store = scratch / "created"
    ours = (removed(store), [[*OURS, "create", "bench", "-f", modelfile, "--store", store]])
    if not ollama:
        print(f"create of {gguf.stat().st_size / 1e6:.0f} MB: {bench.turns(ours)[0]:.2f} s (no ollama to compare with)")
        return

    def absent() -> None:
        subprocess.run([ollama, "rm", "bench"], check=False, capture_output=True)

    own, theirs = bench.turns(ours, (absent, [[ollama, "create", "bench", "-f", modelfile]]))
    absent()
    print(f"create of {gguf.stat().st_size / 1e6:.0f} MB: {own:.2f} s, ollama create {theirs:.2f} s")
    bench.bound(f"create takes {own / theirs:.2f} of ollama create's time, at most {CREATE}", own <= CREATE * theirs)


def move(bench: Bench, scratch: Path, size: int) -> None:
    """Compare export and load with a copy and a hash; see what copies on one disk write."""
    gguf, modelfile, store = scratch / "large.gguf", scratch / "Large", scratch / "store"
    subprocess.run([sys.executable, "-c", _SAMPLE, gguf, str(size)], check=True)
    modelfile.write_text(f"FROM {gguf}\n")
    bench.timed([*OURS, "create", "bench", "-f", modelfile, "--store", store])
    bundle, other, copy = scratch / "bundle.tar", scratch / "other", scratch / "copy"
    blob = max((store / "blobs").iterdir(), key=lambda path: path.stat().st_size)
    plain = [["sh", "-c", f"cp {blob} {copy} && sync -d {copy}"], [sys.executable, "-c", _HASH, blob]]
    base, exported, loaded = bench.turns(
        (removed(copy), plain),
        (removed(bundle), [[*OURS, "export", "bench", "-o", bundle, "--store", store]]),
        (removed(other), [[*OURS, "load", bundle, "--store", other]]),
    )
    print(
        f"{blob.stat().st_size / 1e6:.0f} MB: cp with sync and a hash {base:.2f} s, export {exported:.2f} s, load {loaded:.2f} s"
    )
    for verb, seconds in (("export", exported), ("load", loaded)):
        bench.bound(f"{verb} at {base / seconds:.2f} of their rate, at least {MOVE}", base >= MOVE * seconds)
    image = scratch / "image"
    before = written(scratch)
    bench.timed([*OURS, "cp", "bench", "again", "--store", store])
    bench.timed([*OURS, "materialize", "bench", "--into", image, "--store", store])
    more = (written(scratch) - before) / (1 << 20)
    bench.bound(f"cp and materialize write {more:.2f} MiB, at most {LINKED_MIB}", more <= LINKED_MIB)


def written(folder: Path) -> int:
    """Return how many bytes of disk the files of a folder take, each file once however many names it has."""
    found = {}
    for path in folder.rglob("*"):
        status = path.lstat()
        found[status.st_ino] = status.st_blocks * 512
    return sum(found.values())


def listing(bench: Bench, scratch: Path, gguf: Path, count: int) -> None:
    """Compare a list of many models with a bare interpreter."""
    store, modelfile = scratch / "many", scratch / "One"
    modelfile.write_text(f"FROM {gguf}\n")
    bench.timed([*OURS, "create", "m", "-f", modelfile, "--store", store])
    (manifest,) = (store / "manifests").rglob("latest")
    for number in range(count - 1):
        folder = manifest.parent.with_name(f"m{number}")
        folder.mkdir()
        shutil.copy(manifest, folder)
    nothing = removed()
    floor, seconds = bench.turns(
        (nothing, [[sys.executable, "-c", "pass"]] * 3), (nothing, [[*OURS, "list", "--store", store]] * 3)
    )
    print(f"list of {count} models {seconds / 3 * 1000:.0f} ms, python -c pass {floor / 3 * 1000:.0f} ms")
    bench.bound(f"list at {seconds / floor:.1f}x of a bare interpreter, at most {LIST}x", seconds <= LIST * floor)


def main() -> int:
    """Run all and print one line a bound; 1 where one is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gguf", type=Path)
    parser.add_argument("--ollama", default="")
    parser.add_argument("--size", type=int, default=1000, metavar="MB", help="what is exported and loaded")
    parser.add_argument("--models", type=int, default=500)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where to work; decides which disk is measured")
    options = parser.parse_args()
    bench = Bench(options.runs)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        scratch = Path(name)
        gguf = options.gguf
        if gguf is None:
            gguf = scratch / "sample.gguf"
            subprocess.run([sys.executable, "-c", _SAMPLE, gguf, "98"], check=True)
        create(bench, scratch, gguf.resolve(), options.ollama)
        listing(bench, scratch, gguf.resolve(), options.models)
        move(bench, scratch, options.size)
    bench.bound(f"at most {bench.memory:.0f} MiB of memory, bound {MEMORY_MIB}", bench.memory <= MEMORY_MIB)
    for text, holds in bench.kept.items():
        print(f"{'kept' if holds else 'NOT KEPT'}: {text}")
    return 0 if all(bench.kept.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
