"""The built page and the programs that try it: where they are, and why a test without them is skipped."""

from __future__ import annotations

import shutil
from pathlib import Path

from modelsmith.playground.site import read_manifest, source_digest

ROOT = Path(__file__).resolve().parent.parent.parent
SITE = ROOT / "build" / "playground"
PLAYWRIGHT = ROOT / "build" / "node"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def no_page() -> str:
    """Why there is no page to try; "" where there is one, built from this very source."""
    if shutil.which("node") is None:
        return "node is not installed"
    found = read_manifest(SITE)
    build = f"modelsmith playground --build --site {SITE.relative_to(ROOT)}"
    if found is None:
        return f"the page is not built: {build}"
    return "" if found.source == source_digest() else f"the page was built from another source: {build}"


def no_browser() -> str:
    """Why there is no browser to try it in."""
    if CHROMIUM is None:
        return "chromium is not installed: apt install chromium"
    if not (PLAYWRIGHT / "node_modules" / "playwright-core").is_dir():
        return "playwright-core is not installed: npm install --prefix build/node playwright-core"
    return no_page()
