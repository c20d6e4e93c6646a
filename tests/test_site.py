"""The docs as a site: built without a warning, every page in it, every link of ours leading somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

from modelsmith.cli import COMMANDS

pytest.importorskip("material", reason="the site is built with mkdocs-material (pip install mkdocs-material)")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


def test_every_page_and_command_is_in_the_site(site: Path) -> None:
    pages = [
        page for page in (ROOT / "docs").rglob("*.md") if "team-repository" not in page.parts
    ]  # that is a template
    for page in pages:
        assert (site / page.relative_to(ROOT / "docs")).with_suffix(".html").exists(), page
    for command in COMMANDS:
        text = (site / "commands" / f"{command}.html").read_text(encoding="utf-8")
        assert f"modelsmith {command}" in text


def test_every_link_of_the_site_leads_somewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        if page.name == "404.html":  # it may be shown at any address, so its links are absolute
            continue
        for link in re.findall(r'(?:href|src)="([^"]+)"', page.read_text(encoding="utf-8")):
            address, _ = urldefrag(link)
            if address and not urlsplit(address).scheme:
                assert (page.parent / unquote(urlsplit(address).path)).exists(), (page.relative_to(site), link)


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r'<(?:script|img|iframe)[^>]+src="https?:|<link[^>]+stylesheet[^>]+href="https?:', text), (
            page
        )
