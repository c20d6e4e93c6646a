"""A copy of the package that a test may change, and its commands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


def copied_package(folder: Path) -> Path:
    """Copy all that the program needs into a folder; return the folder."""
    for name in ("modelsmith", "grammars", "recipes"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def add_behind(path: Path, start: str, row: str) -> None:
    """Add a line behind the first that begins so."""
    text = path.read_text("utf-8")
    line = next(line for line in text.splitlines(keepends=True) if line.startswith(start))
    path.write_text(text.replace(line, line + row, 1), encoding="utf-8")


def run(package: Path, *arguments: str | Path, code: int = 0) -> str:
    """Run a command of the copy there, and return what it prints."""
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
