"""One model on several hosts: rolled out one by one, and put back everywhere where a host fails."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from fakes.ollama import FakeOllama, Fault

from modelsmith.cli import run
from modelsmith.cli.recipes.planning import hosts_of
from modelsmith.cli.shared.options import PlanOptions
from modelsmith.errors import RollOutFailed, ServerError, UsageError, VerificationFailed
from modelsmith.name import ModelName
from modelsmith.progress import Progress, ProgressSink
from modelsmith.recipe.fleet.health import answering, planned_there
from modelsmith.recipe.fleet.rollout import roll_out
from modelsmith.recipe.plan.plan import Plan, plan
from modelsmith.recipe.read.load import parse_recipe
from modelsmith.store.local.local import LocalStore
from modelsmith.store.ollama.ollama import OllamaStore
from modelsmith.weights.gguf.sample import SampleShape, write_sample

NAME = ModelName.parse("made")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MODELSMITH_STORE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    shape = SampleShape(blocks=1, embedding=256, feed_forward=256)
    write_sample(Path("m.gguf"), shape=shape, chat_template="{{ messages[0].content }}")
    os.utime("m.gguf", (1_700_000_000, 1_700_000_000))  # digests of files that have just changed are not kept
    (tmp_path / "cache" / "modelsmith").mkdir(parents=True)  # nor is anything without this folder
    Path(".git").mkdir()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[FakeOllama]]:
    with ExitStack() as stack:
        yield [stack.enter_context(FakeOllama(tmp_path / name, hides_files=True)) for name in ("one", "two", "three")]


def plans(servers: list[FakeOllama], more: str = "parameters: {top_k: 1}") -> list[Plan]:
    recipe = parse_recipe(f"name: r\nfrom: ./m.gguf\ncreate: made\n{more}\n", folder=Path.cwd()).resolve({})
    return [plan(recipe, OllamaStore(server.url)) for server in servers]


def stands(servers: list[FakeOllama]) -> list[list[str]]:
    """The models of each host, with what tells them apart."""
    found = []
    for server in servers:
        store = OllamaStore(server.url)
        found.append([f"{name.short} {store.show(name).parameters.get('top_k')}" for name in store.models()])
    return found


def test_a_model_goes_to_every_host_once(servers: list[FakeOllama]) -> None:
    told: list[Progress] = []
    done = roll_out(plans(servers), progress=told.append)
    assert [each.changed for each in done] == [True, True, True]
    assert len({each.digest for each in done}) == 1
    assert stands(servers) == [["made:latest 1"]] * 3
    for server in servers:
        posts = [path for method, path in server.requests if method == "POST" and path.startswith("/api/blobs/")]
        assert len(posts) == len(set(posts)) == 1
    assert [each.changed for each in roll_out(plans(servers))] == [False, False, False]


def test_weights_are_made_once(servers: list[FakeOllama], monkeypatch: pytest.MonkeyPatch) -> None:
    from modelsmith.weights.quantize.run import Quantizer

    pytest.importorskip("libggml")
    runs: list[int] = []
    chunks = Quantizer.chunks

    def counting(self: Quantizer) -> Iterator[memoryview]:
        runs.append(1)
        return chunks(self)

    monkeypatch.setattr(Quantizer, "chunks", counting)
    done = roll_out(plans(servers, "quantize: Q4_K_M"))
    assert (len(runs), [each.changed for each in done]) == (1, [True, True, True])
    again = plans(servers, "quantize: Q4_K_M")
    assert [(each.changes, [layer.how for layer in each.preview.layers]) for each in again] == [(False, ["exists"])] * 3


@pytest.mark.parametrize("first", [True, False])
def test_all_is_put_back_where_a_host_fails(servers: list[FakeOllama], first: bool) -> None:
    if not first:
        roll_out(plans(servers))
    before = stands(servers)
    servers[1].faults["/api/create"] = Fault.error_line("no space left on device")
    with pytest.raises(RollOutFailed) as caught:
        roll_out(plans(servers, "parameters: {top_k: 2}"))
    assert f"{servers[1].url}: " in caught.value.message
    assert "no space left" in caught.value.message
    assert "every host has what it had before" in caught.value.message
    assert stands(servers) == before
    servers[1].faults.clear()
    assert [each.changed for each in roll_out(plans(servers, "parameters: {top_k: 2}"))] == [True] * 3
    assert stands(servers) == [["made:latest 2"]] * 3


def test_all_is_put_back_where_a_check_fails(servers: list[FakeOllama]) -> None:
    roll_out(plans(servers))
    checked: list[str] = []

    def health(made: Plan, progress: ProgressSink) -> str:
        checked.append(made.store.location)
        planned_there(made, progress)
        if made.store.location == servers[1].url:
            raise VerificationFailed("it answers nonsense")
        return "fine"

    with pytest.raises(RollOutFailed, match="it answers nonsense"):
        roll_out(plans(servers, "parameters: {top_k: 2}"), health=health)
    assert checked == [servers[0].url, servers[1].url]
    assert stands(servers) == [["made:latest 1"]] * 3


def test_nothing_is_created_where_an_upload_fails(servers: list[FakeOllama]) -> None:
    made = plans(servers)
    servers[2].faults["/api/blobs/*"] = Fault.die()
    with pytest.raises(ServerError, match="blobs"):
        roll_out(made)
    assert stands(servers) == [[], [], []]


def test_a_host_that_dies_is_named_and_its_model_kept(servers: list[FakeOllama]) -> None:
    roll_out(plans(servers))
    made = plans(servers, "parameters: {top_k: 2}")

    def health(each: Plan, progress: ProgressSink) -> str:
        del progress
        if each.store.location == servers[1].url:
            for path in ("/api/copy", "/api/show", "/api/tags", "/api/delete"):
                servers[1].faults[path] = Fault.die()
            raise VerificationFailed("gone")
        return "fine"

    with pytest.raises(RollOutFailed) as caught:
        roll_out(made, health=health)
    assert f"put back on {servers[0].url}" in caught.value.message
    assert f"NOT put back on {servers[1].url}" in caught.value.message
    assert "kept there as made:before-rollout-" in caught.value.message
    servers[1].faults.clear()
    kept = [name for name in OllamaStore(servers[1].url).models() if name.tag.startswith("before-rollout-")]
    assert OllamaStore(servers[1].url).show(kept[0]).parameters["top_k"] == 1
    roll_out(plans(servers, "parameters: {top_k: 3}"))
    assert stands(servers) == [["made:latest 3"]] * 3


def test_what_a_dead_host_kept_stays_until_a_roll_out_succeeds(servers: list[FakeOllama]) -> None:
    roll_out(plans(servers))
    store = OllamaStore(servers[1].url)
    kept = ModelName.parse("made:before-rollout-0123456789ab")
    store.copy(NAME, kept)
    servers[2].faults["/api/create"] = Fault.error_line("no space left on device")
    with pytest.raises(RollOutFailed):
        roll_out(plans(servers, "parameters: {top_k: 2}"))
    assert store.show(kept).parameters["top_k"] == 1
    servers[2].faults.clear()
    roll_out(plans(servers, "parameters: {top_k: 2}"))
    assert stands(servers) == [["made:latest 2"]] * 3


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("./models", "models/", True),
        ("./models", "./more", False),
        ("http://localhost:11434", "127.0.0.1:11434", True),
        ("http://127.0.0.1:11434/", "http://127.0.0.1:11434", True),
        ("http://127.0.0.1:11434", "http://127.0.0.1:11435", False),
    ],
)
def test_a_host_is_named_once_however_it_is_spelled(one: str, other: str, same: bool) -> None:
    options = PlanOptions(("r.yaml",), (), (one, other))
    if same:
        with pytest.raises(UsageError, match="is named twice, as"):
            hosts_of(options)
    else:
        assert hosts_of(options) == (one, other)


def test_a_folder_is_not_asked_and_that_is_told() -> None:
    recipe = parse_recipe(
        "name: r\nfrom: ./m.gguf\ncreate: made\nexpect: [{ask: Hi, contains: x}]\n", folder=Path.cwd()
    ).resolve({})
    made = [plan(recipe, LocalStore(Path(name))) for name in ("one", "two")]
    told = {"stored as planned; nothing was asked: a folder runs no model"}
    assert {each.health for each in roll_out(made, health=answering("Say yes."))} == told


def test_a_broken_promise_sends_nothing(servers: list[FakeOllama]) -> None:
    with pytest.raises(VerificationFailed, match="nothing was sent"):
        roll_out(plans(servers, "expect: [{parameters: {top_k: 9}}]"))
    assert stands(servers) == [[], [], []]


def test_answers_are_checked_on_every_host(servers: list[FakeOllama], monkeypatch: pytest.MonkeyPatch) -> None:
    from modelsmith.engines.ollama import OllamaEngine
    from modelsmith.engines.protocol import AnswerPiece, Finished

    said = {server.url: "yes" for server in servers}

    def stream(self: OllamaEngine, _request: object) -> Iterator[object]:
        yield AnswerPiece(said[self.location])
        yield Finished("stop")

    monkeypatch.setattr(OllamaEngine, "stream", stream)
    promises = "expect: [{ask: Say yes., contains: 'yes'}]"
    (first, *_) = roll_out(plans(servers, promises))
    assert "its answers are as promised (1 asked)" in first.health
    said[servers[2].url] = "no"
    with pytest.raises(RollOutFailed, match="the answer has 'yes'"):
        roll_out(plans(servers, f"parameters: {{top_k: 9}}\n{promises}"))
    assert stands(servers) == [["made:latest None"]] * 3
    said[servers[2].url] = " "
    with pytest.raises(RollOutFailed, match="answers 'Hi' with nothing"):
        roll_out(plans(servers, "parameters: {top_k: 9}"), health=answering("Hi"))


def test_folders_are_hosts_too(servers: list[FakeOllama]) -> None:
    recipe = parse_recipe("name: r\nfrom: ./m.gguf\ncreate: made\n", folder=Path.cwd()).resolve({})
    folder = LocalStore("folder")
    done = roll_out([plan(recipe, folder), plan(recipe, OllamaStore(servers[0].url))])
    assert [each.changed for each in done] == [True, True]
    servers[0].faults["/api/create"] = Fault.error_line("no")
    other = parse_recipe("name: r\nfrom: ./m.gguf\ncreate: made\nsystem: x\n", folder=Path.cwd()).resolve({})
    before = folder.layout.manifest(NAME).raw
    with pytest.raises(RollOutFailed):
        roll_out([plan(other, folder), plan(other, OllamaStore(servers[0].url))])
    assert folder.layout.manifest(NAME).raw == before
    assert [name.short for name in folder.models()] == ["made:latest"]


def test_the_commands(servers: list[FakeOllama], capsys: pytest.CaptureFixture[str]) -> None:
    Path("r.yaml").write_text("name: r\nfrom: ./m.gguf\ncreate: made\n")
    stores = [word for server in servers[:2] for word in ("--store", server.url)]
    assert run(["plan", "r.yaml", *stores]) == 0
    assert capsys.readouterr().out.count("+ create made:latest") == 2
    assert run(["plan", "r.yaml", *stores, "--json"]) == 0
    assert [each["store"] for each in json.loads(capsys.readouterr().out)] == [server.url for server in servers[:2]]
    assert run(["apply", "r.yaml", *stores[:2], "--quiet"]) == 0
    capsys.readouterr()
    Path("modelsmith.toml").write_text(f"stores = {json.dumps([server.url for server in servers[:2]])}\n")
    assert run(["apply", "r.yaml"]) == 0
    text = capsys.readouterr().out
    assert f"keep    {servers[0].url}: lacks nothing" in text
    assert f"create  {servers[1].url}: lacks" in text
    assert f"{servers[1].url}: rolled out" in text
    assert run(["apply", "r.yaml", "--json"]) == 0
    assert [each["changed"] for each in json.loads(capsys.readouterr().out)] == [False, False]
    assert run(["plan", "r.yaml", "--check"]) == 0
    assert run(["lint", "m.Modelfile"]) == 3  # the configuration is still one for lint
    assert run(["plan", "r.yaml", *stores, *stores]) == 2
    assert "is named twice" in capsys.readouterr().err
    Path("modelsmith.toml").write_text("stores = 7\n")
    assert run(["plan", "r.yaml"]) == 2


def test_a_host_without_the_base_is_shown(servers: list[FakeOllama], capsys: pytest.CaptureFixture[str]) -> None:
    Path("b.yaml").write_text("name: b\nfrom: ./m.gguf\ncreate: base\n")
    Path("r.yaml").write_text("name: r\nfrom: base\ncreate: made\nparameters: {top_k: 2}\n")
    assert run(["apply", "b.yaml", "--store", servers[0].url, "--quiet"]) == 0
    stores = [word for server in servers[:2] for word in ("--store", server.url)]
    assert run(["plan", "r.yaml", *stores]) == 1
    assert f"{servers[1].url} lacks the base" in capsys.readouterr().out
    assert run(["apply", "r.yaml", *stores]) == 3
    assert "base" in capsys.readouterr().err
    assert stands(servers[:2]) == [["base:latest None"], []]
