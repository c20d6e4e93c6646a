"""The exit codes of docs/exit-codes.md, over all commands, with --json and without."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import click
import pytest

import modelsmith
from modelsmith.cli import group, run
from modelsmith.weights.gguf.sample import write_sample

MISSING = {
    "parse": ["parse", "no/Modelfile"],
    "lint": ["lint", "no/Modelfile"],
    "lint --config": ["lint", "--config", "no.toml"],
    "lint --baseline": ["lint", "Modelfile", "--baseline", "no.json"],
    "lint --gguf": ["lint", "Modelfile", "--gguf", "no.gguf"],
    "fmt": ["fmt", "no/Modelfile"],
    "render a template": ["render", "no.gotmpl", "-u", "x"],
    "render a jinja": ["render", "no.jinja", "-u", "x"],
    "render a gguf": ["render", "no.gguf", "-u", "x"],
    "render a path": ["render", "./no", "-u", "x"],
    "render a model": ["render", "nosuch", "-u", "x"],
    "render -c": ["render", "t.gotmpl", "-c", "no.json"],
    "render --tools": ["render", "t.gotmpl", "-u", "x", "--tools", "no.json"],
    "explain": ["explain", "no.gguf"],
    "explain a template": ["explain", "no.gotmpl"],
    "explain a model": ["explain", "nosuch"],
    "convert": ["convert", "no.jinja"],
    "convert a gguf": ["convert", "no.gguf"],
    "diff": ["diff", "no.gotmpl", "t.gotmpl"],
    "diff a gguf": ["diff", "m.gguf", "no.gguf"],
    "plan": ["plan", "no.yaml"],
    "plan of a base": ["plan", "force-think", "--set", "base=./no.gguf"],
    "plan of a model": ["plan", "force-think", "--set", "base=nosuch"],
    "plan --from-lock": ["plan", "force-think", "--set", "base=x", "--from-lock"],
    "lock": ["lock", "no.yaml"],
    "outdated": ["outdated", "--lock-file", "no.lock"],
    "lock again": ["lock", "--lock-file", "no.lock"],
    "apply": ["apply", "./no"],
    "apply --locked": ["apply", "force-think", "--set", "base=x", "--locked"],
    "apply of a base": ["apply", "force-think", "--set", "base=no.gguf"],
    "recipes check": ["recipes", "check", "no/x.yaml"],
    "recipes emit": ["recipes", "emit", "no/x.yaml", "--to", "compose"],
    "recipes show": ["recipes", "show", "no/x.yaml"],
    "doctor md": ["doctor", "md", "no.md"],
    "edit": ["edit", "./no/Modelfile", "--set", "SYSTEM=x", "--yes"],
    "edit a model": ["edit", "nosuch", "--set", "SYSTEM=x", "--yes"],
    "fit": ["fit", "no.gguf", "--vram", "8G"],
    "store ls": ["store", "ls", "--store", "no"],
    "store dedupe": ["store", "dedupe", "no.gguf"],
    "create": ["create", "m", "-f", "no.Modelfile"],
    "load": ["load", "no.tar"],
    "show": ["show", "nosuch"],
    "verify": ["verify", "no.gguf"],
    "verify a recipe": ["verify", "no.yaml"],
    "verify --replay of a recipe that asks nothing": ["verify", "asks-nothing.yaml", "--replay", "no.jsonl"],
    "push --ca-file": ["push", "m", "oci://127.0.0.1:1/a/b:c", "--ca-file", "no.pem"],
    "push --card": ["push", "m.gguf", "hf://a/b", "--card", "no.md"],
    "create from a folder": ["create", "m", "-f", "models"],
    "lint --config of a folder": ["lint", "--config", "models"],
    "lint --baseline of a folder": ["lint", "Modelfile", "--baseline", "models"],
    "quantize --imatrix of a folder": ["gguf", "quantize", "m.gguf", "o.gguf", "-t", "Q8_0", "--imatrix", "models"],
    "outdated of a folder": ["outdated", "--lock-file", "models"],
    "try --on a path": ["try", "m.gguf", "x", "--on", "./no"],
    "verify --replay": ["verify", "m.gguf", "--replay", "no.jsonl"],
    "try": ["try", "no.gguf", "x"],
    "try a model": ["try", "nosuch", "x"],
    "try --on": ["try", "m.gguf", "x", "--on", "no.jsonl"],
    "import": ["import", "no", "-o", "o.gguf"],
    "inspect": ["inspect", "no"],
    **{
        f"gguf {words}": ["gguf", *words.split()]
        for words in (
            "inspect no.gguf",
            "get no.gguf",
            "set no.gguf a b",
            "set m.gguf general.name --from-file no",
            "set m.gguf --patch no",
            "unset no.gguf a",
            "rename no.gguf a b",
            "undo no.gguf",
            "verify no.gguf",
            "hash no.gguf",
            "diff no.gguf m.gguf",
            "split no.gguf s --max-size 1M",
            "merge no.gguf -o x.gguf",
            "canonicalize no.gguf o.gguf",
            "quantize no.gguf o.gguf -t Q8_0",
            "quantize m.gguf o.gguf -t Q8_0 --imatrix no",
            "pair no.gguf",
        )
    },
}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "models").mkdir()
    (tmp_path / ".git").mkdir()
    Path("Modelfile").write_text("FROM llama3.2:3b\n")
    Path("t.gotmpl").write_text("{{ .Prompt }}")
    Path("asks-nothing.yaml").write_text("name: r\nfrom: ./m.gguf\ncreate: r\n")
    write_sample(Path("m.gguf"))


def commands(
    command: click.Command = group, path: tuple[str, ...] = (), above: click.Context | None = None
) -> Iterator[tuple[tuple[str, ...], click.Command, click.Context]]:
    """Yield every command with the words that call it."""
    context = command.context_class(command, info_name=path[-1] if path else "modelsmith", parent=above)
    yield path, command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from commands(inner, (*path, name), context)


ALL = {" ".join(path): command for path, command, _ in commands()}


@pytest.mark.parametrize("name", MISSING)
def test_what_is_missing_is_3(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = MISSING[name]
    assert run(words) == 3
    error = capsys.readouterr().err
    assert "error:" in error or "cannot be read" in error
    assert "Traceback" not in error
    command = ALL.get(" ".join(words[:2])) or ALL[words[0]]
    if any("--json" in option.opts for option in command.params):
        assert run([*words, "--json"]) == 3
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        found = json.loads(said.out)
        assert _said_as_json(found), found


def _said_as_json(found: Any) -> bool:
    """Whether a JSON answer says what failed: as a whole, or of the files that could not be read."""
    if isinstance(found, list):
        return any(map(_said_as_json, found))
    return found.get("status") == "failed" or any(found.get(key) for key in ("error", "failed", "unreadable"))


@pytest.mark.parametrize(
    "name", [name for name, each in ALL.items() if any("--json" in one.opts for one in each.params)]
)
def test_wrong_words_are_json_where_json_is_asked_for(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*name.split(), "--json", "--nosuch"]) == 2
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert found["error"]
    assert found["exit_code"] == 2
    assert "error:" in said.err


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (["render", "bad.gotmpl", "-u", "x"], {"line", "offset"}),
        (["explain", "bad.gotmpl"], {"line", "offset"}),
        (["diff", "bad.gotmpl", "t.gotmpl"], {"line", "offset"}),
        (["gguf", "inspect", "Modelfile"], {"error", "hint"}),
        (["plan", "bad.yaml"], {"diagnostics"}),
        (["render", "t.gotmpl", "-c", "bad.json"], {"error", "hint"}),
    ],
)
def test_an_error_as_json_has_its_place(words: list[str], keys: set[str], capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.gotmpl").write_text("{{ if }}")
    Path("bad.yaml").write_text("name: x\nnosuch: 1\n")
    Path("bad.json").write_text('{"messages": 1}')
    code = run(words)
    words_alone = capsys.readouterr().err
    assert run([*words, "--json"]) == code
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert keys <= {*found}
    assert said.err == words_alone


def test_a_command_that_knows_no_json_says_errors_in_words_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["logout", "--json"]) == 2
    assert run(["convert", "--", "--json"]) == 3
    assert capsys.readouterr().out == ""


def test_a_bug_is_json_too(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # the report is written there
    monkeypatch.setattr("modelsmith.explain.explanation.explain_model", lambda *_, **__: 1 / 0)
    assert run(["explain", "t.gotmpl", "--json"]) == 3
    said = capsys.readouterr()
    assert json.loads(said.out) == {"error": "division by zero", "hint": "", "exit_code": 3}
    assert "this is a bug in modelsmith" in said.err


def test_every_command_that_reads_a_file_is_among_them() -> None:
    tried = {" ".join(words[:2]) for words in MISSING.values()} | {words[0] for words in MISSING.values()}
    for name, command in ALL.items():
        reads = any(
            isinstance(each, click.Argument) and "FILE" in (each.metavar or "").replace("PROFILE", "")
            for each in command.params
        )
        assert name in tried or not reads, f"modelsmith {name} with a missing file has its row in MISSING"


@pytest.mark.parametrize("name", ALL)
def test_wrong_words_are_2(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*name.split(), "--nosuch"]) == 2
    if not isinstance(ALL[name], click.Group) and name != "gguf set":  # whose VALUE may begin with a dash
        assert "--nosuch" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["render", "bad.gotmpl", "-u", "x"], 3),
        (["render", "bad.jinja", "-u", "x"], 3),
        (["explain", "bad.gotmpl"], 3),
        (["diff", "bad.gotmpl", "t.gotmpl"], 3),
        (["diff", "other.gotmpl", "t.gotmpl"], 1),
        (["parse", "Bad"], 1),
        (["lint", "Bad"], 1),
        (["lint", "Odd"], 0),
        (["fmt", "--check", "Ugly"], 1),
        (["convert", "odd.gotmpl"], 1),
        (["plan", "force-think", "--set", "base=sample:deepseek-r1", "--check"], 1),
        (["plan", "no-such-recipe"], 2),
        (["plan", "bad.yaml"], 2),
        (["gguf", "verify", "cut.gguf"], 1),
        (["gguf", "diff", "m.gguf", "m.gguf"], 0),
        (["gguf", "canonicalize", "m.gguf", "--check"], 1),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else str(words),
)
def test_json_changes_no_code(words: list[str], code: int) -> None:
    Path("bad.gotmpl").write_text("{{ if }}")
    Path("other.gotmpl").write_text("{{ .System }}{{ .Prompt }}")
    Path("odd.gotmpl").write_text("{{ range .Messages }}{{ yesterdayDate }}{{ end }}")
    Path("bad.jinja").write_text("{% if %}")
    Path("Bad").write_text("FROM x\nFOO bar\n")
    Path("Odd").write_text("FROM deepseek-r1\n")
    Path("Ugly").write_text("from   x\n")
    Path("bad.yaml").write_text("name: [\n")
    Path("cut.gguf").write_bytes(Path("m.gguf").read_bytes()[:-100])
    assert run(words) == code
    assert run([*words, "--json"]) == code


def program(*words: str) -> list[str]:
    return [sys.executable, "-m", "modelsmith", *words]


PLAN = ("plan", "force-think", "--set", "base=sample:deepseek-r1")


@pytest.mark.parametrize(
    ("words", "code"), [((*PLAN, "--check"), 1), (PLAN, 0), (("--help",), 0), (("parse", "Bad"), 1)]
)
def test_a_reader_that_goes_away_keeps_the_code(words: tuple[str, ...], code: int) -> None:
    Path("Bad").write_text("FROM x\nFOO bar\n")
    with subprocess.Popen(program(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
        assert started.stdout is not None
        assert started.stderr is not None
        started.stdout.close()
        errors = started.stderr.read()
        assert started.wait(timeout=600) == code
        assert b"Traceback" not in errors
        assert b"Exception" not in errors


@pytest.mark.parametrize(("answer", "code"), [(b"n\n", 1), (b"\n", 1), (b"y\n", 0)])
def test_answers(answer: bytes, code: int) -> None:
    apply = ("apply", "force-think", "--set", "base=sample:deepseek-r1", "--set", "name=x")
    assert run([*apply, "--quiet"]) == 0
    Path("r.yaml").write_text("name: r\nfrom: sample:deepseek-r1\ncreate: x\n")
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            program("apply", "./r.yaml"), stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as started:
            os.write(ours, answer)
            _, errors = started.communicate(timeout=600)
        assert started.returncode == code
        assert (b"nothing was changed" in errors) == (code == 1)
        assert b"interrupted" not in errors
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize(
    "words",
    [
        ["create", "q", "-f", "Other"],
        ["edit", "q", "--set", "SYSTEM=z"],
        ["edit", "./Other", "--set", "SYSTEM=z"],
        ["rm", "q"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize(("answer", "code"), [("n\n", 1), ("\n", 1), ("y\n", 0)])
def test_every_question_is_answered(
    words: list[str], answer: str, code: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("Modelfile").write_text("FROM ./m.gguf\n")
    Path("Other").write_text("FROM ./m.gguf\nSYSTEM terse\n")
    assert run(["create", "q", "-f", "Modelfile"]) == 0
    monkeypatch.setattr(sys, "stdin", StringIO(answer))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert run(words) == code
    errors = capsys.readouterr().err
    assert ("nothing was changed" in errors) == (code == 1)
    assert "interrupted" not in errors


def test_no_question_aborts() -> None:
    sources = Path(modelsmith.__file__).parent.rglob("*.py")
    assert [path.name for path in sources if "abort=True" in path.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("command", ["inspect", "import -o x.gguf"])
def test_a_gguf_in_place_of_a_folder_is_3(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command.split(), "m.gguf"]) == 3
    assert "hint: look at a GGUF with: modelsmith gguf inspect m.gguf" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        "general.name x --type nosuch",
        "tokenizer.ggml.eos_token_id x",
        "a b --type u32",
        "a",
        "general.file_type 99999999999999999999",
        "general.tags [1,2 --type [u32]",
    ],
)
def test_a_value_that_is_wrongly_typed_is_2(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gguf", "set", "m.gguf", *words.split(), "-o", "x.gguf"]) == 2
    assert "error:" in capsys.readouterr().err
    assert not Path("x.gguf").exists()


@pytest.mark.parametrize(
    "words", [("render", "t.gotmpl", "-u", "x"), ("gguf", "get", "m.gguf", "general.name", "--raw")]
)
def test_an_output_that_is_closed_keeps_the_code(words: tuple[str, ...]) -> None:
    closed = subprocess.run(["sh", "-c", 'exec "$@" >&- 2>errors', "sh", *program(*words)], check=False, timeout=600)
    assert (closed.returncode, Path("errors").read_text()) == (0, "")


def test_junit_counts_no_advice(capsys: pytest.CaptureFixture[str]) -> None:
    Path("Odd").write_text("FROM deepseek-r1\n")
    assert run(["lint", "Odd", "--format", "junit"]) == 0
    suite = ET.fromstring(capsys.readouterr().out).find("testsuite")
    assert suite is not None
    assert suite.get("failures") == "0"
    assert suite.findall("testcase/failure") == []
    assert "MS508" in (suite.findtext("testcase/system-out") or "")
