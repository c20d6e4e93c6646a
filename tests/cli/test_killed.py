"""Commands that write files, ended at every change of the file system: what is left is whole, and the next run leaves nothing over."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from kills import Scenario, check_again, content, die_at, finished

from modelsmith.cli import run
from modelsmith.weights.gguf.sample import write_sample


def command(*words: str, codes: tuple[int, ...] = (0,)) -> Callable[[Path], None]:
    """Return an action that runs a command in a folder, and fails with another exit code."""

    def act(folder: Path) -> None:
        here = Path.cwd()
        os.chdir(folder)
        try:
            code = run(list(words))
            sys.stdout.flush()
        finally:
            os.chdir(here)
        assert code in codes, code

    return act


def gguf(folder: Path) -> None:
    write_sample(folder / "m.gguf")
    (folder / "t.txt").write_text("x" * 100_000)


def shards(folder: Path) -> None:
    gguf(folder)
    command("gguf", "split", "m.gguf", "s", "--max-tensors", "8")(folder)


def note(folder: Path) -> None:
    shards(folder)
    (folder / "o.gguf").write_text("my note")


def store(folder: Path) -> None:
    gguf(folder)
    (folder / "Modelfile").write_text("FROM ./m.gguf\nSYSTEM hi\n")
    command("create", "m", "-f", "Modelfile", "--store", "store")(folder)


SCENARIOS = {
    "merge": Scenario(shards, command("gguf", "merge", "s-00001-of-00003.gguf", "-o", "o.gguf"), ()),
    "merge over a note": Scenario(
        note, command("gguf", "merge", "s-00001-of-00003.gguf", "-o", "o.gguf", "--force"), ()
    ),
    "quantize": Scenario(gguf, command("gguf", "quantize", "m.gguf", "q.gguf", "-t", "Q8_0"), ()),
    "set": Scenario(
        gguf, command("gguf", "set", "m.gguf", "tokenizer.chat_template", "--from-file", "t.txt", "-o", "o.gguf"), ()
    ),
    "split": Scenario(gguf, command("gguf", "split", "m.gguf", "z", "--max-tensors", "8"), ()),
    "push": Scenario(store, command("push", "m", "dir:d", "--store", "store")),
    "edit": Scenario(store, command("edit", "m", "--set", "SYSTEM=new", "--yes", "--store", "store")),
}
REPEATABLE = ("split", "push", "edit")


@pytest.mark.parametrize("name", SCENARIOS)
def test_deaths_at_every_step(name: str, tmp_path: Path) -> None:
    scenario = SCENARIOS[name]
    start, place, warm = tmp_path / "start", tmp_path / "place", tmp_path / "warm"
    start.mkdir()
    scenario.prepare(start)
    shutil.copytree(start, warm)
    scenario.act(warm)  # imports what is imported once
    shutil.copytree(start, place)
    finished(lambda: scenario.act(place))
    undisturbed = content(place)
    number = deaths = 0
    died = True
    while died:
        shutil.rmtree(place)
        shutil.copytree(start, place)
        number += 1
        died = die_at(number, lambda: scenario.act(place))
        if content(place) != undisturbed or name in REPEATABLE:
            check_again(place, scenario, undisturbed)
        deaths += died
    assert deaths >= 3


def test_a_shard_that_is_another_is_not_taken_for_one_that_was_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gguf(tmp_path)
    monkeypatch.chdir(tmp_path)
    words = ["gguf", "split", "m.gguf", "z", "--max-tensors", "8"]
    assert run(words) == 0
    second = Path("z-00002-of-00003.gguf")
    data = bytearray(second.read_bytes())
    data[-1] ^= 1
    second.write_bytes(data)
    assert run(words) == 2
    assert second.read_bytes() == data
