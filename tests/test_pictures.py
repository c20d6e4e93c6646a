"""The pictures of the docs show what the commands print today."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"


def words(svg: str) -> list[str]:
    """The texts of a picture; how rich draws them may change with its version."""
    return [html.unescape(text).replace("\xa0", " ") for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]


@pytest.mark.skipif(sys.platform == "win32", reason="the pictures are drawn on a POSIX terminal")
def test_the_pictures_are_true(tmp_path: Path) -> None:
    script = tmp_path / "draw.py"
    script.write_text((PICTURES / "draw.py").read_text("utf-8"), "utf-8")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    drawn = {path.name: path.read_text("utf-8") for path in tmp_path.glob("*.svg")}
    assert {*drawn} == {path.name for path in PICTURES.glob("*.svg")}
    for name, svg in drawn.items():
        assert words((PICTURES / name).read_text("utf-8")) == words(svg), (
            f"python docs/pictures/draw.py draws {name} anew"
        )
        assert not re.findall(r"""(?:url\(|href=)["']?https?:""", svg)
