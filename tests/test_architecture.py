"""The house stands: imports point down, each third-party package has one door, files stay small, the start stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "modelsmith"

# From the bottom to the top; a package may import itself and what stands on a lower line. Neighbours on one line
# may not import each other, except in the base: it is values and tables only.
LAYERS: list[set[str]] = [
    {
        "errors",
        "source",
        "diagnostic",
        "gojson",
        "gonumber",
        "name",
        "manifest",
        "parameters",
        "patterns",
        "progress",
        "records",
        "versions",
        "resources",
    },
    {"files"},
    {"syntax", "http"},
    {"template"},
    {"weights", "lint", "fmt"},
    {"store", "hub"},
    {"recipe"},
    {"cli"},
]
DOORS = {
    "lark": "syntax/",
    "jinja2": "template/jinja",
    "httpx2": ("http.py", "hub/failures.py"),  # huggingface_hub raises its errors
    "pydantic": "recipe/",
    "pydantic_core": "recipe/",
    "ruamel": "recipe/",
    "gguf": "weights/gguf/",
    "safetensors": "weights/",
    "huggingface_hub": "hub/",
    "numpy": "weights/",
    "libggml": "weights/quantize",
    "click": "cli/",
    "rich": "cli/",
    "pygls": "cli/lsp",
    "lsprotocol": "cli/lsp",
}
HEAVY = {
    "lark",
    "jinja2",
    "httpx2",
    "pydantic",
    "ruamel",
    "ruamel.yaml",
    "gguf",
    "numpy",
    "rich",
    "huggingface_hub",
    "asyncio",
    "pygls",
    "lsprotocol",
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node.lineno


def level(part: str) -> int:
    for number, layer in enumerate(LAYERS):
        if part in layer:
            return number
    raise AssertionError(f"modelsmith.{part} has no place in LAYERS")


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    here = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if here in {"__init__", "__main__"}:
        return
    for name, line in imports(path):
        parts = name.split(".")
        if parts[0] != "modelsmith" or len(parts) < 2 or parts[1] in {here, "__version__"}:
            continue
        if level(here) == 0 and level(parts[1]) == 0:
            continue
        assert level(parts[1]) < level(here), f"{path.name}:{line}: {here} may not import {name}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_third_party_packages_have_one_door(path: Path) -> None:
    here = path.relative_to(PACKAGE).as_posix()
    for name, line in imports(path):
        root = name.split(".")[0]
        if root == "modelsmith" or root in sys.stdlib_module_names or root == "__future__":
            continue
        assert root in DOORS, f"{here}:{line}: {root} has no door"
        assert here.startswith(DOORS[root]), f"{here}:{line}: {root} is imported only in {DOORS[root]}"


def test_files_stay_small() -> None:
    sizes = sorted(
        len(path.read_text(encoding="utf-8").splitlines()) for path in modules() if path.stat().st_size > 200
    )
    largest = {path.name: size for path in modules() if (size := len(path.read_text().splitlines())) > 400}
    assert not largest, f"over 400 lines: {largest}"
    assert sizes[int(len(sizes) * 0.9)] <= 240, "nine of ten files have at most 240 lines"


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sorted(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


@pytest.mark.parametrize("statement", ["import modelsmith", "import modelsmith.cli"])
def test_the_start_loads_nothing_heavy(statement: str) -> None:
    assert not HEAVY & loaded_by(statement)


def test_version_loads_nothing_heavy() -> None:
    code = "import sys; from modelsmith.cli import run; run(['--version']); print(*sorted(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.startswith("modelsmith ")
    assert not HEAVY & set(result.stdout.split())
