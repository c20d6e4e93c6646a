"""Every command that writes a file: what stands there stays, and what --force replaces is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelsmith.cli import run
from modelsmith.weights.gguf.sample import write_sample

NOTE = b"My note about {{ .Prompt }} and <!doctype html>, [] and {}\n"
COMMANDS = {
    "convert": (["convert", "c.jinja", "-o", "OUT"], "OUT"),
    "diff --html": (["diff", "a.gotmpl", "a.gotmpl", "--html", "OUT"], "OUT"),
    "inspect --html": (["gguf", "inspect", "m.gguf", "--html", "OUT"], "OUT"),
    "set -o": (["gguf", "set", "m.gguf", "general.name", "x", "-o", "OUT"], "OUT"),
    "unset -o": (["gguf", "unset", "m.gguf", "general.name", "-o", "OUT"], "OUT"),
    "rename -o": (["gguf", "rename", "m.gguf", "general.name", "general.title", "-o", "OUT"], "OUT"),
    "canonicalize": (["gguf", "canonicalize", "m.gguf", "OUT"], "OUT"),
    "split": (["gguf", "split", "m.gguf", "OUT", "--max-tensors", "8"], "OUT-00002-of-00003.gguf"),
    "merge": (["gguf", "merge", "s-00001-of-00003.gguf", "-o", "OUT"], "OUT"),
    "quantize": (["gguf", "quantize", "m.gguf", "OUT", "--type", "Q8_0"], "OUT"),
    "recipes new": (["recipes", "new", "OUT.yaml"], "OUT.yaml"),
    "lint -o": (["lint", "Modelfile", "-o", "OUT", "--exit-zero"], "OUT"),
    "lint -o json": (["lint", "Modelfile", "--json", "-o", "OUT", "--exit-zero"], "OUT"),
    "lint -o sarif": (["lint", "Modelfile", "--format", "sarif", "-o", "OUT", "--exit-zero"], "OUT"),
    "lint -o junit": (["lint", "Modelfile", "--format", "junit", "-o", "OUT", "--exit-zero"], "OUT"),
    "lint -o gitlab": (["lint", "Modelfile", "--format", "gitlab", "-o", "OUT", "--exit-zero"], "OUT"),
    "lint --write-baseline": (["lint", "Modelfile", "--write-baseline", "OUT"], "OUT"),
    "apply --modelfile": (
        ["apply", "force-think", "--set", "base=sample:deepseek-r1", "--modelfile", "OUT", "--store", "models"],
        "OUT",
    ),
}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "no-store"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / ".git").mkdir()
    Path("c.jinja").write_text(
        "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    Path("a.gotmpl").write_text("{{ .Prompt }}")
    Path("Modelfile").write_text("FROM llama3.2:3b\nPARAMETER num_ctx = 4096\n")
    write_sample(Path("m.gguf"))
    assert run(["gguf", "split", "m.gguf", "s", "--max-tensors", "8"]) == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_what_stands_there_is_not_lost(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command, target = COMMANDS[name]
    path, old = Path(target), Path(f"{target}.old")
    path.write_bytes(NOTE)
    assert run(command) == 2
    assert "--force replaces it and keeps it as" in capsys.readouterr().err
    assert path.read_bytes() == NOTE
    assert not old.exists()
    assert run([*command, "--force"]) == 0
    assert f"kept as {old}" in capsys.readouterr().err.replace(f"{Path.cwd()}/", "")
    assert path.read_bytes() != NOTE
    assert old.read_bytes() == NOTE


@pytest.mark.parametrize("name", [name for name in COMMANDS if name.startswith(("lint", "diff", "inspect"))])
def test_reports_are_made_again(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command, target = COMMANDS[name]
    assert run(command) == 0
    assert run(command) == 0
    Path("Modelfile").write_text("FROM llama3.2:3b\nPARAMETER num_ctx = 8192\n")
    assert run(command) == (2 if name == "lint -o" else 0)
    assert not Path(f"{target}.old").exists()
    capsys.readouterr()


def test_a_split_that_fails_puts_everything_back(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("m-00001-of-00003.gguf").write_bytes(NOTE)
    from modelsmith.weights.gguf.arrange import split

    copied: list[object] = []

    def failing(*arguments: object) -> object:
        copied.append(arguments)
        if len(copied) == 3:
            raise OSError(28, "No space left on device")
        return original(*arguments)  # type: ignore[arg-type]

    original = split.copy_segments
    monkeypatch.setattr(split, "copy_segments", failing)
    before = {path: path.read_bytes() for path in Path().glob("*.gguf*")}
    assert run(["gguf", "split", "m.gguf", "m", "--max-tensors", "8", "--force"]) == 3
    assert before == {path: path.read_bytes() for path in Path().glob("*.gguf*")}
