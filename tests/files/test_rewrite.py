"""A file is replaced whole or not at all; what it was besides its text stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from modelsmith.errors import StoreError, UnreadableFile
from modelsmith.files import text as module
from modelsmith.files.text import read_text_file, rewrite


def test_mode_and_link_stay(tmp_path: Path) -> None:
    target, link = tmp_path / "real" / "file", tmp_path / "link"
    target.parent.mkdir()
    target.write_bytes(b"a")
    target.chmod(0o640)
    link.symlink_to("real/file")
    rewrite(link, b"a", b"b")
    assert link.is_symlink()
    assert target.read_bytes() == b"b"
    assert target.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in target.parent.iterdir()] == ["file"]


def test_news_are_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"somebody else's")
    with pytest.raises(StoreError, match="changed by somebody else"):
        rewrite(path, b"a", b"b")
    assert path.read_bytes() == b"somebody else's"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_read_only_file_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(StoreError, match="is read-only"):
        rewrite(path, b"a", b"b")
    assert path.read_bytes() == b"a"


def test_a_failure_leaves_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left on device"):
        rewrite(path, b"a", b"b")
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"a"]
    with pytest.raises(StoreError, match="cannot be written"):
        rewrite(tmp_path / "gone", b"a", b"b")


def test_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    assert read_text_file(path) == b"abc"
    monkeypatch.setattr(module, "LARGEST", 2)
    with pytest.raises(UnreadableFile, match="has 3 bytes"):
        read_text_file(path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableFile, match="no regular file"):
        read_text_file(tmp_path / "pipe")
    with pytest.raises(UnreadableFile, match="No such file"):
        read_text_file(tmp_path / "gone")
    with pytest.raises(UnreadableFile, match="null"):
        read_text_file(tmp_path / "a\0b")
