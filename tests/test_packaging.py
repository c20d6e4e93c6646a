"""What is built is whole: grammars and recipes are inside the wheel, and the program runs from there."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_grammars_recipes_and_types(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "modelsmith/grammars/modelfile.lark",
        "modelsmith/grammars/gotemplate.lark",
        "modelsmith/recipes/force-think.yaml",
        "modelsmith/template/effective/named.json",
        "modelsmith/py.typed",
        "modelsmith/playground/page/index.html",
        "modelsmith/playground/pack.mjs",
        "modelsmith/playground/packages.txt",
    } <= names
    assert not [name for name in names if name.startswith(("tests", "docs", "benchmarks"))]


def test_the_main_job_runs_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    command = [
        sys.executable,
        "-c",
        "import sys, modelsmith; assert 'site' in modelsmith.__file__; from modelsmith.cli import main; main()",
        *("apply", "force-think", "--set", "base=sample:deepseek-r1", "--store", str(tmp_path / "models"), "--quiet"),
    ]
    environment = {
        "PYTHONPATH": str(tmp_path / "site"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "HOME": str(tmp_path),
    }
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "created and verified" in result.stdout


def test_the_sdist_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--outdir",
        str(tmp_path),
        str(ROOT),
    ]  # sdist, and a wheel from it
    subprocess.run(command, check=True, capture_output=True)
    assert list(tmp_path.glob("*.tar.gz"))
    again = next(tmp_path.glob("*.whl"))
    assert sorted(zipfile.ZipFile(again).namelist()) == sorted(zipfile.ZipFile(wheel).namelist())
