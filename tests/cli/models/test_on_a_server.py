"""The daily verbs through a server: one day against the fake, and against a real Ollama where there is one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.ollama import FakeOllama

from modelsmith.cli import run
from modelsmith.weights.gguf.sample import write_sample

NAMES = ("ms-day-mario", "ms-day-luigi", "ms-day-peach", "ms-day-mario:v2", "ms-day-loaded")


@pytest.fixture(params=["fake", pytest.param("ollama", marks=pytest.mark.ollama)])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "ollama":
        host = request.getfixturevalue("real_ollama")
        yield host if "://" in host else f"http://{host}"
        return
    with FakeOllama(tmp_path / "server") as fake:
        yield fake.url


def test_a_day(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*words: str, code: int = 0) -> str:
        assert run([*words, "--store", server]) == code, capsys.readouterr().err
        return capsys.readouterr().out

    def listed() -> set[str]:
        return {row["name"] for row in json.loads(said("list", "ms-day", "--json"))}

    def shown(name: str) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(said("show", name, "--json"))
        return facts

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_sample(tmp_path / "m.gguf")
    Path("Modelfile").write_text(
        'FROM ./m.gguf\nTEMPLATE "{{ .System }}{{ .Prompt }}!"\nSYSTEM Be brief.\nPARAMETER stop a\nPARAMETER num_ctx 4096\n'
    )
    try:
        assert said("create", NAMES[0], "--dry-run")
        assert NAMES[0] not in str(listed())
        assert said("create", NAMES[0])
        assert said("show", NAMES[0], "--system") == "Be brief.\n"
        assert said("show", NAMES[0], "--parameters") == 'num_ctx 4096\nstop "a"\n'
        text = said("show", NAMES[0])
        assert text.startswith(f"FROM {NAMES[0]}:latest\n")
        assert "sha256" not in text
        Path("again.Modelfile").write_text(text)
        assert said("create", NAMES[1], "-f", "again.Modelfile")
        for key in ("template", "system", "parameters"):
            assert shown(NAMES[0])[key] == shown(NAMES[1])[key]
        assert said("edit", NAMES[1], "--set", "temperature=0.5", "--set", "SYSTEM=Sing.", "--yes")
        assert said("show", NAMES[1], "--system") == "Sing.\n"
        assert said("show", NAMES[0], "--system") == "Be brief.\n"
        assert said("cp", NAMES[1], NAMES[2])
        assert said("tag", NAMES[0], "v2")
        assert said("mv", NAMES[2], NAMES[4])
        assert listed() == {f"{NAMES[0]}:latest", NAMES[3], f"{NAMES[1]}:latest", f"{NAMES[4]}:latest"}
        assert said("rm", NAMES[4], "--yes")
        assert said("rm", NAMES[0], NAMES[3], NAMES[1], "--yes")
        assert said("show", NAMES[0], code=3) == ""
    finally:
        for name in NAMES:
            run(["rm", name, "--yes", "--store", server])
            capsys.readouterr()


def test_from_a_folder_to_a_server_in_a_bundle(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    words = ["--set", "base=sample:deepseek-r1", "--set", f"name={NAMES[4]}", "--store", "models", "--quiet"]
    try:
        assert run(["apply", "force-think", *words]) == 0
        assert run(["export", NAMES[4], "-o", "m.tar", "--store", "models"]) == 0
        assert run(["load", "m.tar", "--store", server]) == 0, capsys.readouterr().err
        capsys.readouterr()
        for option in ("--template", "--parameters"):
            assert run(["show", NAMES[4], option, "--store", "models"]) == 0
            here = capsys.readouterr().out
            assert run(["show", NAMES[4], option, "--store", server]) == 0
            assert capsys.readouterr().out == here
    finally:
        run(["rm", NAMES[4], "--yes", "--store", server])
