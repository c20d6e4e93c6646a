"""A path, or a command of Ollama's, where a command's name should stand is answered with the command that takes it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from modelsmith.cli import run


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("README.md", "m.gguf", "x.yaml", "Modelfile", "t.gotmpl", "a file.md", "notes.txt"):
        Path(name).write_text("")
    for name in ("models/manifests", "adapter", "empty"):
        Path(name).mkdir(parents=True)
    Path("adapter/adapter_config.json").write_text("{}")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("doctor README.md", "it is a file: modelsmith doctor md README.md"),
        ("doctor 'a file.md' README.md", "it is a file: modelsmith doctor md 'a file.md' README.md"),
        ("doctor 'ollama run x --top-k {1}'", "to judge a command: modelsmith doctor cmd 'ollama run x --top-k {1}'"),
        ("doctor ollama run x", "to judge a command: modelsmith doctor cmd 'ollama run x'"),
        ("gguf m.gguf", "it is a file: modelsmith gguf inspect m.gguf"),
        ("gguf ./m.gguf --json", "it is a file: modelsmith gguf inspect ./m.gguf --json"),
        ("gguf models", "it is a folder: modelsmith gguf pair models"),
        ("store ./models", "it is a folder: modelsmith store ls --store ./models"),
        ("registry models", "it is a folder: modelsmith registry serve --store models"),
        ("lora adapter", "it is a folder: modelsmith lora inspect adapter"),
        ("lora m.gguf", "it is a file: modelsmith lora inspect m.gguf"),
        ("recipes x.yaml", "it is a file: modelsmith recipes show x.yaml"),
        ("recipes empty", "it is a folder: modelsmith recipes check empty"),
        ("recipes force-think", "it is a recipe: modelsmith recipes show force-think"),
        ("Modelfile", "it is a file: modelsmith explain Modelfile"),
        ("t.gotmpl", "it is a file: modelsmith explain t.gotmpl"),
        ("m.gguf", "it is a file: modelsmith gguf inspect m.gguf"),
        ("x.yaml", "it is a file: modelsmith plan x.yaml"),
        ("README.md", "it is a file: modelsmith doctor md README.md"),
        ("models", "it is a folder: modelsmith store ls --store models"),
        ("adapter", "it is a folder: modelsmith lora inspect adapter"),
        ("notes.txt", "see modelsmith --help"),
        ("empty", "see modelsmith --help"),
        ("store notes.txt", "see modelsmith store --help"),
        ("doctor xyzzy", "see modelsmith doctor --help"),
        ("doctor emv", 'did you mean "env"?'),
        ("recipes shw", 'did you mean "show"?'),
        ("registry serv", 'did you mean "serve"?'),
    ],
)
def test_the_command_that_was_meant(typed: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = shlex.split(typed)
    assert run(words) == 2
    wrong = words[-1] if words[0] not in {"doctor", "gguf", "store", "registry", "lora", "recipes"} else words[1]
    program = re.escape(f'error: no command "{wrong}"; {meant}\n').replace("modelsmith", r"[^\n:]+", 1)
    assert re.search(program, capsys.readouterr().err)
