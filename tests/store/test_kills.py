"""A small fixed set of what ``tests/kills.py`` does at random: whatever is killed leaves a sound store, and the next run completes the work."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from deaths import die_at, finished
from kills import SCENARIOS, Scenario, check_again, check_sound, content

from modelsmith.manifest import Digest

STEPS, FEW = 29, 7
"""Every so many changes of the file system there is one death; what removes makes few of them, and one file is written with fewer."""


@pytest.fixture(params=SCENARIOS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def scenario(name: str) -> Scenario:
    return SCENARIOS[name]


@pytest.fixture
def start(scenario: Scenario, tmp_path: Path) -> Path:
    folder = tmp_path / "start"
    folder.mkdir()
    scenario.prepare(folder)
    return folder


@pytest.fixture
def undisturbed(scenario: Scenario, start: Path, tmp_path: Path) -> Mapping[str, Digest | None]:
    warm, place = tmp_path / "warm", tmp_path / "place"
    shutil.copytree(start, warm)
    scenario.act(warm)  # imports what is imported once
    shutil.copytree(start, place)
    finished(lambda: scenario.act(place))
    found = content(place)
    shutil.rmtree(place)
    return found


def test_deaths_at_fixed_steps(
    name: str, scenario: Scenario, start: Path, undisturbed: Mapping[str, Digest | None], tmp_path: Path
) -> None:
    place, died, deaths = tmp_path / "place", True, 0
    number, steps = (5, FEW if name in {"rm", "gc"} else STEPS) if scenario.stores else (1, 1)
    while died:
        shutil.copytree(start, place)
        died = die_at(number, lambda: scenario.act(place))
        check_sound(place, scenario)
        check_again(place, scenario, undisturbed)
        shutil.rmtree(place)
        number += steps
        deaths += died
    assert deaths >= 2
