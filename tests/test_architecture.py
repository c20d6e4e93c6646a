"""The house stands: imports point down, none in a circle, each third-party package has one door, the start stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).resolve().parent.parent / "modelsmith"

# From the bottom to the top; a package may import itself and what stands on a lower line. Neighbours on one line
# may not import each other, except in the base: it is values and tables only.
LAYERS: list[set[str]] = [
    {
        "about",
        "errors",
        "source",
        "diagnostic",
        "fields",
        "gojson",
        "gonumber",
        "linear",
        "hidden",
        "name",
        "manifest",
        "masking",
        "memo",
        "parameters",
        "patterns",
        "progress",
        "records",
        "versions",
        "resources",
    },
    {"files", "http"},
    {"syntax"},
    {"template"},
    {"weights"},
    {"lint", "fmt"},
    {"doctor"},
    {"store"},
    {"registry", "hub"},
    {"models"},
    {"explain", "compare", "engines", "machine"},
    {"recipe"},
    {"playground"},
    {"questions"},
    {"cli"},
]
DOORS = {
    "lark": "syntax/",
    "jinja2": "template/jinja/",
    "httpx2": ("http/", "hub/failures.py"),  # huggingface_hub raises its errors
    "cryptography": ("registry/ollama_key.py", "registry/public_key.py"),
    "pydantic": "recipe/",
    "pydantic_core": "recipe/",
    "ruamel": "recipe/",
    "gguf": "weights/",
    "safetensors": "weights/",
    "huggingface_hub": "hub/",
    "jsonschema": "recipe/prove/",
    "referencing": "recipe/prove/",
    "zstandard": "registry/bundle/",
    "distributed": "recipe/scale/dask_cluster.py",
    "numpy": "weights/",
    "re2": "weights/quantize/tensor_pattern.py",
    "libggml": "weights/quantize/",
    "click": "cli/",
    "rich": "cli/",
    "pygls": "cli/lsp/",
    "lsprotocol": "cli/lsp/",
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
    "distributed",
    "huggingface_hub",
    "asyncio",
    "pygls",
    "lsprotocol",
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(parsed(path)):
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


@cache
def graph() -> dict[str, dict[str, int]]:
    """Every module and the modules that it imports, anywhere in its text, each with the line of the import."""
    names = {module_name(path): path for path in modules()}
    found: dict[str, dict[str, int]] = {}
    for name, path in names.items():
        found[name] = {}
        for imported, line in imports(path):
            target = imported if imported in names else imported.rpartition(".")[0]
            if target in names and target != name:
                found[name].setdefault(target, line)
    return found


def module_name(path: Path) -> str:
    return ".".join(("modelsmith", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


def circles(edges: dict[str, dict[str, int]]) -> list[list[str]]:
    """The groups of modules that import each other (Tarjan's strongly connected components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(module: str) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for other in edges[module]:
            if other not in index:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], index[other])
        if low[module] == index[module]:
            group = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(group) > 1:
                found.append(sorted(group))

    for module in edges:
        if module not in index:
            visit(module)
    return found


def wrong_imports(edges: dict[str, dict[str, int]]) -> list[str]:
    """Say of every import that does not point down which it is."""
    wrong = []
    for module, imported in edges.items():
        here = module.split(".")[1] if "." in module else ""
        if here in {"", "__main__"}:
            continue
        for target, line in imported.items():
            there = target.split(".")[1] if "." in target else ""
            if there == here or (there and level(here) == level(there) == 0):
                continue
            if not there or level(there) >= level(here):
                wrong.append(
                    f"{module}, line {line}: imports {target}, but {here} may not import {there or 'modelsmith'}"
                )
    return wrong


def test_the_map_names_every_room() -> None:
    guide = (PACKAGE.parent / "CONTRIBUTING.md").read_text("utf-8")
    drawn = guide.partition("```text\n")[2].partition("```")[0]
    rooms = {path.parent.relative_to(PACKAGE) for path in modules()}
    missing = [str(room) for room in sorted(rooms) if 0 < len(room.parts) < 3 and f"{room.name}/" not in drawn]
    assert not missing


def test_imports_point_down() -> None:
    wrong = wrong_imports(graph())
    assert not wrong, "\n".join(wrong)


def test_no_modules_import_each_other() -> None:
    edges = graph()
    lines = [
        f"{module}, line {edges[module][other]}: imports {other}"
        for group in circles(edges)
        for module in group
        for other in edges[module]
        if other in group
    ]
    assert not lines, "\n".join(["these imports form a circle:", *lines])


def test_the_checks_see_a_wrong_import() -> None:
    edges = {"modelsmith.syntax.a": {"modelsmith.cli.b": 7}, "modelsmith.cli.b": {"modelsmith.syntax.a": 9}}
    assert wrong_imports(edges) == [
        "modelsmith.syntax.a, line 7: imports modelsmith.cli.b, but syntax may not import cli"
    ]
    assert circles(edges) == [["modelsmith.cli.b", "modelsmith.syntax.a"]]


def test_folders_stay_small() -> None:
    counts = {
        folder: len(list(folder.glob("*.py")))
        for folder in {path.parent for path in modules()}
        if folder.name != "rules"
    }
    large = {str(folder.relative_to(PACKAGE)): count for folder, count in counts.items() if count > 24}
    assert not large, f"over 24 modules: {large}"


def test_tests_lie_as_the_package_does() -> None:
    tests = Path(__file__).resolve().parent
    folders = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")}
    assert not [str(folder) for folder in folders if not (PACKAGE / folder).is_dir()], "no such folder in modelsmith/"


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
    largest = {path.name: size for path in modules() if (size := len(path.read_text("utf-8").splitlines())) > 500}
    assert not largest, f"over 500 lines: {largest}"
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
