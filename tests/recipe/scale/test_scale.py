"""Many models at once: processes that die, versions that differ, and a real cluster with a registry between its workers."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from docker_registry import docker_registry, needs
from quantize_oracle import needs_ggml
from scale_works import Scripted

from modelsmith.cli import run
from modelsmith.errors import ServerError, UsageError
from modelsmith.progress import Progress
from modelsmith.recipe.read.load import parse_recipe
from modelsmith.recipe.scale.dask_cluster import DaskCluster
from modelsmith.recipe.scale.exchange import Exchange
from modelsmith.recipe.scale.job import Job
from modelsmith.recipe.scale.processes import LocalProcesses
from modelsmith.recipe.scale.there import MakeThere
from modelsmith.store.local.local import LocalStore
from modelsmith.weights.gguf.sample import write_sample

RECIPE = "name: r\nfrom: ./m.gguf\ncreate: %s\nadapters: []\nquantize: {type: Q8_0}\nparameters: {stop: [a, b]}\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "models"))
    write_sample(Path("m.gguf"), chat_template="{{ messages[0].content }}")


def job(name: str, text: str = RECIPE, **more: str) -> Job:
    return replace(Job.of(parse_recipe(text % name, folder=Path.cwd()).resolve({}), name), name=name, **more)


def test_a_job_says_what_the_recipe_says() -> None:
    recipe = parse_recipe(RECIPE % "x", folder=Path.cwd()).resolve({})
    one = Job.of(recipe, "x", secrets=["hush"])
    assert one.to_recipe() == recipe
    assert "hush" not in repr(one)
    assert "m.gguf" not in repr(one)
    assert one.key == Job.of(recipe, "another label", secrets=["other"]).key
    assert one.key != Job.of(recipe, "x", as_is=True).key


def test_processes_that_die_are_begun_anew_and_failures_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "begun"
    folder.mkdir()
    told: list[Progress] = []
    jobs = [job("dies1"), job("fails", secrets=("hush-hush",)), job("dies9"), job("old", version="0.0.1")]
    outcomes = {
        each.job.name: each
        for each in LocalProcesses(2).run(Scripted(folder), jobs, lambda _job, _who, step: told.append(step))
    }
    made = outcomes["dies1"].made
    assert made is not None
    assert (made.digest, outcomes["dies1"].attempts) == ("digest of dies1", 2)
    assert outcomes["fails"].error == "it cannot be: ('***',)"
    assert outcomes["fails"].hint == "leave it"
    assert outcomes["dies9"].attempts == 3
    assert "died 3 times (exit code -9)" in outcomes["dies9"].error
    assert "0.0.1 asks" in outcomes["old"].error
    assert told[0].status == "working"


def test_an_interrupt_of_the_terminal_is_for_the_one_that_runs_them(tmp_path: Path) -> None:
    folder = tmp_path / "begun"
    folder.mkdir()
    (outcome,) = LocalProcesses(1).run(Scripted(folder), [job("interrupted")], lambda *_: None)
    assert (outcome.made is not None, outcome.attempts) == (True, 1)
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_closing_ends_what_runs(tmp_path: Path) -> None:
    folder = tmp_path / "begun"
    folder.mkdir()
    running = LocalProcesses(2).run(Scripted(folder), [job("waits"), job("after-waits")], lambda *_: None)
    first = next(running)
    assert first.job.name == "after-waits"
    running.close()  # type: ignore[attr-defined]
    (note,) = folder.glob("waits-*")
    with pytest.raises(ProcessLookupError):
        __import__("os").kill(int(note.read_text()), 0)


def test_the_commands_make_all_combinations(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mx.yaml").write_text(
        "name: mx\ninputs: {base: {}, k: {type: integer}}\nfrom: ${base}\ncreate: made-${k}\n"
        'parameters: {top_k: "${k}"}\nmatrix: {base: [./m.gguf], k: [1, 2]}\n'
    )
    Path("other.yaml").write_text("name: other\nfrom: ./m.gguf\ncreate: other\n")
    assert run(["plan", "mx.yaml", "other.yaml", "--json"]) == 0
    plans = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in plans] == ["made-1:latest", "made-2:latest", "other:latest"]
    assert plans[1]["combination"] == "base=./m.gguf, k=2"
    assert run(["apply", "mx.yaml", "--jobs", "2"]) == 0
    assert "2 created and verified, 0 without changes, 0 failed" in capsys.readouterr().out
    assert run(["plan", "mx.yaml", "--check"]) == 0
    assert run(["plan", "mx.yaml", "--only", "k=2"]) == 0
    assert "made-1" not in capsys.readouterr().out.split("plan")[-1].partition("made-2")[2]
    assert run(["apply", "mx.yaml", "--set", "k=1", "--json", "--quiet"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "made-1:latest"
    assert run(["lock", "mx.yaml"]) == 0
    assert run(["plan", "mx.yaml", "--check"]) == 0
    capsys.readouterr()
    for words, said in (
        (["apply", "mx.yaml", "--modelfile", "M"], "--modelfile is for one model"),
        (["apply", "mx.yaml", "--executor", "dask://127.0.0.1:1"], "belong together"),
        (["plan", "mx.yaml", "--only", "k=3"], 'the matrix has no k "3"'),
        (["plan", "other.yaml", "--only", "k=3"], "has no matrix"),
        (["plan", "mx.yaml", "other.yaml", "--set", "q=3"], "none of these recipes has this input"),
        (["recipes", "emit", "mx.yaml", "--to", "compose"], "makes 2 models by its matrix"),
    ):
        assert run(words) == 2, words
        assert said in capsys.readouterr().err
    Path("mx.yaml").write_text(Path("mx.yaml").read_text().replace("made-${k}", "made"))
    assert run(["plan", "mx.yaml"]) == 2
    assert "made:latest would be made twice" in capsys.readouterr().err


def test_a_failed_combination_is_told_and_the_others_made(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mx.yaml").write_text(
        "name: mx\ninputs: {k: {type: integer}}\nfrom: ./m.gguf\ncreate: made-${k}\n"
        'parameters: {top_k: "${k}"}\nexpect: [{parameters: {top_k: 1}}]\nmatrix: {k: [1, 2]}\n'
    )
    assert run(["apply", "mx.yaml", "--json"]) == 3
    first, second = json.loads(capsys.readouterr().out)
    assert first["changed"]
    assert "PARAMETER" in second["error"] or "parameter" in second["error"]
    assert [name.short for name in LocalStore("models").models()] == ["made-1:latest"]


def test_a_combination_that_cannot_be_planned_keeps_no_other_from_it(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mx.yaml").write_text(
        "name: mx\ninputs: {base: {type: path}}\nfrom: ${base}\ncreate: made-${base.stem}\nmatrix: {base: [./no.gguf, ./m.gguf]}\n"
    )
    assert run(["plan", "mx.yaml"]) == 3
    captured = capsys.readouterr()
    assert 'no.gguf" does not exist' in captured.err
    assert "+ create made-m:latest" in captured.out
    assert run(["plan", "mx.yaml", "--json"]) == 3
    failed, planned = json.loads(capsys.readouterr().out)
    assert (failed["combination"], planned["name"]) == ("base=./no.gguf", "made-m:latest")
    assert "does not exist" in failed["error"]
    assert run(["plan", "mx.yaml", "--markdown"]) == 3
    assert "### 🔴 made-no cannot be planned" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["tcp://h:1", "dask://", "h:8786"])
def test_no_scheduler(text: str) -> None:
    with pytest.raises(UsageError, match="is no scheduler"):
        DaskCluster(text)


@pytest.mark.parametrize("text", ["http://h/x", "oci://h", "oci://h/x:tag"])
def test_no_exchange(text: str) -> None:
    with pytest.raises(UsageError):
        Exchange.parse(text)


def test_what_jobs_start_from_goes_through_the_registry(tmp_path: Path) -> None:
    Path("Modelfile").write_text("FROM ./m.gguf\nPARAMETER top_k 7\n")
    store = LocalStore("models")
    assert run(["create", "stored", "-f", "Modelfile"]) == 0
    texts = {
        "gguf": "name: r\nfrom: ./m.gguf\ncreate: %s\n",
        "modelfile": "name: r\nfrom: ./Modelfile\ncreate: %s\n",
        "model": "name: r\nfrom: stored\ncreate: %s\nsystem: x\n",
        "sample": "name: r\nfrom: sample:deepseek-r1\ncreate: %s\n",
    }
    with docker_registry(tmp_path) as host:
        exchange = Exchange.parse(f"oci://{host}/team/builds")
        for kind, text in texts.items():
            sent = exchange.send_base(job(kind, text), store)
            assert bool(sent.base) is (kind != "sample")
            assert exchange.result(sent) == ""
            made = MakeThere(exchange)(sent, lambda _step: None)
            assert MakeThere(exchange)(sent, lambda _step: None) == replace(made, changed=False, size=0)
            target = LocalStore(tmp_path / "target")
            assert exchange.fetch_result(sent, made, target)
            assert not exchange.fetch_result(sent, made, target)
            Path("direct.yaml").write_text(text % kind)
            assert run(["apply", "--quiet", "direct.yaml"]) == 0
            assert target.show(kind).digest == made.digest == store.show(kind).digest
        with pytest.raises(ServerError):
            DaskCluster("dask://127.0.0.1:1")


@needs_ggml
def test_a_cluster_with_a_worker_that_is_killed() -> None:
    needs("docker-registry")
    program = str(Path(__file__).resolve().parents[2] / "dask_builds.py")
    done = subprocess.run([sys.executable, program, "--tiny"], capture_output=True, text=True, timeout=600, check=False)
    told = json.loads(
        next(line for line in done.stdout.splitlines() if line.startswith("BUILDS")).removeprefix("BUILDS")
    )
    assert told["code"] == 0, told["error"]
    assert [each["error"] for each in told["outcomes"]] == [None] * 4
    assert told["killed"]
    assert "2 of 2 workers are of another version" in told["refused"]
    assert (told["right"], told["compared"], told["fsck"]) == (4, 4, 0)
    assert told["again"] == [False] * 4
