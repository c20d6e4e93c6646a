"""docs/offline.md is what happens: each command prints what stands there, and none of them opens a connection."""

from __future__ import annotations

import re
import shlex
import socket
from pathlib import Path
from typing import Any

import pytest

from modelsmith.cli import run

PAGE = Path(__file__).resolve().parent.parent / "docs" / "offline.md"
_TIMES = re.compile(r"in \d+\.\d s, [\d.]+ [kMG]?B/s")


def transcript() -> list[tuple[str, str]]:
    blocks = re.findall(r"^```text\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    steps = [
        step.partition("\n") for block in blocks for step in re.split(r"^\$ modelsmith ", block, flags=re.MULTILINE)[1:]
    ]
    return [(command, output) for command, _, output in steps]


def test_the_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def forbidden(*_arguments: Any, **_options: Any) -> Any:
        raise AssertionError("a connection was opened")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, forbidden)
    monkeypatch.setattr(socket, "getaddrinfo", forbidden)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("MODELSMITH_STORE", "models")
    Path("Modelfile").write_text("FROM r1\nSYSTEM You are Mario.\nPARAMETER temperature 0.4\n")
    steps = transcript()
    assert {shlex.split(command)[0] for command, _ in steps} >= {"create", "edit", "show", "export", "load"}
    for command, output in steps:
        assert run(shlex.split(command)) == 0, command
        assert _TIMES.sub("", capsys.readouterr().out) == _TIMES.sub("", output), command
