"""How long the program takes to start, beside a bare interpreter, in one run.

Usage: python benchmarks/startup.py [repetitions]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "modelsmith --version": [sys.executable, "-m", "modelsmith", "--version"],
    "modelsmith --help": [sys.executable, "-m", "modelsmith", "--help"],
}
BOUNDS = {"modelsmith --version": 6.0}


def median_seconds(command: list[str], repetitions: int) -> float:
    """Return the median wall time of a command."""
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Print one line a command: median, ratio to the bare interpreter, bound."""
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    floor = median_seconds(COMMANDS["python -c pass"], repetitions)
    for label, command in COMMANDS.items():
        seconds = median_seconds(command, repetitions)
        bound = f"  (bound {BOUNDS[label]:.1f}x)" if label in BOUNDS else ""
        print(f"{label:22} {seconds * 1000:7.1f} ms  {seconds / floor:5.2f}x{bound}")


if __name__ == "__main__":
    main()
