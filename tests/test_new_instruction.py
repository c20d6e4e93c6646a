"""A new instruction is one row of the table: a copy of the package with one more row reads, stores, inherits, shows and compares it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
ROW = '    Row("FLAVOUR", "flavour", 11, 11, noted=True, since="0.30.0"),\n'
RECIPE = """\
name: keep
from: ${base}
inputs:
  base: {type: text}
system: Be brief.
create: kept
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a copy of the package in which one row was added to one file."""
    folder = tmp_path_factory.mktemp("package")
    for name in ("modelsmith", "grammars", "recipes"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    table = folder / "modelsmith/syntax/modelfile/table.py"
    text = table.read_text("utf-8")
    last = next(line for line in text.splitlines(keepends=True) if line.startswith('    Row("MESSAGE"'))
    table.write_text(text.replace(last, last + ROW), encoding="utf-8")
    return folder


def run(package: Path, *arguments: str | Path, code: int = 0) -> str:
    environment = os.environ | {"PYTHONPATH": str(package), "XDG_CACHE_HOME": str(package / "cache")}
    result = subprocess.run(
        [sys.executable, "-m", "modelsmith", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=package,
        check=False,
    )
    assert result.returncode == code, result.stdout + result.stderr
    return result.stdout


def test_an_invented_instruction_is_one_row(package: Path) -> None:
    store = ("--store", package / "store")
    for name, flavour in (("vanilla", "FLAVOUR vanilla\n"), ("mint", "flavour mint\n"), ("plain", "")):
        sample = next((package / "cache").rglob("*.gguf"), None)
        if sample is None:
            run(package, "plan", "force-think", "--set", "base=sample:deepseek-r1", *store)
            sample = next((package / "cache").rglob("*.gguf"))
        (package / f"{name}.modelfile").write_text(f"FROM {sample}\n{flavour}", encoding="utf-8")
        run(package, "create", name, "-f", package / f"{name}.modelfile", *store)

    # read, formatted and linted
    parsed = json.loads(run(package, "parse", package / "vanilla.modelfile", "--json"))
    assert {"name": "flavour", "args": "vanilla"} in parsed["commands"] or ["flavour", "vanilla"] in parsed["commands"]
    assert parsed["request"]["flavour"] == "vanilla"
    assert "FLAVOUR mint" in run(package, "fmt", "--diff", package / "mint.modelfile", code=1)
    assert "MS101" not in run(package, "lint", package / "vanilla.modelfile", code=0)

    # stored, shown and printed
    shown = json.loads(run(package, "show", "vanilla", "--json", *store))
    assert shown["flavour"] == "vanilla"
    assert "FLAVOUR vanilla" in run(package, "show", "vanilla", "--modelfile", *store)

    # compared
    difference = run(package, "diff", "vanilla", "mint", *store, code=1)
    assert "FLAVOUR" in difference
    assert "mint" in difference

    # inherited by a recipe, planned against what stands there, verified
    (package / "keep.yaml").write_text(RECIPE, encoding="utf-8")
    run(package, "apply", "keep.yaml", "--set", "base=vanilla", *store)
    assert json.loads(run(package, "show", "kept", "--json", *store))["flavour"] == "vanilla"
    assert "FLAVOUR" in run(package, "plan", "keep.yaml", "--set", "base=mint", *store)

    # written out where the weights become another file, and nothing is inherited
    (package / "other.yaml").write_text(RECIPE + "gguf: {set: {general.name: other}}\n", encoding="utf-8")
    run(package, "apply", "other.yaml", "--set", "base=mint", "--modelfile", package / "written", *store)
    assert "FLAVOUR mint" in (package / "written").read_text("utf-8")


def test_nobody_else_knows_the_word(package: Path) -> None:
    named = [path for path in (package / "modelsmith").rglob("*.py") if "flavour" in path.read_text("utf-8").lower()]
    assert [path.name for path in named] == ["table.py"]
