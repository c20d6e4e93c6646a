"""What decides whether a change lands takes the same inputs in every run; chance is for the commands that explore."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

TESTS = Path(__file__).resolve().parent
EXPLORERS = {"explore.py", "fuzz.py", "kills.py", "crash.py", "jinja_exploration.py", "jinja_generator.py"}
"""The commands that explore, each of which prints the seed that repeats it, and what they are made of."""
CHANCE = re.compile(
    r"os\.urandom|SystemRandom|\bsecrets\.|\brandom\.Random\(\)|\bRandom\(\)|derandomize=False"
    r"|\brandom\.(?:random|randint|randrange|choice|choices|sample|shuffle|randbytes)\("
)


def test_property_tests_take_the_same_examples(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--hypothesis-profile") == "explore":
        pytest.skip("exploring")
    assert settings().derandomize
    assert settings().deadline is None


def test_no_test_asks_for_chance() -> None:
    found = [
        f"{path.relative_to(TESTS)}:{number}: {line.strip()}"
        for path in sorted(TESTS.rglob("*.py"))
        if path.name not in EXPLORERS | {Path(__file__).name}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if CHANCE.search(line) and "self._random" not in line
    ]
    assert not found


def test_exploring_says_how_to_repeat_a_round() -> None:
    command = [sys.executable, str(TESTS / "explore.py"), "--seed", "7", "tests/test_gonumber.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("round 1: --seed 7\n"), done.stderr
    assert done.returncode == 0, done.stdout
