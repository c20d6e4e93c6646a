"""Whenever the process ends, the store holds the old model or the new one, and the next run completes the work."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from deaths import die_at
from local_stores import blob_files, check_whole, request

from modelsmith.cli import run
from modelsmith.store.local.local import LocalStore
from modelsmith.store.local.write import writing
from modelsmith.weights.gguf.sample import write_sample

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path, Path]]:
    """Return a store with the old model, the new model's file, and what the store is when nothing goes wrong."""
    folder = tmp_path_factory.mktemp("crash")
    old = write_sample(folder / "old.gguf", seed=1)
    new = write_sample(folder / "new.gguf", seed=2)
    os.utime(new, (time.time() - 60,) * 2)
    start, end = folder / "start", folder / "end"
    LocalStore(start).create("m", request({"m.gguf": old}, system="old", license="L"))
    shutil.copytree(start, end)
    create(LocalStore(end), new)
    return start, new, end


def create(store: LocalStore, gguf: Path) -> None:
    store.create("m", request({"m.gguf": gguf}, system="new", license="L", parameters={"seed": 1}))


def check_survived(folder: Path, new: Path, end: Path) -> None:
    store, undisturbed = LocalStore(folder), LocalStore(end)
    check_whole(store)
    assert store.show("m").system in {"old", "new"}
    create(store, new)
    assert store.show("m").digest == undisturbed.show("m").digest
    assert blob_files(undisturbed) == blob_files(store)
    check_whole(store)
    assert list(store.layout.temporaries.iterdir()) == []


def test_death_at_every_step_of_create(places: tuple[Path, Path, Path], tmp_path: Path) -> None:
    start, new, end = places
    number = 0
    died = True
    while died:
        number += 1
        folder = tmp_path / str(number)
        shutil.copytree(start, folder)
        died = die_at(number, lambda folder=folder: create(LocalStore(folder), new))
        check_survived(folder, new, end)
        shutil.rmtree(folder)
    assert number > 20


def test_death_at_every_step_of_delete(places: tuple[Path, Path, Path], tmp_path: Path) -> None:
    start, _, _ = places
    number = 0
    died = True
    while died:
        number += 1
        folder = tmp_path / str(number)
        shutil.copytree(start, folder)
        store = LocalStore(folder)
        died = die_at(number, lambda store=store: store.delete("m"))
        for model in store.models():
            check_whole(store)
            store.delete(model)
        assert store.models() == ()
        with writing(store.layout):
            pass  # whatever is written next cleans up
        assert blob_files(store) == {}
        shutil.rmtree(folder)
    assert number > 5


def test_removing_again_tidies_up_behind_a_removal_that_was_killed(
    places: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start, _, _ = places
    left = 0
    for number in range(1, 40):
        folder = tmp_path / str(number)
        shutil.copytree(start, folder)
        store = LocalStore(folder)
        die_at(number, lambda store=store: store.delete("m"))
        if not store.models():
            left += bool(blob_files(store))
            assert run(["rm", "m", "--store", str(folder), "--yes"]) == 3
            assert "not found" in capsys.readouterr().err
            assert blob_files(store) == {}
        shutil.rmtree(folder)
    assert left, "one of the deaths must leave something"
