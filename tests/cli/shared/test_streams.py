"""Output to pipes that close early and to streams that cannot carry every character, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

WORDS = "caf\u00e9 \uff5c \U0001f600"


def program(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "modelsmith", *arguments],
        cwd=folder,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "t.gotmpl").write_text("{{ range .Messages }}{{ .Content }}{{ end }}")
    return tmp_path


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_every_encoding_can_carry_everything(folder: Path, encoding: str) -> None:
    shown = program(folder, "render", "t.gotmpl", "-u", WORDS, "--json", PYTHONIOENCODING=encoding)
    output, errors = shown.communicate(timeout=600)
    assert shown.returncode == 0, errors
    assert json.loads(output.decode("utf-8" if encoding == "ascii" else encoding))["prompt"] == WORDS
    listed = program(folder, "recipes", "show", "force-think", PYTHONIOENCODING=encoding)
    assert listed.communicate(timeout=600)[1] == b""
    (folder / "Modelfile").write_text(f"FROM x\nSYSTEM {WORDS}\n")
    table = program(folder, "parse", "Modelfile", PYTHONIOENCODING=encoding)
    assert table.communicate(timeout=600)[1] == b""
    assert table.returncode == 0


def test_a_reader_that_goes_away_is_no_failure(folder: Path) -> None:
    (folder / "Modelfile").write_text("FROM x\n" + "MESSAGE user hello\n" * 20_000)
    with program(folder, "parse", "Modelfile") as started:
        assert started.stdout is not None
        started.stdout.read(10)
        started.stdout.close()
        assert started.wait(timeout=600) == 0


def test_a_closed_standard_input_is_no_bug(folder: Path) -> None:
    code = "import os, sys; os.close(0); os.execv(sys.executable, [sys.executable, '-m', 'modelsmith', *sys.argv[1:]])"
    result = subprocess.run(
        [sys.executable, "-c", code, "render", "t.gotmpl", "-c", "-"], cwd=folder, capture_output=True, check=False
    )
    assert result.returncode == 2
    assert b"is not JSON" in result.stderr
