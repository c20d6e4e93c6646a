"""What decides whether a change lands takes the same inputs in every run, on a machine of any speed and whoever runs it.

Chance is for the commands that explore.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import settings
from surroundings import OF_WHO_RUNS_THEM

TESTS = Path(__file__).resolve().parent
EXPLORERS = {"explore.py", "fuzz.py", "kills.py", "crash.py", "jinja_exploration.py", "jinja_generator.py"}
"""The commands that explore, each of which prints the seed that repeats it, and what they are made of."""
CHANCE = re.compile(
    r"os\.urandom|SystemRandom|\bsecrets\.|\brandom\.Random\(\)|\bRandom\(\)|derandomize=False"
    r"|\brandom\.(?:random|randint|randrange|choice|choices|sample|shuffle|randbytes)\("
)


WALL_CLOCK = re.compile(r"\b(?:perf_counter|monotonic)\(\)|\bkilled_after\(")
"""What tells how fast the machine is and what else it does: ``time.process_time()`` bounds what would never end."""
MEASURES = {"conformance.py", "dask_builds.py"}
"""Programs that say how long they took."""


def test_property_tests_take_the_same_examples(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--hypothesis-profile") == "explore":
        pytest.skip("exploring")
    assert settings().derandomize
    assert settings().deadline is None


def lines_with(pattern: re.Pattern[str], *, but: set[str]) -> list[str]:
    return [
        f"{path.relative_to(TESTS)}:{number}: {line.strip()}"
        for path in sorted(TESTS.rglob("*.py"))
        if path.name not in but | {Path(__file__).name}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line) and "self._random" not in line
    ]


def test_no_test_asks_for_chance() -> None:
    assert not lines_with(CHANCE, but=EXPLORERS)


def test_no_test_depends_on_the_speed_of_the_machine() -> None:
    assert not lines_with(WALL_CLOCK, but=EXPLORERS | MEASURES)


def test_the_surroundings_are_nobodys() -> None:
    """What a machine and its user have set reaches no test; who sets a variable does it for one test."""
    assert not [name for name in os.environ if OF_WHO_RUNS_THEM.fullmatch(name)]
    assert Path.home().name == "home0"
    assert time.tzname == ("UTC", "UTC")
    assert os.umask(0o022) == 0o022


def test_exploring_says_how_to_repeat_a_round() -> None:
    command = [sys.executable, str(TESTS / "explore.py"), "--seed", "7", "tests/test_gonumber.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("round 1: --seed 7\n"), done.stderr
    assert done.returncode == 0, done.stdout
