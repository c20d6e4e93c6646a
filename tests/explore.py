"""Run the property tests, and the comparison with the real Go engine, on inputs that nobody has seen.

    python tests/explore.py --rounds 20
    python tests/explore.py --minutes 60 tests/syntax tests/template
    python tests/explore.py --seed 12345 tests/test_gonumber.py

Each round has a seed of its own, which is printed; ``--seed`` repeats that round. The exit code is 1 where a law is broken:
add the example that is printed to the tests, which never depend on chance themselves.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GOTP = "tests/template/go/test_render_gotp.py"


def explore(seed: int, paths: list[str], cases: int) -> bool:
    """Run one round; return whether every law held."""
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider"]
    random_inputs = ["--hypothesis-profile=explore", f"--hypothesis-seed={seed}"]
    environment = os.environ | {"GOTP_SEED": str(seed), "GOTP_CASES": str(cases)}
    chosen = ["-m", "hypothesis or explores", *random_inputs, *paths]
    return subprocess.run([*command, *chosen], cwd=ROOT, env=environment, check=False).returncode == 0


def main() -> int:
    """Read the command line and run rounds until one fails, or all are done."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("paths", nargs="*", default=["tests"], help="files or folders of tests (default: all)")
    words.add_argument("--rounds", type=int, default=1, help="how many rounds, each with another seed (default: 1)")
    words.add_argument("--minutes", type=float, help="start rounds for so long, however many")
    words.add_argument("--seed", type=int, help="the seed of the first round, as an earlier run printed it")
    words.add_argument("--cases", type=int, default=2000, help="Go templates a round (default: 2000)")
    asked = words.parse_args()
    end = time.monotonic() + asked.minutes * 60 if asked.minutes is not None else None
    seeds = random.SystemRandom()
    number = 0
    while number < asked.rounds if end is None else time.monotonic() < end:
        seed = asked.seed if asked.seed is not None and not number else seeds.randrange(1 << 32)
        number += 1
        sys.stdout.write(f"round {number}: --seed {seed}\n")
        sys.stdout.flush()
        if not explore(seed, asked.paths, asked.cases):
            sys.stdout.write(f"again: {sys.executable} tests/explore.py --seed {seed} {' '.join(asked.paths)}\n")
            return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
