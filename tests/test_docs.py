"""README and docs tell the truth: recipes and Python are sound, and the set-up they name is the one that is checked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from modelsmith.cli import COMMANDS
from modelsmith.recipe.read.load import parse_recipe

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if page.parent.name != "rules"),
]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_two_set_up_commands_are_what_ci_runs() -> None:
    first, second = (
        line for block in blocks(ROOT / "README.md", "sh") for line in block.splitlines() if "-m venv" in line
    )
    assert first.endswith("modelsmith apply recipes/force-think.yaml --set base=sample:deepseek-r1 --store ./models")
    script = (ROOT / ".ci" / "run").read_text()
    for step in second.split(" && "):
        words = step.replace("-e ", "--editable ").split()
        assert all(word in script for word in words), step


def test_every_command_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text()
    for command in COMMANDS:
        assert f"`modelsmith {command}" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_recipes_in_the_docs_are_recipes(page: Path) -> None:
    for block in blocks(page, "yaml"):
        assert parse_recipe(block, name=page.name).resolve({"base": "some-model"}).create


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_python_in_the_docs_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    template = "{{ range .Messages }}<|{{ .Role }}|>{{ .Content }}{{ end }}<|assistant|>"
    Path("Modelfile").write_text(f"FROM x\nTEMPLATE {template}\n")
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), {})


def test_the_project_speaks_of_itself_alone() -> None:
    words = re.compile("|".join(re.escape("/".join(("", name, ""))) for name in ("work", "root", "farm")))
    for path in (*PAGES, ROOT / "CHANGELOG.md", *(ROOT / "modelsmith").rglob("*.py"), *(ROOT / "tests").rglob("*.py")):
        assert not words.search(path.read_text(encoding="utf-8")), path
