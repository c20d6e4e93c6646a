"""Folders of many files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from megabyte_kinds.kind import kind, text

if TYPE_CHECKING:
    from pathlib import Path


@kind("folder of 20,000 Modelfiles", "lint", "fmt --check", "lint --json", "recipes check")
def _many(folder: Path) -> None:
    for name in range(20_000):
        text(folder, f"d{name // 500}/m{name}.modelfile", f"FROM llama3\nPARAMETER num_ctx {name + 1}\n")


@kind("folder of 20,000 other files", "lint", "fmt --check", "recipes check", "recipes list", "inspect .", "explain .")
def _others(folder: Path) -> None:
    for name in range(20_000):
        text(folder, f"d{name // 500}/m{name}.txt", "x\n")


@kind("folders 400 deep", "lint", "fmt --check", "recipes check")
def _deep(folder: Path) -> None:
    for _ in range(400):
        folder = folder / "d"
        folder.mkdir()
    text(folder, "Modelfile", "FROM x\n")
