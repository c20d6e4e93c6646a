"""Which store is chosen, and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.ollama import FakeOllama, Fault
from ports import free_port

from modelsmith.errors import ServerError, StoreError, UsageError
from modelsmith.http import listening
from modelsmith.name import ModelName
from modelsmith.store.environment import variable
from modelsmith.store.local.local import LocalStore
from modelsmith.store.model import CreateRequest
from modelsmith.store.ollama.ollama import OllamaStore, server_url
from modelsmith.store.open import (
    choose_store,
    named_server,
    open_existing_store,
    open_folder,
    open_store,
    open_store_or_absent,
)


def test_a_named_server_may_take_its_time_and_another_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []

    def version(_store: OllamaStore, *, seconds: float = 1.0) -> str:
        given.append(seconds)
        return "0.31.0"

    monkeypatch.setattr(OllamaStore, "is_listening", lambda _store, _seconds: True)
    monkeypatch.setattr(listening, "is_listening", lambda _host, _port, _seconds: True)
    monkeypatch.setattr(OllamaStore, "ollama_version", version)
    choose_store(environment={"OLLAMA_HOST": "127.0.0.1:4711"})
    choose_store(environment={})
    assert (given[0], given[2]) == (10.0, 0.5)


def test_a_directory_is_local(tmp_path: Path) -> None:
    for where in (str(tmp_path), tmp_path, str(tmp_path / "new")):
        assert isinstance(open_store(where), LocalStore)
    assert open_store(tmp_path).location == str(tmp_path)


def test_a_path_is_a_directory_whatever_it_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert isinstance(open_store(Path("localhost:11434")), LocalStore)
    (tmp_path / "localhost:11434").mkdir()
    assert isinstance(open_store("localhost:11434"), LocalStore)


def test_a_home_is_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert open_store("~/models").location == str(tmp_path / "models")


@pytest.mark.parametrize("form", ["{url}", "{url}/", "127.0.0.1:{port}", "localhost:{port}"])
def test_a_url_is_a_server(tmp_path: Path, form: str) -> None:
    with FakeOllama(tmp_path) as server:
        choice = choose_store(form.format(url=server.url, port=server.url.rpartition(":")[2]))
    assert isinstance(choice.store, OllamaStore)
    assert "Ollama 0.33.0" in choice.reason


def test_a_named_server_must_answer() -> None:
    port = free_port()
    with pytest.raises(ServerError, match=f"no Ollama server answers at http://127.0.0.1:{port}") as caught:
        open_store(f"http://127.0.0.1:{port}")
    assert "ollama serve" in caught.value.hint


def test_a_named_server_must_be_an_ollama(tmp_path: Path) -> None:
    with FakeOllama(tmp_path) as server:
        server.faults["/api/version"] = Fault.html()
        with pytest.raises(ServerError, match="HTML page"):
            open_store(server.url)


@pytest.mark.parametrize("where", ["", "  ", "ftp://x", "hf://org/model", "http://", "http://x:99999999"])
def test_what_can_be_neither(where: str) -> None:
    with pytest.raises((UsageError, ServerError)):
        open_store(where)


def test_a_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    with pytest.raises(StoreError, match="is a file"):
        open_store(tmp_path / "model.gguf")


def test_the_folder_above_a_store_is_pointed_out(tmp_path: Path) -> None:
    (tmp_path / "models" / "manifests").mkdir(parents=True)
    with pytest.raises(StoreError, match="its folder models is") as caught:
        open_store(tmp_path)
    assert str(tmp_path / "models") in caught.value.hint


def test_the_default_is_the_server_that_answers(tmp_path: Path) -> None:
    with FakeOllama(tmp_path) as server:
        choice = choose_store(environment={"OLLAMA_HOST": f' "{server.url}" '})
    assert isinstance(choice.store, OllamaStore)
    assert choice.store.location == server.url
    assert choice.reason == f"an Ollama 0.33.0 answers there (OLLAMA_HOST={server.url})"


def test_the_default_is_a_directory_when_no_server_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "is_listening", lambda _host, _port, _seconds: False)
    choice = choose_store(environment={"OLLAMA_MODELS": f"'{tmp_path}'"})
    assert isinstance(choice.store, LocalStore)
    assert choice.store.location == str(tmp_path)
    reason = "OLLAMA_MODELS, because no server answers at http://127.0.0.1:11434 (OLLAMA_HOST is not set)"
    assert choice.reason == reason


def test_the_default_directory_is_below_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "is_listening", lambda _host, _port, _seconds: False)
    monkeypatch.setenv("HOME", str(tmp_path))
    choice = choose_store(environment={})
    assert choice.store.location == str(tmp_path / ".ollama" / "models")


def test_a_server_that_ollama_host_names_must_answer(tmp_path: Path) -> None:
    port = free_port()
    names = f"no server answers at http://127.0.0.1:{port}, which OLLAMA_HOST=127.0.0.1:{port} names"
    with pytest.raises(ServerError, match=names) as caught:
        choose_store(environment={"OLLAMA_HOST": f"127.0.0.1:{port}", "OLLAMA_MODELS": str(tmp_path)})
    assert "--store" in caught.value.hint


def test_something_else_at_the_place_that_ollama_host_names(tmp_path: Path) -> None:
    with FakeOllama(tmp_path) as server:
        server.faults["/api/version"] = Fault.html()
        with pytest.raises(ServerError, match=f"no Ollama answers at {server.url}"):
            choose_store(environment={"OLLAMA_HOST": server.url, "OLLAMA_MODELS": str(tmp_path)})


def test_a_host_that_cannot_be_one(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="OLLAMA_HOST=ftp://x names no server"):
        choose_store(environment={"OLLAMA_HOST": "ftp://x", "OLLAMA_MODELS": str(tmp_path)})


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("127.0.0.1:99999", "127.0.0.1:99999 names (port 99999 is none: Ollama takes its own)"),
        ("127.0.0.1:abc", "127.0.0.1:abc names (port abc is none: Ollama takes its own)"),
        ("user:secret@127.0.0.1:9", "***@127.0.0.1:9 names"),
        ("http://127.0.0.1:9/x", "http://127.0.0.1:9/x names"),
        ("[::1]:9", "[::1]:9 names"),
        (":9", ":9 names"),
    ],
)
def test_odd_hosts_are_named_as_they_are(host: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OllamaStore, "is_listening", lambda *_: False)
    with pytest.raises(ServerError) as raised:
        choose_store(environment={"OLLAMA_HOST": host})
    assert raised.value.message.endswith(f"which OLLAMA_HOST={told}")


def test_a_folder_of_something_else_is_no_store(tmp_path: Path) -> None:
    assert open_existing_store(str(tmp_path)).models() == ()
    (tmp_path / "notes").write_text("mine")
    for opens in (open_existing_store, open_folder):
        with pytest.raises(StoreError, match="is not a store: it has neither manifests nor blobs"):
            opens(str(tmp_path))
        with pytest.raises(UsageError, match="empty name"):
            opens(" ")
    (tmp_path / "blobs").mkdir()
    assert open_folder(str(tmp_path)).models() == ()
    assert open_folder(str(tmp_path / "new"), may_be_new=True).models() == ()


def test_our_own_variable_wins(tmp_path: Path) -> None:
    choice = choose_store(environment={"OLLAMA_HOST": "127.0.0.1:9", "MODELSMITH_STORE": str(tmp_path / "a")})
    assert choice.store.location == str(tmp_path / "a")
    assert choice.reason == "the directory that MODELSMITH_STORE names"


def test_a_store_to_look_at_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"there is no folder .*typo \(the directory that was named\)"):
        open_existing_store(tmp_path / "typo")
    assert open_existing_store(tmp_path).models() == ()


@pytest.mark.parametrize(
    ("variable", "place", "message"),
    [
        ("OLLAMA_HOST", "127.0.0.1:9", "which OLLAMA_HOST"),
        ("MODELSMITH_STORE", "http://127.0.0.1:9", "no Ollama server answers at http://127.0.0.1:9"),
    ],
)
def test_a_question_about_a_file_goes_on_without_the_server(
    monkeypatch: pytest.MonkeyPatch, variable: str, place: str, message: str
) -> None:
    monkeypatch.setenv(variable, place)
    store = open_store_or_absent()
    assert store.ollama_version() is None
    name = ModelName.strict("m")
    for ask in (
        store.models,
        lambda: store.show(name),
        lambda: store.copy(name, name),
        lambda: store.delete(name),
        lambda: store.create(name, CreateRequest({})),
        lambda: store.preview(name, CreateRequest({})),
    ):
        with pytest.raises(ServerError, match=message):
            ask()
    with pytest.raises(ServerError):
        open_store_or_absent("http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("host", "is_another"),
    [
        ("", False),
        ("0.0.0.0", False),
        ("localhost", False),
        ("127.0.0.1:11434", False),
        ("[::1]", False),
        ("localhost:8880", True),
        ("gpu-box", True),
        ("https://ollama.example", True),
    ],
)
def test_whether_ollama_host_names_another_place(host: str, is_another: bool) -> None:
    assert bool(named_server({"OLLAMA_HOST": host})) is is_another


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        (":1234", "http://127.0.0.1:1234"),
        ("::", "http://[::1]:11434"),
        ("[::1]:80", "http://[::1]:80"),
        ("https://example.com/ollama/", "https://example.com:443/ollama"),
        ("http://example.com", "http://example.com:80"),
        ("example.com", "http://example.com:11434"),
        ("https://me:p%40w@example.com", "https://me:p%40w@example.com:443"),
        ("\"'ollama.com'\"", "https://ollama.com:443"),
    ],
)
def test_the_url_that_a_host_means(text: str, url: str) -> None:
    assert server_url(text) == url


@pytest.mark.parametrize(
    ("value", "meaning"), [(" a ", "a"), ("\"'a b'\"", "a b"), ("' a '", " a "), ("", ""), ("'", "")]
)
def test_variables_are_trimmed_as_ollama_does(value: str, meaning: str) -> None:
    assert variable("X", {"X": value}) == meaning
