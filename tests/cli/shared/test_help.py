"""What every --help has: examples, 80 columns, whole words; and output without colours where they are not wanted."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from modelsmith.cli import run
from modelsmith.cli.shared.help import Formatter
from modelsmith.cli.shared.streams import GuardedTerminal, has_colour, visible
from modelsmith.weights.gguf.sample import write_sample
from tests.cli.test_exit_codes import commands

ALL = {" ".join(path) or "modelsmith": command for path, command, _ in commands()}


@pytest.mark.parametrize("columns", ["80", "300"])
@pytest.mark.parametrize("name", ALL)
def test_help(name: str, columns: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    command = ALL[name]
    assert run([*(name.split() if name != "modelsmith" else []), "--help"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"^  Examples?:$", shown, re.MULTILINE)
    assert "\b" not in shown
    assert [line for line in shown.splitlines() if len(line) > 80] == []
    words = set(shown.split())
    said = [command.help or "", *(option.help or "" for option in command.params if isinstance(option, click.Option))]
    assert {word for text in said for word in text.replace("\b", "").split()} <= words
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            assert option.help, f"{option.name} has no help"


def test_words_are_never_broken() -> None:
    formatter = Formatter(width=20)
    formatter.write_text("a byte-identical https://example.com/a/very/long/address end")
    formatter.write_dl([("--an-option-that-is-longer-than-all", "byte-identical text"), ("-x", "")])
    shown = formatter.getvalue()
    for word in ("byte-identical", "https://example.com/a/very/long/address", "--an-option-that-is-longer-than-all"):
        assert word in shown.split()


COLOURED = (
    ["lint", "Modelfile"],
    ["lint", "Modelfile", "--diff"],
    ["lint", "Modelfile", "--format", "concise"],
    ["playground", "--site", "no", "--no-open"],
    ["lint", "no"],
    ["rules"],
    ["rules", "MS104"],
    ["doctor", "cmd", "ollama run x --nosuch"],
    ["fmt", "--diff", "Modelfile"],
    ["fmt", "no"],
    ["parse", "Modelfile"],
    ["gguf", "get", "m.gguf"],
    ["gguf", "inspect", "m.gguf"],
    ["gguf", "diff", "m.gguf", "n.gguf"],
    ["gguf", "verify", "cut.gguf"],
    ["gguf", "quantize", "m.gguf", "--type", "Q8_0", "--dry-run"],
    ["gguf", "nosuch"],
    ["plan", "force-think", "--set", "base=sample:deepseek-r1"],
    ["explain", "t.gotmpl"],
    ["render", "t.gotmpl", "-u", "x"],
    ["render", "bad.gotmpl", "-u", "x"],
    ["diff", "t.gotmpl", "u.gotmpl"],
    ["convert", "c.jinja"],
    ["recipes", "list"],
    ["store", "ls", "--store", "no"],
    ["fit", "m.gguf", "--vram", "8G"],
    ["nosuch"],
    ["plan", "--nosuch"],
    ["--help"],
)


def on_a_terminal(words: list[str], **environment: str) -> bytes:
    """Return what a command sends to a terminal, its errors too."""
    ours, theirs = pty.openpty()
    started = subprocess.Popen(
        [sys.executable, "-m", "modelsmith", *words],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={key: each for key, each in os.environ.items() if key not in {"NO_COLOR", "FORCE_COLOR"}}
        | {"TERM": "xterm-256color", "COLUMNS": "100"}
        | environment,
    )
    os.close(theirs)
    data = b""
    try:
        while piece := os.read(ours, 1 << 16):
            data += piece
    except OSError:  # the other side is closed
        pass
    os.close(ours)
    assert started.wait(timeout=600) in {0, 1, 2, 3}
    return data


def in_process(words: list[str], monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    """Return what a command in this process sends to a terminal, its errors too."""
    for name, value in {
        "TERM": "xterm-256color",
        "COLUMNS": "100",
        "FORCE_COLOR": "",
        "NO_COLOR": "",
        **environment,
    }.items():
        monkeypatch.setenv(name, value)
    screen = Screen()
    stream = GuardedTerminal(screen, encoding="utf-8", write_through=True)
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setattr("sys.stderr", stream)
    assert run(words) in {0, 1, 2, 3}
    stream.flush()
    return screen.getvalue().decode()


class Screen(io.BytesIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Path("Modelfile").write_text("from   x\nPARAMETER num_ctx = 1\n")
    Path("t.gotmpl").write_text("{{ .Prompt }}")
    Path("u.gotmpl").write_text("{{ .System }}{{ .Prompt }}")
    Path("bad.gotmpl").write_text("{{ iff }}")
    Path("c.jinja").write_text("{% for m in messages %}{{ m.content }}{% endfor %}")
    write_sample(Path("m.gguf"))
    write_sample(Path("n.gguf"), chat_template="{{ messages[0].content }}")
    Path("cut.gguf").write_bytes(Path("m.gguf").read_bytes()[:-100])
    return tmp_path


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("words", COLOURED, ids=" ".join)
@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_no_colours_where_none_are_wanted(
    words: list[str], environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "\x1b" not in in_process(words, monkeypatch, **environment)


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    "words", [["lint", "Modelfile"], ["plan", "--nosuch"], ["fmt", "--diff", "Modelfile"]], ids=" ".join
)
def test_a_dumb_terminal_gets_none_and_another_does(words: list[str]) -> None:
    assert b"\x1b" not in on_a_terminal(words, TERM="dumb")
    assert b"\x1b" not in on_a_terminal(words, NO_COLOR="1")
    assert b"\x1b[" in on_a_terminal(words)


EVIL = "a\x1b]0;owned\x07\x1b[2J\x9b31m\rb\u202e"


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    "words",
    [
        ["gguf", "get", "evil.gguf", "general.name"],
        ["gguf", "get", "evil.gguf"],
        ["gguf", "get", "evil.gguf", "tokenizer.chat_template", "--raw"],
        ["gguf", "get", "evil.gguf", "general.name", "--json"],
        ["gguf", "inspect", "evil.gguf", "--metadata"],
        ["gguf", "diff", "evil.gguf", "m.gguf"],
        ["convert", "evil.jinja"],
        ["convert", "evil.jinja", "--json"],
        ["render", "evil.gotmpl", "-u", EVIL],
        ["render", "evil.gotmpl", "-u", EVIL, "--json"],
        ["render", "evil.jinja", "-u", EVIL],
        ["explain", "evil.gotmpl"],
        ["diff", "evil.gotmpl", "t.gotmpl"],
        ["parse", "Evil"],
        ["parse", "Evil", "--json"],
        ["lint", "Evil"],
        ["lint", "Evil", "--diff", "--unsafe-fixes"],
        ["fmt", "--diff", "Evil"],
        ["lint", EVIL],
        ["render", EVIL, "-u", "x"],
        ["plan", EVIL],
        ["plan", "./evil.yaml"],
        ["recipes", "show", "./evil.yaml"],
        ["recipes", "show", "./evil.yaml", "--json"],
        ["rules", EVIL],
        ["doctor", "cmd", f"ollama run {EVIL} --{EVIL}"],
        [EVIL],
        ["gguf", EVIL],
        ["store", EVIL],
        ["plan", "force-think", "--set", EVIL],
        ["plan", "force-think", f"--{EVIL}"],
        ["fit", EVIL],
        ["lint", "--format", EVIL],
        ["store", "ls", "--store", EVIL],
    ],
    ids=lambda words: ascii(" ".join(words)),
)
def test_foreign_texts_do_not_steer_the_terminal(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    write_sample(Path("evil.gguf"), chat_template=EVIL + "{{ messages[0].content }}")
    assert run(["gguf", "set", "evil.gguf", "general.name", EVIL]) == 0
    Path("evil.jinja").write_text(EVIL + "{% for m in messages %}{{ m.content }}{% endfor %}")
    Path("evil.gotmpl").write_text(EVIL + "{{ .Prompt }}")
    Path("Evil").write_text(f"from x\nSYSTEM {EVIL}\nPARAMETER stop {EVIL}\n")
    Path("evil.yaml").write_text(
        'name: r\nfrom: sample:deepseek-r1\ncreate: x\nsystem: "\\e]0;owned\\a"\ndescription: "\\e[2J"\n'
    )
    shown = in_process(words, monkeypatch)
    left = re.sub("\x1b\\[[0-9;]*m", "", shown).replace("\r\n", "\n")
    assert "\x1b[8m" not in shown
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", left), ascii(left)


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    "words",
    [
        [EVIL],
        ["gguf", EVIL],
        ["plan", EVIL],
        ["lint", EVIL],
        ["plan", "force-think", f"--{EVIL}"],
        ["gguf", "get", "evil.gguf", "general.name"],
    ],
    ids=lambda words: ascii(" ".join(words)),
)
def test_messages_are_printable_in_logs_too(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    write_sample(Path("evil.gguf"))
    run(["gguf", "set", "evil.gguf", "general.name", EVIL])
    capsys.readouterr()
    run(words)
    captured = capsys.readouterr()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", captured.out + captured.err)


def test_what_is_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert visible("a\tb\n\x1b[1mc\x1b[0m\x1b[38;5;12md\r\n") == "a\tb\n\x1b[1mc\x1b[0m\x1b[38;5;12md\r\n"
    assert visible("\x1b[8mx\x1b[2J\ry\x1b") == "\\x1b[8mx\\x1b[2J\\x0dy\\x1b"
    assert not has_colour({"NO_COLOR": "1"})
    assert not has_colour({"TERM": "dumb"})
    assert has_colour({"NO_COLOR": "", "TERM": "xterm"})
