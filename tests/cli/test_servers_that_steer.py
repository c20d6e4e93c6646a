"""Escape sequences that a server puts wherever it can: none of them reaches the terminal, of answers or of errors."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from fakes.scripted import Script, scripted

from modelsmith.cli import run
from modelsmith.cli.shared.streams import GuardedTerminal

EVIL = "a\x1b]0;owned\x07\x1b[2J\x9b31m\rb\u202e"
SHOW = {
    "modelfile": f"FROM /x\nTEMPLATE {{{{ .Prompt }}}}{EVIL}\n",
    "template": "{{ .Prompt }}" + EVIL,
    "system": EVIL,
    "license": EVIL,
    "parameters": f'stop "{EVIL}"',
    "details": {"family": EVIL, "format": "gguf"},
    "messages": [{"role": "user", "content": EVIL}],
    "capabilities": [EVIL],
    "model_info": {EVIL: 1},
}
TAGS = {"models": [{"name": "m:latest", "size": 5, "digest": "a" * 64, "modified_at": EVIL}]}
SOUND = {
    "/api/version": Script.json({"version": "0.30.0"}),
    "/api/tags": Script.json(TAGS),
    "/api/show": Script.json(SHOW),
    "/api/ps": Script.json({"models": [{"name": EVIL, "size": 5, "size_vram": 1}]}),
    "/api/chat": Script.lines(
        {"message": {"role": "assistant", "content": EVIL, "thinking": EVIL}, "done": False},
        {"done": True, "done_reason": EVIL},
    ),
}
PROGRESS = {"status": EVIL, "digest": EVIL, "completed": 1, "total": 2}
SERVERS: dict[str, dict[str, Script]] = {
    "texts of a model": SOUND,
    "errors": {path: Script.json({"error": EVIL}, 400) for path in SOUND},
    "a version": {"/api/version": Script.json({"version": EVIL})},
    "a name": {**SOUND, "/api/tags": Script.json({"models": [{"name": EVIL}]})},
    "another type": {**SOUND, "/api/show": Script.json({"details": EVIL})},
    "an error in a stream": {
        **SOUND,
        "/api/chat": Script.lines({"error": EVIL}),
        "/api/create": Script.lines(PROGRESS, {"error": EVIL}),
        "/api/pull": Script.lines(PROGRESS, {"error": EVIL}),
        "/api/delete": Script.json({"error": EVIL}, 500),
        "/api/copy": Script.json({"error": EVIL}, 500),
    },
}
COMMANDS = (
    ("list", "--store"),
    ("store", "ls", "--json", "--store"),
    ("show", "m", "--store"),
    ("show", "m", "--json", "--store"),
    ("explain", "m", "--store"),
    ("render", "m", "-u", "x", "--store"),
    ("plan", "force-think", "--set", "base=m", "--store"),
    ("diff", "m", "m", "--store"),
    ("doctor", "--store"),
    ("try", "m", "hi", "--on"),
    ("try", "m", "hi", "--json", "--on"),
    ("rm", "m", "--yes", "--store"),
    ("cp", "m", "n", "--store"),
    ("create", "n", "-f", "Modelfile", "--store"),
    ("pull", "m", "--store"),
)


class Screen(io.BytesIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("name", SERVERS)
def test_no_server_steers_the_terminal(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable, value in {"TERM": "xterm-256color", "COLUMNS": "100", "NO_COLOR": "", "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(variable, value)
    Path("Modelfile").write_text("FROM m\nSYSTEM x\n")
    with scripted(SERVERS[name]) as server:
        for words in COMMANDS:
            shown = on_a_terminal([*words, server.url], monkeypatch)
            assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", shown), (words, ascii(shown))
            assert "bug in modelsmith" not in shown, words


def on_a_terminal(words: list[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what a command sends to a terminal, colours and line ends aside."""
    screen: Any = Screen()
    stream = GuardedTerminal(screen, encoding="utf-8", write_through=True)
    with monkeypatch.context() as patched:
        patched.setattr("sys.stdout", stream)
        patched.setattr("sys.stderr", stream)
        assert run(words) in {0, 1, 2, 3}
        stream.flush()
    return re.sub("\x1b\\[[0-9;]*m", "", screen.getvalue().decode()).replace("\r\n", "\n")
