"""Commands that write files, ended at every change of the file system: what is left is whole, and the next run leaves nothing over."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from deaths import die_at, finished
from kills import Scenario, check_again, content
from lora_models import MODULES, write_adapter, write_base, write_safetensors

from modelsmith.cli import run
from modelsmith.files import unfinished
from modelsmith.registry.credentials import Credentials, Login
from modelsmith.weights.gguf.sample import write_sample


def command(*words: str, codes: tuple[int, ...] = (0,)) -> Callable[[Path], None]:
    """Return an action that runs a command in a folder, and fails with another exit code."""

    def act(folder: Path) -> None:
        here = Path.cwd()
        os.chdir(folder)
        os.environ.update({name: str(folder / "home" / name) for name in HOMES})
        try:
            code = run(list(words))
            sys.stdout.flush()
        finally:
            os.chdir(here)
        assert code in codes, code

    return act


HOMES = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "TMPDIR", "DOCKER_CONFIG")


@pytest.fixture(autouse=True)
def _homes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what a scenario sets end with its test."""
    for name in HOMES:
        monkeypatch.setenv(name, os.environ.get(name, "/nowhere"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(unfinished, "_cleaned", set())


def homes(folder: Path) -> None:
    for name in HOMES:
        (folder / "home" / name).mkdir(parents=True)


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


def texts(folder: Path) -> None:
    homes(folder)
    (folder / "Modelfile").write_text("from llama3.2:3b\nPARAMETER num_ctx = 4096\nSYSTEM   hi\n")
    (folder / "c.jinja").write_text(
        "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    (folder / "o.gotmpl").write_text("my note")
    place = folder / "home" / "HOME" / ".local/share/bash-completion/completions/modelsmith"
    place.parent.mkdir(parents=True)
    place.write_text("# my own")


def recipes(folder: Path) -> None:
    homes(folder)
    (folder / "team").mkdir()
    text = "name: r\ndescription: d\nfrom: sample:deepseek-r1\ncreate: m\nsystem: new\n"
    (folder / "team" / "r.yaml").write_text(text)
    (folder / "modelsmith-recipes.json").write_text('{"version": 1, "recipes": {}}\n')


def adapters(folder: Path) -> None:
    homes(folder)
    write_base(folder / "base.gguf")
    (folder / "adapter").mkdir()
    write_adapter(folder / "adapter", {"model.layers.0.mlp.up_proj": MODULES["mlp.up_proj"]})
    (folder / "checkpoint").mkdir()
    write_safetensors(
        folder / "checkpoint" / "model.safetensors",
        {"model.layers.0.mlp.up_proj.weight": np.ones(MODULES["mlp.up_proj"], "<f4")},
    )
    (folder / "checkpoint" / "config.json").write_text("{}")


def log_in(folder: Path) -> None:
    Credentials({"DOCKER_CONFIG": str(folder / "home" / "DOCKER_CONFIG")}).store(
        "registry.example.com", Login("me", "secret")
    )


def logins(folder: Path) -> None:
    homes(folder)
    (folder / "home" / "DOCKER_CONFIG" / "config.json").write_text('{"auths": {}, "currentContext": "mine"}')


SCENARIOS = {
    "fmt": Scenario(texts, command("fmt", "Modelfile"), ()),
    "lint --fix": Scenario(texts, command("lint", "Modelfile", "--fix", "--unsafe-fixes", codes=(0, 1)), ()),
    "lint -o": Scenario(texts, command("lint", "Modelfile", "-o", "report.txt", "--exit-zero"), ()),
    "convert over a note": Scenario(texts, command("convert", "c.jinja", "-o", "o.gotmpl", "--force"), ()),
    "completion": Scenario(texts, command("completion", "bash", "--install"), ()),
    "recipes add": Scenario(recipes, command("recipes", "add", "team", "./team"), ()),
    "lock": Scenario(recipes, command("lock", "team/r.yaml", "--store", "store"), ()),
    "lora convert": Scenario(
        adapters, command("lora", "convert", "adapter", "--base", "base.gguf", "-o", "a.gguf"), ()
    ),
    "lora merge": Scenario(adapters, command("lora", "merge", "base.gguf", "adapter", "-o", "m.gguf"), ()),
    "lora merge of a folder": Scenario(adapters, command("lora", "merge", "checkpoint", "adapter", "-o", "merged"), ()),
    "login": Scenario(logins, log_in, ()),
    "canonicalize": Scenario(gguf, command("gguf", "canonicalize", "m.gguf", "o.gguf"), ()),
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
    "tag": Scenario(store, command("tag", "m", "n", "o:p", "--store", "store")),
    "mv": Scenario(store, command("mv", "m", "n", "--store", "store", codes=(0, 3))),
    "materialize": Scenario(
        store, command("materialize", "m", "--into", "image", "--store", "store"), ("store", "image")
    ),
}
NOT_REPEATABLE = ("lora merge of a folder", "mv")


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
        if content(place) != undisturbed or name not in NOT_REPEATABLE:
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
