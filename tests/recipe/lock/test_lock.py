"""Locks: what they pin, what moves, and that a plan needs no more than one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from checkpoints import FAMILIES, write_checkpoint

from modelsmith.cli import run
from modelsmith.recipe.lock.file import read_lock
from modelsmith.recipe.plan.plan import plan
from modelsmith.recipe.read.load import load_recipe
from modelsmith.store.local.local import LocalStore
from modelsmith.weights.gguf.sample import write_sample

SET = ("--set", "base=sample:deepseek-r1", "--store", "models")
NAME = "sample-deepseek-r1-think:latest"
LOCK = Path("modelsmith.lock")
REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("MODELSMITH_STORE", "models")


def edit(change: tuple[str, str]) -> None:
    text = LOCK.read_text(encoding="utf-8")
    assert change[0] in text
    LOCK.write_text(text.replace(*change), encoding="utf-8")


def test_a_lock_is_written_once_and_then_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lock", "force-think", *SET]) == 0
    assert "wrote modelsmith.lock" in capsys.readouterr().out
    first, stamp = LOCK.read_bytes(), LOCK.stat().st_mtime_ns
    assert run(["lock", "force-think", *SET]) == 0
    assert "no changes" in capsys.readouterr().out
    assert (LOCK.read_bytes(), LOCK.stat().st_mtime_ns) == (first, stamp)
    assert run(["lock"]) == 0
    assert LOCK.read_bytes() == first
    assert not Path("models").exists(), "a lock writes nothing into the store"


def test_the_lock_names_the_manifest_that_apply_stores(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lock", "force-think", *SET]) == 0
    assert run(["apply", "force-think", *SET, "--locked", "--json"]) == 0
    digest = json.loads(capsys.readouterr().out.splitlines()[-1])["digest"]
    assert read_lock(LOCK).models[NAME].result.manifest == f"sha256:{digest}"
    assert run(["plan", "force-think", *SET, "--check"]) == 0
    assert run(["lock", "--check"]) == 0


def _made_elsewhere(folder: Path, umask: str, clock: str) -> tuple[str, bytes]:
    """Lock and apply in a fresh folder, with a cache, a umask and a clock of its own; return the digest and the lock."""
    folder.mkdir(parents=True)
    program = (
        "import os, sys, time\n"
        f"os.umask({umask}); then = {clock}\n"
        "time.time = lambda: then; time.time_ns = lambda: then * 10**9\n"
        "from modelsmith.cli import run\n"
        "settings = ['--set', 'base=./base.gguf', '--set', 'name=made', '--store', './models']\n"
        "from modelsmith.weights.gguf.sample import write_sample\n"
        "template = '{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<|a|>{% endif %}'\n"
        "write_sample('base.gguf', chat_template=template)\n"
        "os.utime('base.gguf', (then, then))\n"
        "assert run(['lock', 'force-think', *settings]) == 0\n"
        "sys.exit(run(['apply', 'force-think', *settings, '--locked', '--json']))\n"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "PYTHONPATH": str(REPOSITORY)}
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])["digest"], (folder / "modelsmith.lock").read_bytes()


def test_the_same_inputs_give_the_same_manifest_and_lock_on_two_machines(tmp_path: Path) -> None:
    first = _made_elsewhere(tmp_path / "a", "0o022", "1_700_000_000")
    second = _made_elsewhere(tmp_path / "another" / "and deeper", "0o077", "1_900_000_000")
    assert first == second


def test_a_plan_from_the_lock_is_the_plan_itself(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["lock", "force-think", *SET]) == 0
    assert run(["apply", "force-think", *SET, "--quiet"]) == 0
    other = ["--set", f"base={NAME}", "--set", "name=second"]
    assert run(["lock", "no-think", *other]) == 0
    seen = plan(load_recipe("no-think").resolve({"base": NAME, "name": "second"}), LocalStore("models"))
    (tmp_path / "models").rename(tmp_path / "away")
    capsys.readouterr()
    assert run(["plan", "no-think", *other, "--from-lock", "--check", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["moved"] == []
    assert found["from_lock"] is True
    assert found["after"]["template"] == seen.after.template_text
    assert found["renderings"]["same"] == sum(each.verdict == "same" for each in seen.comparisons)
    assert [layer["size"] for layer in found["layers"]] == [layer.size for layer in seen.preview.layers]
    assert not Path("models").exists()


def test_a_file_that_is_gone_is_planned_from_the_lock(capsys: pytest.CaptureFixture[str]) -> None:
    write_sample(Path("base.gguf"), chat_template="{% for m in messages %}{{ m.content }}{% endfor %}")
    arguments = ["long-context", "--set", "base=./base.gguf", "--set", "name=x"]
    assert run(["lock", *arguments]) == 0
    Path("base.gguf").unlink()
    assert run(["plan", *arguments]) == 3
    assert run(["plan", *arguments, "--from-lock", "--check"]) == 0
    assert "as modelsmith.lock has it" in capsys.readouterr().out


@pytest.fixture
def locked() -> str:
    """Return the text of a lock, which is written."""
    assert run(["lock", "force-think", *SET]) == 0
    return LOCK.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('"modelsmith": "', '"modelsmith": "0.0.', ""),
        ('"spec": "sample:deepseek-r1"', '"spec": "llama3"', "base from: llama3 -> sample:deepseek-r1"),
        ('"inputs": {"base": "sample:deepseek-r1"}', '"inputs": {"base": "llama3"}', "input base: llama3 ->"),
        ('"runs": "jinja"', '"runs": "go"', "template that runs: go -> jinja"),
    ],
)
def test_what_moved_is_named(
    before: str, after: str, told: str, locked: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert before in locked
    LOCK.write_text(locked.replace(before, after), encoding="utf-8")
    assert run(["lock", "--check", "--set", "base=sample:deepseek-r1", "force-think"]) == bool(told)
    output = capsys.readouterr().out
    assert (told or "as locked") in output


def test_a_recipe_that_changed_is_not_applied(capsys: pytest.CaptureFixture[str]) -> None:
    Path("r.yaml").write_text("name: r\nfrom: sample:deepseek-r1\nsystem: Be brief.\ncreate: x\n")
    assert run(["lock", "./r.yaml"]) == 0
    Path("r.yaml").write_text("name: r\nfrom: sample:deepseek-r1\nsystem: Be loud.\ncreate: x\n")
    assert run(["apply", "./r.yaml", "--locked"]) == 3
    error = capsys.readouterr().err
    assert "nothing was written: not as in modelsmith.lock: recipe ./r.yaml: " in error
    assert "result system" in error
    assert not Path("models").exists()


def test_a_base_that_changed_is_named_and_not_used(capsys: pytest.CaptureFixture[str]) -> None:
    write_sample(Path("base.gguf"), seed=1)
    arguments = ["long-context", "--set", "base=./base.gguf", "--set", "name=x"]
    assert run(["lock", *arguments]) == 0
    write_sample(Path("base.gguf"), seed=2)
    assert run(["plan", *arguments, "--check"]) == 1
    assert "moved since the lock: base base.gguf" in capsys.readouterr().out
    assert run(["apply", *arguments, "--locked"]) == 3
    assert not Path("models").exists()


HOSTILE = [
    ("", "this is no JSON"),
    ("[]", "is no lock"),
    ('{"version": 99, "models": {}}', "reads version 1"),
    ('{"version": 1, "models": {"a/../b": {}}}', "not the name of a model"),
    ('{"version": 1, "models": {}, "extra": 1}', "extra"),
    ('{"version": 1, "version": 1}', "is there twice"),
    ('{"version": NaN}', "is no number"),
    ("[" * 100_000, "nested too deeply"),
    ('{"version": 1,\n<<<<<<< ours\n"models": {}}', "this is no JSON"),
    ("\x00\xff", "this is no JSON"),
]


@pytest.mark.parametrize(("text", "told"), HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_locks_are_refused(text: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    LOCK.write_text(text, encoding="latin-1")
    assert run(["plan", "force-think", *SET, "--check"]) == 3
    assert told in capsys.readouterr().err
    assert run(["apply", "force-think", *SET, "--locked"]) == 3
    assert not Path("models").exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('"name": "base.gguf"', '"name": "../base.gguf"'), "not the name of a file"),
        (('"count": 262', '"count": 26200000000'), "is that of no GGUF"),
        (('"blk.{0-1}.attn_norm.weight"', '"blk.{0-99999999}.attn_norm.weight"'), "describes no GGUF"),
        (('"llama.block_count": {"uint32": 2}', '"llama.block_count": {"uint32": -2}'), "is no outline of a value"),
        (('"type": "F16"', '"type": "F99"'), "is no tensor"),
        (('"tokenizer.ggml.model": {"string": "gpt2"}', '"tokenizer.ggml.model": {"system": "id"}'), "is no outline"),
    ],
)
def test_hostile_outlines_are_refused(change: tuple[str, str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_sample(Path("base.gguf"))
    arguments = ["long-context", "--set", "base=./base.gguf", "--set", "name=x"]
    assert run(["lock", *arguments]) == 0
    edit(change)
    assert run(["plan", *arguments, "--from-lock"]) == 3
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("stored", [False, True])
def test_what_makers_advise_in_a_gguf_is_planned_from_the_lock(
    stored: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    write_sample(Path("base.gguf"))
    for key, value, kind in (("temp", "0.65", "f32"), ("top_k", "21", "i32")):
        assert run(["gguf", "set", "base.gguf", f"general.sampling.{key}", value, "--type", kind]) == 0
    if stored:
        Path("Modelfile").write_text("FROM ./base.gguf\n")
        assert run(["create", "base", "-f", "Modelfile"]) == 0
    Path("r.yaml").write_text(
        f"name: r\nfrom: {'base' if stored else './base.gguf'}\nadvised-parameters: true\ncreate: x\n"
    )
    assert run(["lock", "./r.yaml"]) == 0
    Path("base.gguf").unlink()
    capsys.readouterr()
    elsewhere = ["--from-lock", "--check", "--json"]
    assert run(["plan", "./r.yaml", *elsewhere]) == 0
    assert "advised by the model's makers: temperature 0.65, top_k 21" in capsys.readouterr().out


def test_what_a_lock_does_not_hold_is_told_with_the_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    write_checkpoint(Path("weights"), FAMILIES["qwen2"])
    Path("r.yaml").write_text("name: r\nfrom: ./weights\ncreate: x\n")
    assert run(["lock", "./r.yaml"]) == 0
    capsys.readouterr()
    assert run(["plan", "./r.yaml", "--from-lock"]) == 3
    told = capsys.readouterr().err
    assert (
        "modelsmith.lock does not hold enough of ./weights to plan with: a folder of Safetensors is read whole" in told
    )
    assert "plan where the model is, without --from-lock" in told


def test_secrets_do_not_reach_the_lock(capsys: pytest.CaptureFixture[str]) -> None:
    secret = "hf_" + "a1" * 12
    Path("r.yaml").write_text(
        "name: r\nfrom: sample:deepseek-r1\ninputs: {key: {default: x}}\nsystem: ${key}\ncreate: x\n"
    )
    assert run(["lock", "./r.yaml", "--set", f"key={secret}"]) == 2
    assert "looks like a secret" in capsys.readouterr().err
    assert not LOCK.exists()


def test_a_lock_that_lacks_the_model_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lock", "force-think", *SET]) == 0
    assert run(["plan", "long-context", "--set", "base=sample:deepseek-r1", "--from-lock"]) == 2
    assert "modelsmith.lock says nothing of" in capsys.readouterr().err
    assert run(["plan", "long-context", "--set", "base=sample:deepseek-r1", "--check"]) == 1
    assert "not locked: add it with modelsmith lock" in capsys.readouterr().out
    LOCK.unlink()
    assert run(["apply", "force-think", *SET, "--locked"]) == 3
    assert "there is no lock modelsmith.lock" in capsys.readouterr().err
    assert run(["plan", "force-think", *SET, "--from-lock", "--store", "x"]) == 3


def test_what_a_recipe_declares_secret_is_in_no_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("r.yaml").write_text(
        "name: r\nfrom: sample:deepseek-r1\ninputs: {key: {secret: true, env: KEY}}\nsystem: 'k ${key}'\ncreate: x\n"
    )
    monkeypatch.setenv("KEY", "correct-horse")
    assert run(["lock", "r.yaml"]) == 0
    assert run(["plan", "r.yaml", "-o", "plan.json", "--html", "plan.html", "--markdown"]) == 0
    assert "correct-horse" not in capsys.readouterr().out
    for name in ("modelsmith.lock", "plan.json", "plan.html"):
        assert "correct-horse" not in Path(name).read_text(encoding="utf-8")
    assert run(["apply", "plan.json", "--quiet"]) == 0
    monkeypatch.setenv("KEY", "another-horse")
    assert run(["lock", "--check"]) == 1
    assert "result system" in capsys.readouterr().out
