"""``modelsmith lint`` and ``modelsmith rules``."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from modelsmith.cli import run
from modelsmith.weights.gguf.sample import write_sample

BAD = "FROM llama3.2:3b\nPARAMETER num_ctx = 4096\n"
ODD = "FROM deepseek-r1\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "no-store"))
    (tmp_path / ".git").mkdir()
    return tmp_path


def put(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / name).write_text(text)


def stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data)))


def test_a_clean_folder_is_fine(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder, Modelfile="FROM llama3.2:3b\n")
    assert run(["lint"]) == 0
    assert "nothing found in 1 file" in capsys.readouterr().err


def test_a_finding_has_its_place_a_caret_and_the_way_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder, Modelfile=BAD)
    assert run(["lint"]) == 1
    out = capsys.readouterr().out
    assert "Modelfile:2:" in out
    assert "    PARAMETER num_ctx = 4096\n" in out
    assert "^" in out
    assert "hint:" in out


def test_advice_alone_does_not_fail(folder: Path) -> None:
    put(folder, Modelfile=ODD)
    assert run(["lint"]) == 0
    assert run(["lint", "--fail-on", "info"]) == 1
    assert run(["lint", "--fail-on", "info", "--exit-zero"]) == 0


def test_folders_are_searched_for_all_names(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["Modelfile", "Modelfile.big", "x.modelfile", "t.gotmpl", "README.md"]
    (folder / "deep").mkdir()
    for name in names:
        (folder / "deep" / name).write_text("{{ broken")
    assert run(["lint", "--json", "-q"]) == 1
    found = {Path(each["path"]).name for each in json.loads(capsys.readouterr().out)["findings"]}
    assert found == set(names) - {"README.md"}


def test_fix_writes_and_says_how_much(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder, Modelfile=BAD)
    assert run(["lint", "--fix"]) == 0
    assert (folder / "Modelfile").read_text() == "FROM llama3.2:3b\nPARAMETER num_ctx 4096\n"
    assert "1 fixed" in capsys.readouterr().err


def test_diff_shows_and_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder, Modelfile=BAD)
    run(["lint", "--diff"])
    assert (folder / "Modelfile").read_text() == BAD
    out = capsys.readouterr().out
    assert "-PARAMETER num_ctx = 4096\n+PARAMETER num_ctx 4096\n" in out


def test_stdin_goes_to_stdout_fixed(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], folder: Path
) -> None:
    del folder
    stdin(monkeypatch, BAD.encode())
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.FileIO(1, "w", closefd=False), "utf-8"))
    assert run(["lint", "-", "--fix"]) == 0
    assert capfdbinary.readouterr().out == b"FROM llama3.2:3b\nPARAMETER num_ctx 4096\n"


def test_stdin_may_be_a_template(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stdin(monkeypatch, b"{{ if }}")
    assert run(["lint", "-", "--stdin-filename", "x.gotmpl"]) == 1
    assert "x.gotmpl:1:" in capsys.readouterr().out


def test_configuration_is_found_upwards_and_counts_for_its_files(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a").mkdir()
    (folder / "pyproject.toml").write_text(
        "[tool.modelsmith.lint]\nfail-on = 'info'\nper-file-ignores = {'a/*' = ['MS508']}\n"
    )
    (folder / "a" / "Modelfile").write_text(ODD)
    assert run(["lint"]) == 0
    (folder / "Modelfile").write_text(ODD)
    assert run(["lint"]) == 1
    assert "a/Modelfile" not in capsys.readouterr().out


def test_policy_comes_from_the_configuration(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "modelsmith.toml").write_text("[lint.policy]\nbanned-parameters = ['num_gpu']\nrequires-license = true\n")
    put(folder, Modelfile="FROM llama3.2:3b\nPARAMETER num_gpu 0\n")
    assert run(["lint"]) == 1
    out = capsys.readouterr().out
    assert "[MS703]" in out
    assert "[MS702]" in out


@pytest.mark.parametrize(
    ("text", "message"),
    [("[lint]\nselekt = []\n", "selekt"), ("[lint\n", "is not TOML"), ("lint = 3\n", "not a table")],
)
def test_a_wrong_configuration_is_wrong_usage(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    put(folder, Modelfile=ODD)
    (folder / "modelsmith.toml").write_text(text)
    assert run(["lint"]) == 2
    assert message in capsys.readouterr().err


def test_a_baseline_silences_what_was_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder, Modelfile=BAD)
    assert run(["lint", "--write-baseline", "old.json"]) == 0
    assert run(["lint", "--baseline", "old.json"]) == 0
    put(folder, Modelfile=BAD + "PARAMETER top_kk 2\n")
    assert run(["lint", "--baseline", "old.json"]) == 1
    out = capsys.readouterr().out
    assert "top_kk" in out
    assert "num_ctx = 4096" not in out


def test_a_baseline_that_is_none_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder, Modelfile=BAD)
    (folder / "b.json").write_text("[]")
    assert run(["lint", "--baseline", "b.json"]) == 2
    assert run(["lint", "--baseline", "nope.json"]) == 3
    assert "--write-baseline" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--unsafe-fixes"],
        ["--stdin-filename", "x"],
        ["--to", "0.33"],
        ["-", "x"],
        ["--select", "E501"],
        ["--target-ollama", "new"],
        ["--statistics", "--json"],
        ["--upgrade-from", "0.33", "--to", "0.20"],
        ["--upgrade-from", "0.20", "--fix"],
    ],
)
def test_options_that_make_no_sense(arguments: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder, Modelfile=ODD)
    assert run(["lint", *arguments]) == 2
    assert "hint:" in capsys.readouterr().err


def test_upgrade_lists_what_changes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder, Modelfile="FROM x:1\nTEMPLATE {{ range .Messages }}{{ .Content }}{{ end }}\n")
    assert run(["lint", "--upgrade-from", "0.20", "--to", "0.33"]) == 1
    assert "since 0.30.0: the Jinja template" in capsys.readouterr().out


def test_statistics_count(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder, **{"Modelfile": ODD, "Modelfile.b": ODD})
    assert run(["lint", "--statistics"]) == 0
    assert "     2 MS508" in capsys.readouterr().out


def test_output_goes_into_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder, Modelfile=BAD)
    assert run(["lint", "--format", "sarif", "-o", "x.sarif"]) == 1
    assert json.loads((folder / "x.sarif").read_text())["version"] == "2.1.0"
    assert run(["lint", "-o", "x.txt"]) == 1
    assert "Modelfile:2:" in (folder / "x.txt").read_text()
    assert capsys.readouterr().out == ""


def test_several_processes_say_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(12):
        (folder / f"{number}.modelfile").write_text(BAD if number % 3 else ODD)
    run(["lint", "-q"])
    one = capsys.readouterr().out
    run(["lint", "-q", "--jobs", "3"])
    assert capsys.readouterr().out == one


def test_a_gguf_tells_more(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_sample(folder / "m.gguf")
    put(folder, Modelfile="FROM llama3.2:3b\nPARAMETER num_ctx 9999999\n")
    run(["lint", "--gguf", "m.gguf", "--select", "MS204"])
    assert "more than the" in capsys.readouterr().out
    put(folder, Modelfile="FROM ./m.gguf\nPARAMETER num_ctx 9999999\n")
    run(["lint", "--select", "MS204"])
    assert "more than the" in capsys.readouterr().out
    run(["lint", "--select", "MS204", "--text-only"])
    assert capsys.readouterr().out == ""


BYTES = {
    "binary": bytes(range(256)) * 40,
    "utf16": "FROM llama3.2:3b\nSYSTEM 안녕\n".encode("utf-16"),
    "cp949": "FROM llama3.2:3b\nSYSTEM 안녕하세요\n".encode("cp949"),
    "nul": b"FROM x:1\nSYSTEM a\0b\0\n",
    "empty": b"",
    "long-line": b"FROM x:1\nSYSTEM " + b"x" * 1_000_000 + b"\nPARAMETER top_kk 1\n",
    "long-bad-line": b"FROM x:1\n" + b"y" * 1_000_000 + b"\n",
    "large": b'FROM x:1\nSYSTEM """' + b"a line of a very large prompt\n" * 350_000 + b'"""\n',
}


@pytest.mark.parametrize("data", BYTES.values(), ids=BYTES.keys())
def test_no_file_is_too_odd(folder: Path, capsys: pytest.CaptureFixture[str], data: bytes) -> None:
    (folder / "Modelfile").write_bytes(data)
    assert run(["lint"]) in (0, 1)
    out = capsys.readouterr()
    assert "bug in modelsmith" not in out.err
    assert len(out.out) < 20_000


def test_what_cannot_be_read_is_said_and_the_rest_is_linted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder, **{"a.modelfile": BAD})
    (folder / "loop").symlink_to(folder / "loop")
    os.mkfifo(folder / "pipe")
    assert run(["lint", "a.modelfile", "loop", "pipe", "nope"]) == 3
    out = capsys.readouterr()
    assert "a.modelfile:2:" in out.out
    assert out.err.count("error:") == 3


def test_a_folder_that_loops_ends(folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "a" / "up").symlink_to(folder)
    put(folder, Modelfile="FROM llama3.2:3b\n")
    assert run(["lint"]) == 0


def test_a_read_only_file_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(folder, Modelfile=BAD)
    (folder / "Modelfile").chmod(0o444)
    monkeypatch.setattr(os, "access", lambda path, mode: bool(path.stat().st_mode & 0o222))  # as for anybody but root
    assert run(["lint", "--fix"]) == 3
    assert "read-only" in capsys.readouterr().err


def test_rules_are_listed_and_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules"]) == 0
    assert "MS104 inline-comment-kept" in capsys.readouterr().out
    assert run(["rules", "ms104", "unpinned-base"]) == 0
    out = capsys.readouterr().out
    assert "Fix safety" in out
    assert "MS508 unpinned-base" in out
    assert run(["rules", "MS3", "--json"]) == 0
    assert all(each["code"].startswith("MS3") for each in json.loads(capsys.readouterr().out))
    assert run(["rules", "MS999"]) == 2
    assert 'no rule "MS999"' in capsys.readouterr().err


def test_a_recipe_that_is_named_is_read_as_plan_reads_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder, **{"good.yaml": "name: x\nfrom: llama3\ncreate: y\n", "bad.yaml": "name: x\nform: llama3\ncreate: y\n"})
    assert run(["lint", "good.yaml"]) == 0
    assert run(["lint", "good.yaml", "bad.yaml"]) == 1
    assert "bad.yaml:2:1: error: " in capsys.readouterr().out
    assert run(["lint", "bad.yaml", "--format", "sarif"]) == 1


def test_a_person_is_shown_no_more_than_can_be_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder, Modelfile="FROM x:1\n" + "PARAMETER top_kk 1\n" * 700)
    assert run(["lint"]) == 1
    out = capsys.readouterr().out
    assert out.count("[MS201]") == 500
    assert "200 more" in out


def test_a_store_that_was_named_is_used_or_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "Modelfile"
    path.write_text("FROM llama3.2:3b\n")
    for where in (str(tmp_path / "typo"), "http://127.0.0.1:1"):
        assert run(["lint", str(path), "--store", where]) == 3
        assert "error: " in capsys.readouterr().err
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "typo"))
    assert run(["lint", str(path)]) == 0
    assert "models that FROM names are not looked up" in capsys.readouterr().err
