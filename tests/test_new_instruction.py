"""A new instruction is one row of the table: a copy of the package with one more row reads, stores, inherits, shows and compares it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from copied_package import add_behind, copied_package, run

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
    folder = copied_package(tmp_path_factory.mktemp("package"))
    add_behind(folder / "modelsmith/syntax/modelfile/table.py", '    Row("MESSAGE"', ROW)
    return folder


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

    # written into a lock, which is read again
    (package / "from-mint.yaml").write_text(
        RECIPE.replace("base: {type: text}", "base: {default: mint}"), encoding="utf-8"
    )
    run(package, "lock", "from-mint.yaml", *store)
    assert '"flavour": "mint"' in (package / "modelsmith.lock").read_text("utf-8")
    assert "create kept" in run(package, "plan", "from-mint.yaml", "--from-lock")

    # written out where the weights become another file, and nothing is inherited
    (package / "other.yaml").write_text(RECIPE + "gguf: {set: {general.name: other}}\n", encoding="utf-8")
    run(package, "apply", "other.yaml", "--set", "base=mint", "--modelfile", package / "written", *store)
    assert "FLAVOUR mint" in (package / "written").read_text("utf-8")


def test_nobody_else_knows_the_word(package: Path) -> None:
    named = [path for path in (package / "modelsmith").rglob("*.py") if "flavour" in path.read_text("utf-8").lower()]
    assert [path.name for path in named] == ["table.py"]
