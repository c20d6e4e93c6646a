"""The repository that teams start from works as it is: each command of its workflow, as it stands there, without a network."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from modelsmith.cli import run

TEMPLATE = Path(__file__).resolve().parent.parent / "docs" / "team-repository"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = shutil.copytree(TEMPLATE, tmp_path / "repository")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def steps(job: str) -> list[list[str]]:
    workflow: Any = YAML(typ="safe").load(
        (TEMPLATE / ".github" / "workflows" / "models.yml").read_text(encoding="utf-8")
    )
    commands = [step["run"] for step in workflow["jobs"][job]["steps"] if "run" in step]
    return [shlex.split(command)[1:] for command in commands if command.startswith("modelsmith ")]


def test_a_pull_request_is_green_without_a_model(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(steps("check")) >= 4
    for step in steps("check"):
        words, _, comment = " ".join(step).partition(" > ")
        capsys.readouterr()
        assert run(words.split()) == 0, (
            words,
            capsys.readouterr(),
            "if the lock moved: modelsmith lock, in that folder",
        )
        if comment:
            assert capsys.readouterr().out.startswith("<!-- modelsmith plan -->")
    assert not (repository / "models-store").exists()


def test_the_comment_is_written_when_the_plan_fails() -> None:
    workflow: Any = YAML(typ="safe").load(
        (TEMPLATE / ".github" / "workflows" / "models.yml").read_text(encoding="utf-8")
    )
    (comment,) = (step for step in workflow["jobs"]["check"]["steps"] if "gh pr comment" in step.get("run", ""))
    assert "!cancelled()" in comment["if"]
    assert comment["run"].startswith("test ! -s comment.md ||"), "nor where nothing was planned"


def test_a_merge_applies_just_what_is_locked(repository: Path) -> None:
    (words,) = steps("apply")
    words[words.index("--store") + 1] = str(repository / "models-store")
    assert run(words) == 0
    assert run([*words, "--json"]) == 0
    assert run(["list", "--store", str(repository / "models-store")]) == 0


def test_a_change_that_is_not_locked_is_red(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = repository / "recipes" / "assistant.yaml"
    recipe.write_text(recipe.read_text().replace("8192", "4096"))
    assert run(["plan", "recipes/assistant.yaml", "--from-lock", "--check"]) == 1
    assert "moved since the lock" in capsys.readouterr().out


def test_the_policy_is_in_force(repository: Path) -> None:
    modelfile = repository / "models" / "assistant" / "Modelfile"
    modelfile.write_text(modelfile.read_text().replace("PARAMETER num_ctx 8192", "PARAMETER num_gpu 20"))
    assert run(["lint", "models", "--text-only"]) == 1
