"""Files that grow beside their place: whoever is killed leaves one, and the next run removes it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from modelsmith.cli import run
from modelsmith.files import unfinished
from modelsmith.files.replacing import replacing
from modelsmith.files.unfinished import start_unfinished, unfinished_folder
from modelsmith.weights.gguf.sample import write_sample

_GROW = """
import signal, sys
from pathlib import Path
from modelsmith.files.replacing import replacing
with replacing(Path(sys.argv[1])) as (descriptor, path):
    print(path, flush=True)
    signal.pause()
"""


@pytest.fixture(autouse=True)
def _looks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfinished, "_cleaned", set())


def growing(target: Path) -> tuple[subprocess.Popen[str], Path]:
    """Start a process that writes ``target`` and does not come to an end."""
    root = Path(__file__).resolve().parents[2]
    child = subprocess.Popen(
        [sys.executable, "-c", _GROW, str(target)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert child.stdout is not None
    return child, Path(child.stdout.readline().strip())


def end(child: subprocess.Popen[str]) -> None:
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert child.stdout is not None
    child.stdout.close()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_the_dead_left_is_removed_and_what_grows_stays(tmp_path: Path) -> None:
    target = tmp_path / "model.gguf"
    dead, left = growing(target)
    end(dead)
    assert left.exists()
    living, grows = growing(target)
    assert not left.exists()
    for name in (".model.gguf.modelsmith-short", ".modelsmith-abcd1234", "model.gguf.modelsmith-abcd1234"):
        (tmp_path / name).write_text("somebody else's")
    (tmp_path / "secret").write_text("x")
    (tmp_path / ".link.modelsmith-abcd1234").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / ".pipe.modelsmith-abcd1234")
    (tmp_path / ".folder.modelsmith-abcd1234").mkdir()
    before = names(tmp_path)
    with replacing(target) as (descriptor, _):
        os.write(descriptor, b"whole")
    assert names(tmp_path) == before | {"model.gguf"}
    assert grows.exists()
    assert target.read_bytes() == b"whole"
    end(living)
    assert grows.exists()


def test_a_run_looks_once_into_a_folder(tmp_path: Path) -> None:
    descriptor, path = start_unfinished(tmp_path / "a")
    os.close(descriptor)
    other, second = start_unfinished(tmp_path / "b")
    os.close(other)
    assert path.exists()
    assert second.exists()


def test_a_folder_that_the_dead_left_is_removed_and_one_in_use_stays(tmp_path: Path) -> None:
    left = tmp_path / ".merged.modelsmith-folder-abcd1234"
    (left / "inner").mkdir(parents=True)
    (left / "inner" / "file").write_text("x")
    (tmp_path / ".link.modelsmith-folder-abcd1234").symlink_to(tmp_path)
    with unfinished_folder(tmp_path / "merged") as first:
        assert not left.exists()
        unfinished._cleaned.clear()
        with unfinished_folder(tmp_path / "merged") as second:
            assert first.is_dir()
            second.rename(tmp_path / "merged")
    assert names(tmp_path) == {"merged", ".link.modelsmith-folder-abcd1234"}


def test_a_name_as_long_as_names_can_be(tmp_path: Path) -> None:
    target = tmp_path / ("\N{GREEK SMALL LETTER ALPHA}" * 127)
    with replacing(target) as (descriptor, path):
        os.write(descriptor, b"x")
    assert target.read_bytes() == b"x"
    assert not path.exists()


@pytest.mark.parametrize(
    "command",
    [
        ["merge", "in-00001-of-00002.gguf", "-o", "o.gguf"],
        ["set", "o.gguf", "general.description", "x" * 100_000],
        ["canonicalize", "in.gguf", "o.gguf", "--force"],
    ],
    ids=lambda command: command[0],
)
def test_commands_clean_up_after_a_killed_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_sample("in.gguf")
    assert run(["gguf", "split", "in.gguf", "in", "--max-tensors", "20"]) == 0
    child, left = growing(tmp_path / "o.gguf")
    end(child)
    if command[0] == "set":
        write_sample("o.gguf")
    unfinished._cleaned.clear()
    assert run(["gguf", *command]) == 0
    assert not left.exists()
