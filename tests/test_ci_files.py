"""What other projects use of this one in their CI works: the hooks, and the steps of the action."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
GOOD, BAD = "FROM llama3.2:3b\n", "FROM llama3.2:3b\nPARAMETER top_kk 3\n"


def load(name: str) -> Any:
    return YAML(typ="safe").load((ROOT / name).read_text(encoding="utf-8"))


PREK = shutil.which("prek", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))
HOOKS = {hook["id"]: hook for hook in load(".pre-commit-hooks.yaml")}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, with a `modelsmith` on the PATH."""
    programs = tmp_path / "runner" / "modelsmith" / "bin"
    programs.mkdir(parents=True)
    program = programs / "modelsmith"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m modelsmith "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("RUNNER_TEMP", str(tmp_path / "runner"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


@pytest.mark.parametrize("hook", [name for name in HOOKS if name != "modelsmith-recipes"])
@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Modelfile", True),
        ("models/Modelfile.big", True),
        ("a/b.modelfile", True),
        ("chat.gotmpl", True),
        ("modelfile", True),
        ("Modelfiles/readme.md", False),
        ("MyModelfile", False),
        ("x.modelfile.bak", False),
    ],
)
def test_a_hook_takes_the_files_that_the_command_finds(hook: str, name: str, wanted: bool) -> None:
    assert bool(re.search(HOOKS[hook]["files"], name)) is wanted


@pytest.mark.skipif(PREK is None, reason="prek is not installed")
def test_hooks_run_under_prek(folder: Path) -> None:
    local = [{**hook, "language": "system"} for hook in HOOKS.values()]
    with (folder / ".pre-commit-config.yaml").open("w") as file:
        YAML().dump({"repos": [{"repo": "local", "hooks": local}]}, file)

    def hooks_after(text: str, recipe: str = "name: r\nfrom: m\ncreate: n\n") -> str:
        (folder / "Modelfile").write_text(text)
        (folder / "recipes").mkdir(exist_ok=True)
        (folder / "recipes" / "r.yaml").write_text(recipe)
        subprocess.run(["git", "add", "-A"], check=True)
        done = subprocess.run(
            [str(PREK), "run", "--all-files", "--color=never"], capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr + str(done.returncode)

    subprocess.run(["git", "init", "-q"], check=True)
    assert hooks_after(GOOD).endswith("0")
    assert "top_kk" in hooks_after(BAD)
    assert "r.yaml:2:1: error: unknown key" in hooks_after(GOOD, "name: r\nfrm: m\nfrom: m\ncreate: n\n")
    changed = hooks_after("from   llama3.2:3b\n")
    assert changed.endswith("1")
    assert (folder / "Modelfile").read_text() == GOOD


def step(name: str) -> str:
    steps = load("action.yml")["runs"]["steps"]
    script: str = next(each["run"] for each in steps if each.get("name") == name)
    return script


@pytest.mark.parametrize(
    ("text", "arguments", "code", "said"),
    [
        (GOOD, "", 0, ""),
        (BAD, "", 1, "::error file=Modelfile,line=2"),
        (BAD, "--exit-zero\n--select=MS5", 0, ""),
    ],
)
def test_the_action_annotates(folder: Path, text: str, arguments: str, code: int, said: str) -> None:
    (folder / "Modelfile").write_text(text)
    environment = os.environ | {"PATHS": ".\n", "ARGS": arguments, "FORMAT": "github", "OUTPUT": ""}
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", step("Lint")], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    assert said in done.stdout


def test_the_action_checks_the_format(folder: Path) -> None:
    (folder / "Modelfile").write_text("from   llama3.2:3b\n")
    environment = os.environ | {"PATHS": "Modelfile"}
    script = ["bash", "-eo", "pipefail", "-c", step("Check the format")]
    assert subprocess.run(script, env=environment, capture_output=True, check=False).returncode == 1


def test_the_action_checks_recipes(folder: Path) -> None:
    (folder / "r.yaml").write_text("name: r\nfrm: m\nfrom: m\ncreate: n\n")
    environment = os.environ | {"PATHS": ".\n"}
    script = ["bash", "-eo", "pipefail", "-c", step("Check the recipes")]
    done = subprocess.run(script, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "::error file=r.yaml,line=2" in done.stdout


def test_every_input_of_the_action_is_used() -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    for name in load("action.yml")["inputs"]:
        assert f"inputs.{name}" in text
