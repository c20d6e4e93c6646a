"""``modelsmith fmt``."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from modelsmith.cli import run
from modelsmith.cli.text import fmt_view

UGLY = 'from  x\nSYSTEM """two\n  lines"""\n\n\nPARAMETER stop a'
NEAT = 'FROM x\nSYSTEM """two\n  lines"""\n\nPARAMETER stop "a"\n'
HEAVY = {"jinja2", "httpx2", "pydantic", "ruamel", "gguf", "numpy", "rich", "huggingface_hub", "asyncio"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stdin(monkeypatch: pytest.MonkeyPatch, data: str | bytes) -> None:
    data = data.encode() if isinstance(data, str) else data
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))


def test_files_are_rewritten(capsys: pytest.CaptureFixture[str]) -> None:
    Path("Modelfile").write_text(UGLY)
    Path("models").mkdir()
    Path("models/Modelfile.b").write_text(NEAT)
    Path("models/c.gotmpl").write_text("{{.Prompt}}")
    assert run(["fmt"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "reformatted Modelfile",
        "reformatted models/c.gotmpl",
        "2 files reformatted, 1 file left unchanged",
    ]
    assert Path("Modelfile").read_text() == NEAT
    assert Path("models/c.gotmpl").read_text() == "{{ .Prompt }}"
    assert run(["fmt", "--check"]) == 0
    assert capsys.readouterr().err == "3 files would be left unchanged\n"


def test_check_lists_and_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    Path("Modelfile").write_text(UGLY)
    assert run(["fmt", "--check", "Modelfile"]) == 1
    assert capsys.readouterr().err == "would reformat Modelfile\n1 file would be reformatted\n"
    assert Path("Modelfile").read_text() == UGLY


def test_diff_is_a_patch(capsys: pytest.CaptureFixture[str]) -> None:
    Path("Modelfile").write_text(UGLY)
    assert run(["fmt", "--diff", "Modelfile"]) == 1
    assert Path("Modelfile").read_text() == UGLY
    assert capsys.readouterr().out == (
        "--- Modelfile\n+++ Modelfile\n@@ -1,6 +1,5 @@\n-from  x\n+FROM x\n"
        ' SYSTEM """two\n   lines"""\n \n-\n-PARAMETER stop a\n\\ No newline at end of file\n+PARAMETER stop "a"\n'
    )


def test_diff_on_a_terminal_is_coloured(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fmt_view, "sys", SimpleNamespace(stdout=SimpleNamespace(isatty=lambda: True)))
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda *_: False)
    fmt_view.show_difference("a\x1b[2J", b"from x\x1b[2J\n", b"FROM x\x1b[2J\n")
    out = capsys.readouterr().out
    assert "\x1b[2J" not in out
    assert "\x1b[32m+FROM x\\x1b[2J\x1b[0m\n" in out


def test_stdin(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    stdin(monkeypatch, UGLY)
    assert run(["fmt", "-"]) == 0
    assert capsys.readouterr() == (NEAT, "")
    stdin(monkeypatch, NEAT)
    assert run(["fmt", "-", "--check"]) == 0
    stdin(monkeypatch, UGLY)
    assert run(["fmt", "-", "--check", "--stdin-filename", "m/Modelfile"]) == 1
    assert capsys.readouterr() == ("", "would reformat m/Modelfile\n")
    stdin(monkeypatch, "{{.Prompt}}")
    assert run(["fmt", "--stdin-filename", "x.gotmpl"]) == 0
    assert capsys.readouterr() == ("{{ .Prompt }}", "")
    stdin(monkeypatch, "FRM x")
    assert run(["fmt", "-"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert "<stdin>: line 1: Ollama refuses it" in err
    assert run(["fmt", "-", "Modelfile"]) == 2


def test_templates_in_modelfiles_are_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    text = "FROM x\nTEMPLATE {{.Prompt}}\n"
    Path("Modelfile").write_text(text)
    assert run(["fmt", "Modelfile"]) == 0
    assert Path("Modelfile").read_text() == text
    assert run(["fmt", "--templates", "Modelfile"]) == 0
    assert Path("Modelfile").read_text() == "FROM x\nTEMPLATE {{ .Prompt }}\n"
    assert capsys.readouterr().out == ""


def test_what_cannot_be_formatted_does_not_stop_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    bad = {
        "a.modelfile": b"FROM x\nFOO bar\n",
        "b.modelfile": "FROM x\nSYSTEM 안녕\n".encode("cp949"),
        "c.modelfile": bytes(range(32, 256)).replace(b"\x7f", b""),
        "d.gotmpl": b"{{ if }}",
        "e.gotmpl": b"\xff",
        "f.modelfile": b'FROM x\nSYSTEM """\n',
        "g.modelfile": b" " * (17 << 20),
    }
    for name, data in bad.items():
        Path(name).write_bytes(data)
    Path("z.modelfile").write_text(UGLY)
    os.mkfifo("Modelfile")
    assert run(["fmt", ".", "Modelfile", "missing"]) == 3
    for name, data in bad.items():
        assert Path(name).read_bytes() == data
    assert Path("z.modelfile").read_text() == NEAT
    err = capsys.readouterr().err
    assert err.count("error:") == err.count("hint:") == len(bad) + 2
    assert "a.modelfile: line 2: Ollama refuses it: command must be one of" in err
    assert "b.modelfile: line 2, column 8 is no valid UTF-8" in err
    assert "d.gotmpl: template: :1: missing value for if" in err
    assert "g.modelfile has 17,825,792 bytes" in err
    assert "Modelfile is no regular file" in err
    assert "missing does not exist" in err
    assert err.endswith(f"1 file reformatted, {len(bad) + 2} files cannot be formatted\n")


