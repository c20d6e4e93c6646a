"""The daily verbs on an embedded store, from the command line."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from modelsmith.cli import COMMANDS, OLLAMAS_OWN, OTHER_WORDS, run
from modelsmith.store.local.local import LocalStore
from modelsmith.weights.gguf.sample import write_sample


@pytest.fixture(autouse=True)
def store(one_command: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalStore:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "models"))
    write_sample(tmp_path / "m.gguf")
    Path("Modelfile").write_text(
        'FROM ./m.gguf\nTEMPLATE "{{ .Prompt }}!"\nSYSTEM Be brief.\nPARAMETER stop a\nPARAMETER stop "b c"\n'
        "PARAMETER num_ctx 4096\nLICENSE mine\nMESSAGE user hi\nMESSAGE assistant ho\nREQUIRES 0.14.0\n"
    )
    assert run(["create", "mario"]) == 0
    return LocalStore(tmp_path / "models")


def test_create_shows_what_it_would_write(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["create", "luigi", "--dry-run", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["changes"]
    assert {layer["how"] for layer in answer["layers"]} == {"exists"}
    assert run(["show", "luigi"]) == 3


def test_create_again_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["create", "mario"]) == 0
    assert "no changes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("FROM ./no.gguf\n", "no.gguf"),
        ("nonsense\n", "Ollama refuses this Modelfile"),
        ("FROM m\nPARAMETER x 1\n", "x"),
    ],
)
def test_create_refuses_what_ollama_refuses(text: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("Modelfile").write_text(text)
    assert run(["create", "luigi"]) == 3
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert run(["create", "luigi", "-f", "nowhere"]) == 3


def test_what_show_prints_makes_the_same_model(store: LocalStore, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["show", "mario"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("FROM mario:latest\n")
    assert "REQUIRES 0.14.0" in text
    assert "sha256" not in text
    Path("copy.Modelfile").write_text(text)
    assert run(["create", "luigi", "-f", "copy.Modelfile"]) == 0
    one, other = store.show("mario"), store.show("luigi")
    for name in ("template", "system", "parameters", "messages", "requires", "weights_digest"):
        assert getattr(one, name) == getattr(other, name), name


def test_parts_of_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    for option, printed in (
        ("--template", "{{ .Prompt }}!\n"),
        ("--system", "Be brief.\n"),
        ("--license", "mine\n"),
        ("--parameters", 'num_ctx 4096\nstop "a"\nstop "b c"\n'),
    ):
        assert run(["show", "mario", option]) == 0
        assert capsys.readouterr().out == printed
    assert run(["show", "mario", "--paths"]) == 0
    assert "blobs/sha256-" in capsys.readouterr().out.splitlines()[0]
    assert run(["show", "mario", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["parameters"]["stop"] == ["a", "b c"]


def test_list_tells_what_is_shared(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cp", "mario", "luigi"]) == 0
    capsys.readouterr()
    assert run(["list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == ["luigi:latest", "mario:latest"]
    assert all(row["shared"] == row["size"] for row in rows)
    assert run(["list", "lu"]) == 0
    assert "mario" not in capsys.readouterr().out


def test_a_damaged_model_hides_no_other(store: LocalStore, capsys: pytest.CaptureFixture[str]) -> None:
    (store.layout.manifests / "registry.ollama.ai/library/mario/broken").write_text("no manifest")
    capsys.readouterr()
    assert run(["list"]) == 1
    captured = capsys.readouterr()
    assert "mario:latest" in captured.out
    assert "mario:broken" in captured.err


def test_names_are_given_and_taken(store: LocalStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tag", "mario", "v2", "other/name:x"]) == 0
    assert run(["mv", "mario:v2", "luigi"]) == 0
    assert [name.short for name in store.models()] == ["luigi:latest", "mario:latest", "other/name:x"]
    assert run(["mv", "luigi", "luigi"]) == 0
    assert run(["rm", "luigi", "other/name:x", "--dry-run"]) == 0
    assert len(store.models()) == 3
    capsys.readouterr()
    assert run(["rm", "luigi", "other/name:x", "mario", "--json"]) == 0
    freed = [row["freed"] for row in json.loads(capsys.readouterr().out)]
    assert freed[:2] == [0, 0]
    assert freed[2] > 100_000
    assert not list(store.layout.blobs.glob("sha256-*"))


def test_no_other_model_is_lost(store: LocalStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["edit", "mario", "--set", "SYSTEM=other", "--yes"]) == 0
    assert run(["create", "luigi"]) == 0
    assert run(["cp", "mario", "luigi"]) == 2
    assert "would be lost" in capsys.readouterr().err
    assert store.show("luigi").system == "Be brief."
    assert run(["cp", "mario", "luigi", "--force"]) == 0
    assert store.show("luigi").system == "other"
    assert run(["rm", "nosuch"]) == 3
    assert run(["cp", "nosuch", "x"]) == 3


def test_edit_a_model(store: LocalStore, capsys: pytest.CaptureFixture[str]) -> None:
    Path("system.txt").write_text("You are Luigi.")
    changes = ["--set", "SYSTEM=@system.txt", "--set", "temperature=0.2", "--append", "stop=c", "--unset", "num_ctx"]
    assert run(["edit", "mario", *changes, "--dry-run"]) == 0
    assert store.show("mario").system == "Be brief."
    assert run(["edit", "mario", *changes]) == 0
    model = store.show("mario")
    assert (model.system, model.template, model.licenses) == ("You are Luigi.", "{{ .Prompt }}!", ("mine",))
    assert dict(model.parameters) == {"stop": ["a", "b c", "c"], "temperature": 0.2}
    capsys.readouterr()
    assert run(["edit", "mario", "--set", "temperature=0.2"]) == 0
    assert "no changes" in capsys.readouterr().out
    assert run(["edit", "mario", "--unset", "TEMPLATE", "--unset", "LICENSE"]) == 0
    assert store.show("mario").licenses == ()


def test_edit_a_file_keeps_every_other_byte(capsys: pytest.CaptureFixture[str]) -> None:
    Path("Modelfile").write_bytes(b"from  x\r\n# note\r\nPARAMETER temperature 1\r\n")
    assert run(["edit", "Modelfile", "--set", "temperature=0.5", "--json"]) == 0
    assert Path("Modelfile").read_bytes() == b"from  x\r\n# note\r\nPARAMETER temperature 0.5\r\n"
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["written"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["Modelfile"], 2, "nothing to change"),
        (["Modelfile", "--set", "temperature"], 2, "is not KEY=VALUE"),
        (["Modelfile", "--set", "TEMPLAT=x"], 2, 'did you mean "TEMPLATE"?'),
        (["Modelfile", "--set", "temperture=1"], 3, "temperture"),
        (["Modelfile", "--append", "SYSTEM=x"], 2, "one value"),
        (["Modelfile", "--unset", "FROM"], 2, "FROM cannot be removed"),
        (["Modelfile", "--set", "SYSTEM=@nowhere"], 2, "nowhere"),
        (["./nowhere", "--set", "stop=x"], 3, "there is no file ./nowhere"),
        (["nosuch", "--set", "stop=x"], 3, "not found"),
    ],
)
def test_edits_that_are_wrong(
    arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Path("Modelfile").read_bytes()
    assert run(["edit", *arguments]) == code
    assert message in capsys.readouterr().err
    assert Path("Modelfile").read_bytes() == before


def test_the_editor(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Path("editor.sh").absolute()
    script.write_text("#!/bin/sh\nsed -i 's/Be brief/Be long/' \"$1\"\n")
    script.chmod(0o755)
    monkeypatch.setenv("VISUAL", shlex.quote(str(script)))
    assert run(["edit", "mario", "--editor"]) == 0
    assert store.show("mario").system == "Be long."


def test_words_of_other_tools(capsys: pytest.CaptureFixture[str]) -> None:
    for word, meant in OTHER_WORDS.items():
        assert word not in COMMANDS
        assert meant.split()[0] in {*COMMANDS, "--help", "--version"}
        assert run([word]) == 2
        assert capsys.readouterr().err.rstrip().endswith(f" {meant}")
    for word in OLLAMAS_OWN:
        assert word not in COMMANDS
        assert run([word]) == 2
        assert f"Ollama's own, `ollama {word}`" in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(
    shell: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    capsys.readouterr()
    assert run(["completion", shell]) == 0
    assert "_MODELSMITH_COMPLETE" in capsys.readouterr().out
    assert run(["completion", shell, "--install"]) == 0
    (written,) = [path for path in tmp_path.rglob("*modelsmith*") if path.is_file()]
    assert "_MODELSMITH_COMPLETE" in written.read_text()


def test_what_is_offered(capsys: pytest.CaptureFixture[str]) -> None:
    from click.shell_completion import ShellComplete

    from modelsmith.cli import group

    complete = ShellComplete(group, {}, "modelsmith", "_MODELSMITH_COMPLETE")
    assert [item.value for item in complete.get_completions(["show"], "ma")] == ["mario:latest"]
    assert "create" in [item.value for item in complete.get_completions([], "cr")]
    assert "force-think" in [item.value for item in complete.get_completions(["apply"], "for")]
    assert "Q4_K_M" in [item.value for item in complete.get_completions(["gguf", "quantize", "m.gguf", "-t"], "q4")]
    assert "Q8_0" in [item.value for item in complete.get_completions(["import", "m", "--type"], "Q")]
    assert "deepseek-r1:32b" in [item.value for item in complete.get_completions(["fit", "--shape"], "deep")]
    assert "MS101" in [item.value for item in complete.get_completions(["rules"], "MS1")]
