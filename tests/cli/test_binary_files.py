"""Nothing that edits text ever touches what is no text."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from modelsmith.cli import run
from modelsmith.errors import BinaryFile
from modelsmith.files.binary import binary_reason, is_binary_text, undecodable
from modelsmith.files.text import rewrite
from modelsmith.weights.gguf.sample import write_sample

MENDABLE = b"FROM llama3.2:3b\nPARAMETER num_ctx = 4096\n"
LINES = b"\nPARAMETER num_ctx = 4096   \nfrom   x\n"
BINARIES = {
    "Modelfile.gguf": MENDABLE,
    "Modelfile.GGUF": MENDABLE,
    "x.safetensors": MENDABLE,
    "Modelfile": b"GGUF\3\0\0\0" + LINES,
    "Modelfile.old": b"GGUF" + LINES,
    "Modelfile.bin": b"FROM llama3.2:3b\n\0\1" + LINES,
    "b.modelfile": b"\x80\2}q\0." + LINES,
    "c.gotmpl": b"{{   .Prompt   }}\0",
    "Modelfile.gz": gzip.compress(b"FROM a", mtime=0x41424344).replace(b"\0", b""),
    "Modelfile.zst": b"\x28\xb5\x2f\xfd" + LINES,
    "Modelfile.pdf": b"%PDF-1.4" + LINES,
    "png.modelfile": b"\x89PNG\r\n\x1a\n" + LINES,
    "jpg.modelfile": b"\xff\xd8\xff\xe1" + LINES,
    "zip.gotmpl": b"PK\x03\x04\x14" + LINES,
    "Modelfile.xz": b"\xfd7zXZ\0" + LINES,
    "Modelfile.db": b"SQLite format 3\0" + LINES,
    "Modelfile.pickle": b"\x80\x02]q\x01." + LINES,
    "Modelfile.pyc": b"\xa7\r\r\n\0\0\0\0" + LINES,
    "Modelfile.key": b"\x30\x82\x03\x11" + LINES,
    "utf16.modelfile": b"\xff\xfe" + b"F\0R\0O\0M\0\0\0 \0" + LINES,
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "no-store"))
    (tmp_path / ".git").mkdir()
    return tmp_path


COMMANDS = (
    ["lint", "--fix"],
    ["lint", "--fix", "--unsafe-fixes"],
    ["lint"],
    ["lint", "--diff"],
    ["fmt"],
    ["fmt", "--check", "--templates"],
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("name", BINARIES)
def test_a_folder_is_worked_on_around_them(folder: Path, name: str, command: list[str]) -> None:
    (folder / name).write_bytes(BINARIES[name])
    (folder / "good.modelfile").write_bytes(b"FROM llama3.2:3b\n")
    assert run([*command, "."]) == 0
    assert (folder / name).read_bytes() == BINARIES[name]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("name", BINARIES)
def test_one_that_is_named_is_refused(
    folder: Path, name: str, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / name).write_bytes(BINARIES[name])
    assert run([*command, name]) == 3
    assert "is a binary file, no text" in capsys.readouterr().err
    assert (folder / name).read_bytes() == BINARIES[name]


def test_the_weights_that_apply_puts_beside_a_modelfile_stay(folder: Path) -> None:
    (folder / "Modelfile").write_bytes(MENDABLE)
    write_sample(folder / "Modelfile.gguf")
    before = (folder / "Modelfile.gguf").read_bytes()
    assert run(["lint", ".", "--fix"]) == 0
    assert (folder / "Modelfile").read_bytes() == b"FROM llama3.2:3b\nPARAMETER num_ctx 4096\n"
    assert (folder / "Modelfile.gguf").read_bytes() == before
    assert run(["lint", "Modelfile.gguf", "--fix"]) == 3
    assert (folder / "Modelfile.gguf").read_bytes() == before


def test_bytes_that_could_not_be_decoded_are_never_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "Modelfile"
    before = MENDABLE + b'SYSTEM """caf\xe9"""\n'
    path.write_bytes(before)
    assert run(["lint", "--fix"]) == 1
    captured = capsys.readouterr()
    assert "Modelfile is not mended: byte 56 (0xE9) is no UTF-8" in captured.err
    assert "MS202" in captured.out
    assert path.read_bytes() == before
    assert run(["lint", "--diff"]) == 1
    assert capsys.readouterr().out == ""
    assert run(["lint", "--fix", "--unsafe-fixes"]) == 0
    assert path.read_bytes() == b'FROM llama3.2:3b\nPARAMETER num_ctx 4096\nSYSTEM """caf\xc3\xa9"""\n'
    assert run(["fmt"]) == 0


@pytest.mark.parametrize("command", [["lint", "-", "--fix"], ["fmt", "-"]], ids=" ".join)
def test_stdin(command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"GGUF\3\0\0\0")))
    assert run(command) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "<stdin> is a binary file" in captured.err


def test_exclude_adds_to_the_configuration(folder: Path) -> None:
    (folder / "modelsmith.toml").write_text('[lint]\nexclude = ["a"]\n')
    for name in ("a", "b", "c"):
        (folder / name).mkdir()
        (folder / name / "Modelfile").write_bytes(MENDABLE)
    assert run(["lint", "--exclude", "b", "--exclude", "c/Mod*", "--fix"]) == 0
    assert all((folder / name / "Modelfile").read_bytes() == MENDABLE for name in "abc")
    assert run(["lint", "--exclude", "b"]) == 1


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-8", "utf-8-sig", "latin-1"])
def test_what_is_text(codec: str) -> None:
    data = 'FROM llama3.2:3b\nSYSTEM "Grüße"\n'.encode(codec)
    assert binary_reason(data) == ""


@pytest.mark.parametrize(
    "data",
    [
        b"\0",
        b"a\0b",
        b"\xff\xfe\0\0",
        b"\xfe\xff\0\0",
        b"FROM x\0",
        b"\0\0\0\0",
        b"GGUF",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    ],
)
def test_what_is_none(data: bytes) -> None:
    assert binary_reason(data)


@pytest.mark.parametrize(
    "data",
    [
        "caf\xe9\x1a".encode("latin-1"),
        "FROM x\x1b[1m caf\xe9\f".encode("latin-1"),
        b"FROM x\nSYSTEM \x01\x02\n",
        "日本語".encode("shift-jis"),
        "한국어".encode("cp949"),
        b"PK is no archive",
        b"RIFF",
        b"",
    ],
)
def test_odd_texts_are_texts(data: bytes) -> None:
    assert binary_reason(data) == ""


def test_what_an_editor_made_of_a_binary_file() -> None:
    assert is_binary_text("\ufffd\ufffd\x03\x11")
    assert is_binary_text("a\0b")
    assert is_binary_text("GGUF\3")
    assert not is_binary_text("a \ufffd b")
    assert not is_binary_text("FROM x\n")


def test_the_message_says_what_it_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "Modelfile").write_bytes(b"\x1f\x8b\x08\x11")
    assert run(["lint", "Modelfile"]) == 3
    assert "Modelfile is a binary file, no text: it is gzip-compressed\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", [["explain"], ["render", "--user", "x"], ["convert"], ["diff", "Modelfile"]], ids=" ".join
)
def test_it_is_no_modelfile_that_ollama_refuses(
    folder: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "Modelfile").write_bytes(b"\x1f\x8b\x08\x11")
    assert run([*command, "Modelfile"]) == 3
    assert "Modelfile is a binary file, no text: it is gzip-compressed\n" in capsys.readouterr().err


def test_which_byte_cannot_be_decoded() -> None:
    assert undecodable(b"ab\xff") == "byte 3 (0xFF) is no UTF-8"
    assert undecodable("a".encode("utf-16")) == ""
    assert "UTF-16-LE" in undecodable(b"\xff\xfea\0b")


def test_rewrite_refuses_by_itself(tmp_path: Path) -> None:
    for name, before, after in (("a", b"a\0b", b"ab"), ("a", b"ab", b"a\xff"), ("a.gguf", b"ab", b"a")):
        (tmp_path / name).write_bytes(before)
        with pytest.raises(BinaryFile):
            rewrite(tmp_path / name, before, after)
        assert (tmp_path / name).read_bytes() == before
