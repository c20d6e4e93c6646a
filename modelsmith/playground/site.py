"""The folder of the page: what was built into it, and from which source."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import UnreadableFile
from modelsmith.files.cache import cache_folder
from modelsmith.resources import GRAMMARS, RECIPES

if TYPE_CHECKING:
    from collections.abc import Mapping

MANIFEST = "build.json"
_PACKAGE = Path(__file__).resolve().parent.parent
_MOST_MANIFEST = 1 << 20
_SOURCES = ("*.py", "*.json", "*.mjs", "*.txt", "*.js", "*.css", "*.html", "*.svg")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a build says of itself: the version, the digest of the source it was made of, its files and their SHA-256."""

    version: str
    source: str
    files: Mapping[str, str]


def default_site() -> Path:
    """Return the folder in which the page is looked for and built where none is named."""
    return cache_folder() / "playground"


def read_manifest(site: Path) -> Manifest | None:
    """Return what was built in a folder; None where there is no page."""
    path = site / MANIFEST
    try:
        if path.stat().st_size > _MOST_MANIFEST:
            return None
        found = json.loads(path.read_text("utf-8"))
        files = {str(name): str(digest) for name, digest in found["files"].items()}
        return Manifest(str(found["modelsmith"]), str(found["source"]), files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def find_site(site: Path) -> Manifest:
    """Return what was built in a folder; raises UnreadableFile where there is no page, with how to build it."""
    found = read_manifest(site)
    if found is None:
        at = "" if site == default_site() else f" --site {site}"
        raise UnreadableFile(
            f"the page is not in {site}: it is built once, from npm's pyodide and packages of PyPI",
            hint="modelsmith playground --build" + at + " (needs node, npm and pip)",
        )
    return found


@cache
def source_digest() -> str:
    """Return a digest of all that a page is built from: the package, its grammars and recipes, the page's own files."""
    digest = hashlib.sha256()
    for root in (_PACKAGE, GRAMMARS, RECIPES):
        paths = {path for pattern in (*_SOURCES, "*.lark", "*.yaml") for path in root.rglob(pattern)}
        for path in sorted(paths):
            digest.update(f"{path.relative_to(root)}\0".encode())
            digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()
