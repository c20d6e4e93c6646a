"""docs/team-day.md is what happens: each command prints what stands there, with a repository on this machine in place of the team's."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from git_repositories import commit, repository

from modelsmith.cli import run
from modelsmith.recipe.remote import git as git_module

PAGE = Path(__file__).resolve().parent.parent / "docs" / "team-day.md"
ADDRESS = "git+https://git.example.org/ml/recipes.git@"
RECIPE = """name: support
description: A model that always reasons, and answers our support team.
extends: force-think
inputs:
  base: {description: "the model to start from", default: "sample:deepseek-r1"}
system: Answer our support team.
create: support
"""
NEWER = RECIPE.replace("Answer our support team.", "Answer our support team, in short sentences.")
_CHANGES = re.compile(
    r"planned in \d+\.\d s|\b[0-9a-f]{40}\b|\b[0-9a-f]{12}(?=, in| ->|$)|(?<=-> )[0-9a-f]{12}$", re.MULTILINE
)
"""What is another one each time: how long it took, and the commits."""


def plain(text: str) -> list[str]:
    return sorted(_CHANGES.sub("…", text).splitlines())  # the commits decide which of two addresses comes first


def test_the_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    team = repository(tmp_path / "recipes", {"support.yaml": RECIPE})
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    before: dict[str, Callable[[], object]] = {"recipes update": lambda: commit(team, {"support.yaml": NEWER})}
    blocks = re.findall(r"^```text\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    steps = [step for block in blocks for step in re.split(r"^\$ modelsmith ", block, flags=re.MULTILINE)[1:]]
    assert len(steps) == 13
    for step in steps:
        command, _, output = step.partition("\n")
        before.get(command, git_module.forget)()
        git_module.forget()
        words = shlex.split(command.replace(ADDRESS, f"git+{team.as_uri()}@"), comments=True)
        assert run(words) == int("# exit 1" in command), command
        assert plain(capsys.readouterr().out.replace(f"git+{team.as_uri()}@", ADDRESS)) == plain(output), command
    git_module.forget()
