"""How long the program takes to start and to do little, beside a bare interpreter, in one run.

Usage: python benchmarks/startup.py [repetitions]

Each command runs as often, all of them in turn; the shortest run counts, which is what the work itself takes. CPU is the
time of the processor, user and system. The figures hold for compiled modules: the first round, which may compile some, is
thrown away. lark imports `regex` and `interegular` where they are installed, which modelsmith does not need: some 2x.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BARE = "python -c pass"
COMMANDS = {
    "modelsmith --version": ["--version"],
    "modelsmith --help": ["--help"],
    "modelsmith list": ["list", "--store", "store"],
    "modelsmith lint Modelfile": ["lint", "Modelfile"],
    "modelsmith plan force-think": ["plan", "force-think", "--set", "base=sample:deepseek-r1", "--store", "store"],
}
MODELFILE = 'FROM llama3.2:3b\nPARAMETER temperature 0.7\nPARAMETER num_ctx 4096\nSYSTEM """You are a helper."""\n'


def once(command: list[str], folder: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Return the seconds that a command takes by the clock, and those of the processor."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, cwd=folder, env=environment)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print one line a command: its time, and the ratio to the bare interpreter, by the clock and by the processor."""
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    commands = {BARE: [sys.executable, "-c", "pass"]}
    commands |= {label: [sys.executable, "-m", "modelsmith", *words] for label, words in COMMANDS.items()}
    times: dict[str, list[tuple[float, float]]] = {label: [] for label in commands}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "Modelfile").write_text(MODELFILE, encoding="utf-8")
        (folder / "store").mkdir()
        for number in range(repetitions + 1):
            for label, command in commands.items():
                taken = once(command, folder, environment)
                if number:
                    times[label].append(taken)
    least = {label: [min(column) for column in zip(*rows, strict=True)] for label, rows in times.items()}
    print(f"{'':28} {'clock':>17} {'processor':>19}")
    for label, (wall, work) in least.items():
        ratios = wall / least[BARE][0], work / least[BARE][1]
        print(f"{label:28} {wall * 1000:7.1f} ms {ratios[0]:5.1f}x {work * 1000:9.1f} ms {ratios[1]:5.1f}x")


if __name__ == "__main__":
    main()
