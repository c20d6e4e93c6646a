"""Which files are meant: folders are searched without loops, and what cannot be read does not stop the rest."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from modelsmith.cli.shared.find_files import find_files
from modelsmith.errors import ModelsmithError, UnreadableFile


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("FROM x\n")


def found(root: Path, *paths: str, **options: object) -> list[str]:
    wanted = [root / path for path in paths] or [root]
    return [path.relative_to(root).as_posix() for path in find_files(wanted, **options)]  # type: ignore[arg-type]


def test_names_that_are_found(tmp_path: Path) -> None:
    make(tmp_path, "Modelfile", "modelfile", "Modelfile.coder", "a.modelfile", "b.Modelfile", "c.gotmpl")
    make(tmp_path, "README.md", "MyModelfile", "x.tmpl", "sub/deep/Modelfile")
    assert found(tmp_path) == [
        "Modelfile",
        "Modelfile.coder",
        "a.modelfile",
        "b.Modelfile",
        "c.gotmpl",
        "modelfile",
        "sub/deep/Modelfile",
    ]
    assert found(tmp_path, patterns=["*.md"]) == ["README.md"]


def test_folders_that_are_passed_by(tmp_path: Path) -> None:
    make(
        tmp_path,
        ".git/Modelfile",
        "node_modules/Modelfile",
        ".venv/Modelfile",
        "env/pyvenv.cfg",
        "env/Modelfile",
        "a/Modelfile",
    )
    assert found(tmp_path) == ["a/Modelfile"]


def test_what_is_named_is_taken(tmp_path: Path) -> None:
    make(tmp_path, "anything.txt", ".git/Modelfile")
    assert found(tmp_path, "anything.txt", ".git") == ["anything.txt", ".git/Modelfile"]


def test_each_file_once(tmp_path: Path) -> None:
    make(tmp_path, "a/Modelfile")
    (tmp_path / "Modelfile").symlink_to("a/Modelfile")
    assert found(tmp_path, "a", ".", "a/Modelfile") == ["a/Modelfile"]


def test_loops_and_links_to_folders_are_not_walked(tmp_path: Path) -> None:
    make(tmp_path, "a/Modelfile")
    (tmp_path / "a" / "loop").symlink_to("..")
    (tmp_path / "a" / "self").symlink_to("self")
    (tmp_path / "a" / "Modelfile.gone").symlink_to("nowhere")
    (tmp_path / "a" / "Modelfile.loop").symlink_to("Modelfile.loop")
    assert found(tmp_path) == ["a/Modelfile"]


def test_a_very_deep_folder(tmp_path: Path) -> None:
    folders = [tmp_path]
    for _ in range(1100):  # more than Python's recursion limit
        folders.append(folders[-1] / "d")
        folders[-1].mkdir()
    file = folders[-1] / "Modelfile"
    file.write_text("FROM x\n")
    try:
        assert [*find_files([tmp_path])] == [file]
    finally:
        file.unlink()
        for folder in reversed(folders[1:]):  # others would remove it by recursion
            folder.rmdir()


@pytest.mark.parametrize("pattern", ["old", "old/", "old/*", "OLD/x.modelfile", "x.*", "*.modelfile"])
def test_exclude(tmp_path: Path, pattern: str) -> None:
    make(tmp_path, "old/x.modelfile", "Modelfile")
    assert found(tmp_path, exclude=[pattern]) == ["Modelfile"]


def test_exclude_what_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path, "old/Modelfile", "Modelfile")
    assert [*map(str, find_files(["old/Modelfile", "Modelfile"], exclude=["old"]))] == ["Modelfile"]
    assert [*map(str, find_files(["old"], exclude=["old/Modelfile"]))] == []
    assert [*map(str, find_files([tmp_path / "Modelfile"], exclude=[tmp_path.name, "old"]))] == [
        f"{tmp_path}/Modelfile"
    ]


def test_what_cannot_be_read(tmp_path: Path) -> None:
    make(tmp_path, "Modelfile")
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "Modelfile.pipe")
    errors: list[ModelsmithError] = []
    assert found(tmp_path, "missing", "pipe", "a\0b", "Modelfile/x", ".", refused=errors.append) == ["Modelfile"]
    said = [error.message.removeprefix(f"{tmp_path}/") for error in errors]
    assert said[0] == "missing does not exist"
    assert said[1] == "pipe is no regular file"
    assert "null" in said[2]
    assert said[3] == "Modelfile/x cannot be read: Not a directory"
    assert all(error.hint for error in errors)
    with pytest.raises(UnreadableFile, match="does not exist"):
        found(tmp_path, "missing")


@pytest.mark.usefixtures("ordinary_user")
def test_a_closed_folder_does_not_stop_the_rest(tmp_path: Path) -> None:
    make(tmp_path, "a/Modelfile", "b/Modelfile")
    (tmp_path / "a").chmod(0)
    errors: list[ModelsmithError] = []
    assert found(tmp_path, refused=errors.append) == ["b/Modelfile"]
    assert [error.message for error in errors] == [f"{tmp_path}/a cannot be read: Permission denied"]
    (tmp_path / "a").chmod(0o755)
