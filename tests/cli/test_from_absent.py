"""Whatever can be done without the weights is done for a Modelfile whose FROM is not here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelsmith.cli import run
from modelsmith.weights.gguf.sample import write_sample

GO = "{{ range .Messages }}<|{{ .Role }}|>{{ .Content }}{{ end }}<|assistant|>"
RECIPE = {
    "name": "r",
    "inputs": {"base": {"type": "path"}},
    "from": "${base}",
    "create": "made",
    "template": [{"inject": {"text": "<think>\n"}}],
    "parameters": {"num_ctx": 4096},
}
FROMS = (
    "llama3.2:3b",
    "./model.gguf",
    "/nowhere/model.gguf",
    "./folder/",
    "hf.co/org/repo:Q4_K_M",
    "registry.example.com/a/b:c",
)
COMMANDS = {
    "plan": ("plan", "r.yaml", "--set", "base=Modelfile"),
    "plan --modelfile": ("plan", "r.yaml", "--set", "base=Modelfile", "--modelfile", "out"),
    "apply --modelfile": ("apply", "r.yaml", "--set", "base=Modelfile", "--modelfile", "out"),
    "explain": ("explain", "Modelfile"),
    "explain --json": ("explain", "Modelfile", "--json"),
    "render": ("render", "Modelfile", "--user", "hello"),
    "diff": ("diff", "Modelfile", "Modelfile"),
    "diff with another": ("diff", "Modelfile", "Other"),
    "diff with a template": ("diff", "Modelfile", "t.gotmpl"),
    "convert": ("convert", "Modelfile", "--to", "jinja"),
    "lint": ("lint", "Modelfile"),
    "fmt": ("fmt", "--check", "Modelfile"),
    "parse": ("parse", "Modelfile"),
    "edit": ("edit", "Modelfile", "--set", "num_ctx=8192"),
}
FINDS = {"diff with another"}


@pytest.mark.parametrize("origin", FROMS)
@pytest.mark.parametrize("command", COMMANDS)
def test_it_works_without_the_weights(
    command: str, origin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    Path("store").mkdir()
    Path("Modelfile").write_text(f'FROM {origin}\nTEMPLATE """{GO}"""\nPARAMETER num_ctx 2048\nSYSTEM Be kind.\n')
    Path("Other").write_text(f'FROM {origin}\nTEMPLATE """{GO}!"""\n')
    Path("t.gotmpl").write_text(GO)
    Path("r.yaml").write_text(json.dumps(RECIPE))
    code = run(list(COMMANDS[command]))
    out, err = capsys.readouterr()
    tells = command in FINDS or (command == "lint" and origin.startswith((".", "/")))  # lint names the missing file
    assert code == tells, out + err
    if command == "render":
        assert "<|user|>hello<|assistant|>" in out
    if command == "apply --modelfile":
        assert "<think>" in Path("out").read_text()
    assert not list(Path("store").rglob("*"))


BESIDE = ("ADAPTER ./gone.gguf", "DRAFT ./gone.gguf", "FROM ./gone-mmproj.gguf")


@pytest.mark.parametrize("beside", BESIDE)
@pytest.mark.parametrize("origin", ["./model.gguf", "./absent.gguf"])
@pytest.mark.parametrize(
    "command", ["plan", "apply --modelfile", "explain", "render", "diff with a template", "convert"]
)
def test_it_works_without_a_file_beside_from(
    command: str,
    origin: str,
    beside: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "store"))
    Path("store").mkdir()
    write_sample("model.gguf", chat_template="")
    Path("Modelfile").write_text(f'FROM {origin}\n{beside}\nTEMPLATE """{GO}"""\nSYSTEM Be kind.\n')
    Path("t.gotmpl").write_text(GO)
    Path("r.yaml").write_text(json.dumps(RECIPE))
    assert run(list(COMMANDS[command])) in {0, 1}
    out, err = capsys.readouterr()
    both_from = origin == "./absent.gguf" and beside.startswith("FROM")
    if command in {"plan", "explain"} and not both_from:
        assert f"{beside} is not here" in out + err
    if command == "render":
        assert "<|user|>hello<|assistant|>" in out
    if command == "apply --modelfile":
        assert beside.partition("./")[2] in Path("out").read_text()
        assert "was not created" in out
    assert not list(Path("store").rglob("*"))
    assert run(["apply", "r.yaml", "--set", "base=Modelfile"]) == 3
    assert "cannot be created" in capsys.readouterr().err
    assert run(["create", "m", "-f", "Modelfile"]) in {1, 2, 3}, "no model is made without it"


def test_without_a_template_the_prompt_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "store"))
    Path("store").mkdir()
    Path("Modelfile").write_text("FROM llama3.2:3b\nSYSTEM Be kind.\n")
    for command in (
        ("render", "Modelfile", "--user", "hello"),
        ("explain", "Modelfile"),
        ("convert", "Modelfile", "--to", "jinja"),
    ):
        assert run(list(command)) == 3, command
        assert "FROM llama3.2:3b is no file" in capsys.readouterr().err