def test_json_is_one_object_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.modelfile").write_text(UGLY)
    Path("b.modelfile").write_text(NEAT)
    Path("c.modelfile").write_text("FOO x\n")
    assert run(["fmt", "--check", "--json", ".", "missing"]) == 3
    out, err = capsys.readouterr()
    assert err == ""
    rows = [json.loads(line) for line in out.splitlines()]
    assert [(row["path"], row["status"]) for row in rows] == [
        ("a.modelfile", "changed"),
        ("b.modelfile", "unchanged"),
        ("c.modelfile", "failed"),
        ("", "failed"),
    ]
    assert rows[-1]["message"] == "missing does not exist"


def test_nothing_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fmt"]) == 0
    assert capsys.readouterr().err == "no Modelfiles or templates found\n"


def test_exclude(capsys: pytest.CaptureFixture[str]) -> None:
    Path("Modelfile").write_text(UGLY)
    Path("Modelfile.old").write_text(UGLY)
    assert run(["fmt", "--exclude", "*.old"]) == 0
    assert Path("Modelfile.old").read_text() == UGLY
    assert "1 file reformatted" in capsys.readouterr().err


def test_a_formatter_gone_wrong_writes_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from modelsmith.source import Edit, Span

    Path("Modelfile").write_text(UGLY)
    monkeypatch.setattr("tempfile.tempdir", str(Path.cwd()))  # the report is written there
    monkeypatch.setattr("modelsmith.fmt.format.layout_edits", lambda _: iter([Edit(Span(6, 7), "y")]))
    assert run(["fmt", "Modelfile"]) == 3
    assert Path("Modelfile").read_text() == UGLY
    assert "this is a bug in modelsmith" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["Modelfile", "x.gotmpl"])
def test_formatting_loads_nothing_heavy(name: str) -> None:
    Path(name).write_text(UGLY if name == "Modelfile" else "{{.Prompt}}")
    code = (
        f"import sys; from modelsmith.cli import run; code = run(['fmt', '{name}']); print(code, *sorted(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.startswith("0 ")
    assert not HEAVY & set(result.stdout.split())
