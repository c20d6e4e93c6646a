"""Build the page: npm's Pyodide, the package and what it needs in one archive, and the page's own files. Needs npm, node and pip.

Everything that is fetched is pinned by its hash. What is built is one folder of static files, which any web server can serve.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.about import __version__
from modelsmith.errors import DigestMismatch, StoreError, Unsupported, UsageError, system_errors
from modelsmith.files.unfinished import unfinished_folder
from modelsmith.playground.site import MANIFEST, read_manifest, source_digest
from modelsmith.resources import GRAMMARS, RECIPES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PYODIDE = "314.0.7"
_PYODIDE_HASH = "0YvXxEhfEdpLfb/XkM2BFAeMROq0iMUX2bzzH9pOttyMcWkwq+HbE5uyuGD82LN7y2q+SNvi/6V5JEsOlD2R1A=="
_PYODIDE_FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
_BROWSER = ("--platform", "pyemscripten_2026_0_wasm32", "--abi", "cp314", "--abi", "none")
_LINUX = ("--platform", "manylinux2014_x86_64", "--abi", "cp314")
_HERE = Path(__file__).resolve().parent
_PACKAGE = _HERE.parent
_LEFT_OUT = frozenset({"cli", "__pycache__", "page"})
"""Folders of the package that the page has no use for."""
_REACHABLE = "are npm's registry and PyPI reachable from here?"
_ENDINGS = frozenset({".py", ".json", ".lark", ".yaml"})


def build(site: Path, say: Callable[[str], None]) -> None:
    """Build the page into the folder ``site``; an older page there is replaced.

    Raises UsageError where the folder holds anything else, Unsupported where a program is missing, StoreError where one fails.
    """
    if stranger := _stranger(site):
        raise UsageError(
            f"{site} holds other files than the page, such as {stranger}: it is not touched",
            hint="name an empty or a new folder, and copy the page from there",
        )
    node, npm, pip = _program("node"), _program("npm"), _pip()
    site = site.resolve()
    with system_errors():
        site.parent.mkdir(parents=True, exist_ok=True)
    with unfinished_folder(site) as work:
        say(f"fetching Pyodide {PYODIDE} from npm (6.5 MB)")
        _fetch_pyodide(work, npm)
        say("fetching the Python packages from PyPI (3 MB)")
        _fetch_packages(work, pip)
        say("compiling")
        _stage(work)
        new = work / "site"
        _copy_page(work, new)
        places = (work / "pyodide", work / "stage", new / "python.zip", new / "python.memory")
        _run(
            [node, str(_HERE / "pack.mjs"), *map(str, places)],
            "this is a bug in modelsmith, or Node.js is older than 20",
        )
        _write_manifest(new)
        put_in_place(new, site)


@system_errors()
def put_in_place(new: Path, site: Path) -> None:
    """Give a new page its place; an older one moves out of it beside the new one, and there is none in between for a moment."""
    if site.exists():
        site.rename(new.with_name("old"))
    new.chmod(0o755)
    new.rename(site)


def _stranger(site: Path) -> str:
    """Return a file in the folder that is not of a page as it was built, "" where there is none."""
    manifest = read_manifest(site)
    files = {**(manifest.files if manifest else {})}
    for path in sorted(site.rglob("*")) if site.is_dir() else ():
        name = path.relative_to(site).as_posix()
        if path.is_dir() or (manifest and name == MANIFEST):
            continue
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != files.get(name):
            return name
    return ""


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Unsupported(
            f"{name} is not installed, and the page is built with it", hint="install Node.js 20 or later, with npm"
        )
    return found


def _pip() -> list[str]:
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    found = shutil.which("pip") or shutil.which("pip3")
    if found is None:
        raise Unsupported(
            "pip is not installed, and the page is built with it", hint="python -m ensurepip, or install pip"
        )
    return [found]


def _run(command: Sequence[str], hint: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = " ".join(Path(command[0]).name if number == 0 else word for number, word in enumerate(command[:4]))
        last = [line.strip()[:300] for line in (done.stderr + done.stdout).splitlines() if line.strip()][-14:]
        raise StoreError(f"{words} … failed: {'; '.join(last)[:2000]}", hint=hint)


def _fetch_pyodide(work: Path, npm: str) -> None:
    (work / "pyodide").mkdir()
    _run([npm, "pack", f"pyodide@{PYODIDE}", "--silent", "--pack-destination", str(work)], _REACHABLE)
    packed = work / f"pyodide-{PYODIDE}.tgz"
    digest = base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
    if digest != _PYODIDE_HASH:
        raise DigestMismatch(f"npm's pyodide {PYODIDE} is not the one that is known here: sha512-{digest}")
    with tarfile.open(packed) as archive:
        for name in _PYODIDE_FILES:
            member = archive.extractfile(f"package/{name}")
            if member is None:
                raise StoreError(f"npm's pyodide {PYODIDE} has no {name}")
            (work / "pyodide" / name).write_bytes(member.read())


def _fetch_packages(work: Path, pip: list[str]) -> None:
    python = ("--python-version", "3.14", "--implementation", "cp", "--only-binary", ":all:", "--no-deps")
    for names, platform in (("packages.txt", _BROWSER), ("linux-packages.txt", _LINUX)):
        wanted = ("--require-hashes", "--requirement", str(_HERE / names), "--dest", str(work / "wheels"))
        _run([*pip, "download", "--quiet", *python, *platform, *wanted], _REACHABLE)


def _stage(work: Path) -> None:
    """Lay out what the archive will have: the packages, this package without what the page has no use for, its data."""
    stage = work / "stage"
    stage.mkdir()
    for wheel in sorted((work / "wheels").glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if ".dist-info/" in name or (name.endswith((".so", ".c")) and "emscripten" not in wheel.name):
                    continue
                archive.extract(name, stage)
    own = stage / "modelsmith"
    for path in sorted(_PACKAGE.rglob("*")):
        inside = path.relative_to(_PACKAGE)
        if path.suffix in _ENDINGS and not _LEFT_OUT & {*inside.parts}:
            (own / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, own / inside)
    for folder in (GRAMMARS, RECIPES):
        shutil.copytree(folder, own / folder.name, dirs_exist_ok=True)


def _copy_page(work: Path, new: Path) -> None:
    shutil.copytree(_HERE / "page", new)
    worker = new / "offline.js"
    worker.write_text(
        worker.read_text("utf-8").replace('const BUILD = "";', f'const BUILD = "{source_digest()}";'), "utf-8"
    )
    (new / "pyodide").mkdir()
    for name in _PYODIDE_FILES:
        shutil.copyfile(work / "pyodide" / name, new / "pyodide" / name)
    # of the list of Pyodide's own packages none is used: only what it says of this Python is
    lock = json.loads((new / "pyodide" / "pyodide-lock.json").read_text("utf-8"))
    (new / "pyodide" / "pyodide-lock.json").write_text(json.dumps({**lock, "packages": {}}), "utf-8")


def _write_manifest(new: Path) -> None:
    files = {
        str(path.relative_to(new)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(new.rglob("*"))
        if path.is_file()
    }
    built = {"modelsmith": __version__, "pyodide": PYODIDE, "source": source_digest(), "files": files}
    (new / MANIFEST).write_text(json.dumps(built, indent=1) + "\n", "utf-8")
