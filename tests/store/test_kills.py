"""A small fixed set of what ``tests/kills.py`` does at random: whatever is killed leaves a sound store, and the next run completes the work."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from deaths import die_at, finished
from kills import SCENARIOS, Scenario, check_again, check_sound, content

from modelsmith.manifest import Digest

STEPS = 29
"""Every so many changes of the file system there is one death; one file is written with few."""


@pytest.fixture(params=SCENARIOS)
def scenario(request: pytest.FixtureRequest) -> Scenario:
    return SCENARIOS[str(request.param)]


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
    scenario: Scenario, start: Path, undisturbed: Mapping[str, Digest | None], tmp_path: Path
) -> None:
    place, died, deaths = tmp_path / "place", True, 0
    number, steps = (5, STEPS) if scenario.stores else (1, 1)
    while died:
        shutil.copytree(start, place)
        died = die_at(number, lambda: scenario.act(place))
        check_sound(place, scenario)
        check_again(place, scenario, undisturbed)
        shutil.rmtree(place)
        number += steps
        deaths += died
    assert deaths >= 2
