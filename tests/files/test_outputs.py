"""An existing file is replaced where nothing is lost by it, else only when asked for, and then it is kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from modelsmith.errors import UsageError
from modelsmith.files.outputs import check_output, keep, kept_name, stands_in_the_way


def test_what_may_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "f"
    check_output(path, force=False)
    path.write_bytes(b"")
    check_output(path, force=False)
    path.write_bytes(b"note")
    with pytest.raises(UsageError, match="exists already and is not what would be written") as raised:
        check_output(path, force=False, content=b"other")
    assert raised.value.hint == "name another file; or --force replaces it and keeps it as f.old"
    check_output(path, force=False, content=b"note")
    check_output(path, force=False, content=b"other", is_ours=lambda data: data == b"note")
    check_output(path, force=True)
    assert stands_in_the_way(path)


def test_places_that_no_force_takes(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"note")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("f")
    for target, words in (
        (tmp_path, "is a folder"),
        (tmp_path / "no" / "f", "there is no folder"),
        (tmp_path / "pipe", "not a regular file"),
        (path, "it is what is read"),
        (tmp_path / "link", "it is what is read"),
    ):
        with pytest.raises(UsageError, match=words):
            check_output(target, [path, tmp_path / "gone"], force=True)


def test_names_of_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, new = tmp_path / "f", tmp_path / "new"
    new.write_bytes(b"2")
    assert keep(path, new) is None
    path.write_bytes(b"")
    assert keep(path, new) is None
    path.write_bytes(b"2")
    assert keep(path, new) is None, "nothing is lost"
    path.write_bytes(b"1")
    assert keep(path, new) == tmp_path / "f.old"
    (tmp_path / "f.old.2").symlink_to("nowhere")
    assert kept_name(path) == tmp_path / "f.old.3"
    assert keep(path, new) == tmp_path / "f.old", "a run that was killed now has kept it already"
    (tmp_path / "f.old").unlink()
    (tmp_path / "f.old").write_bytes(b"0")

    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    assert keep(path, new) == tmp_path / "f.old.3"
    assert (tmp_path / "f.old.3").read_bytes() == b"1"
    assert not path.exists()
