"""OllamaStore where servers surprise: blobs that are there, streams that break, answers that are none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.ollama import FakeOllama, Fault

from modelsmith.errors import (
    DigestMismatch,
    InvalidModelName,
    ModelNotFound,
    ServerError,
    TemplateSyntaxError,
    UnreadableFile,
    Unsupported,
)
from modelsmith.name import ModelName
from modelsmith.progress import Progress
from modelsmith.store.model import CreateRequest
from modelsmith.store.ollama.ollama import OllamaStore
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.weights.blobs.blob import FileBlob
from modelsmith.weights.gguf.sample import write_sample

NAME = ModelName.parse("made")
HELLO = Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]})


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FakeOllama]:
    with FakeOllama(tmp_path / "models") as fake:
        yield fake


@pytest.fixture
def store(server: FakeOllama) -> OllamaStore:
    return OllamaStore(server.url)


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    return write_sample(tmp_path / "sample.gguf")


def from_file(gguf: Path, **fields: Any) -> CreateRequest:
    return CreateRequest(fields, files={gguf.name: FileBlob(gguf)})


def from_model(name: str, **fields: Any) -> CreateRequest:
    return CreateRequest({"from": name, **fields})


def posts(server: FakeOllama) -> list[str]:
    return [path for method, path in server.requests if method == "POST" and path.startswith("/api/blobs/")]


def test_a_blob_is_asked_for_before_it_is_sent(server: FakeOllama, store: OllamaStore, gguf: Path) -> None:
    digest = FileBlob(gguf).digest()
    seen: list[Progress] = []
    store.create(NAME, from_file(gguf), progress=seen.append)
    about_blobs = [(method, path) for method, path in server.requests if path == f"/api/blobs/{digest}"]
    assert about_blobs == [("HEAD", f"/api/blobs/{digest}"), ("POST", f"/api/blobs/{digest}")]
    sent = [progress for progress in seen if progress.status == "uploading"]
    assert sent[-1] == Progress("uploading", str(digest), gguf.stat().st_size, gguf.stat().st_size)
    assert seen[-1].status == "success"


def test_a_blob_that_is_there_is_not_sent(server: FakeOllama, store: OllamaStore, gguf: Path) -> None:
    store.create(NAME, from_file(gguf))
    seen: list[Progress] = []
    store.create(NAME, from_file(gguf, system="again"), progress=seen.append)
    assert len(posts(server)) == 1
    assert "already on the server" in {progress.status for progress in seen}


def test_a_reset_is_fine_when_the_blob_is_there(
    server: FakeOllama, store: OllamaStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another client may send the blob between our question and our answer."""
    big = tmp_path / "big.bin"
    big.write_bytes(bytes(8 << 20))
    blob = FileBlob(big)
    answers = iter([404])
    ask = type(store._http).status
    monkeypatch.setattr(
        type(store._http), "status", lambda self, path, **more: next(answers, None) or ask(self, path, **more)
    )
    target = server.blob(str(blob.digest()))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(big.read_bytes())
    from modelsmith.store.ollama.create import upload

    upload(store._http, blob, lambda _: None)
    assert posts(server) == [f"/api/blobs/{blob.digest()}"]


def test_a_connection_that_is_reset_otherwise_is_an_error(server: FakeOllama, store: OllamaStore, gguf: Path) -> None:
    digest = FileBlob(gguf).digest()
    server.faults[f"/api/blobs/{digest}"] = Fault.die()
    with pytest.raises(ServerError, match="connection"):
        store.create(NAME, from_file(gguf))
    assert store.models() == ()


def test_a_server_that_is_gone_in_the_middle_of_an_upload(
    server: FakeOllama, store: OllamaStore, gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = FileBlob(gguf).digest()
    server.faults[f"/api/blobs/{digest}"] = Fault.die()
    answers = iter([404])

    def status(*_: object) -> int:
        if (answer := next(answers, None)) is None:
            raise ServerError("nobody is there any more")
        return answer

    monkeypatch.setattr(type(store._http), "status", status)
    with pytest.raises(ServerError, match=f"POST {server.url}/api/blobs/{digest}: the connection"):
        store.create(NAME, from_file(gguf))


def test_bytes_that_are_damaged_on_the_way(server: FakeOllama, store: OllamaStore, gguf: Path) -> None:
    server.faults["/api/blobs/*"] = Fault.corrupt()
    with pytest.raises(DigestMismatch, match="digest mismatch") as caught:
        store.create(NAME, from_file(gguf))
    assert "again" in caught.value.hint
    assert store.models() == ()


@pytest.mark.parametrize("after", [1, 2])
def test_a_server_that_dies_in_the_stream(server: FakeOllama, store: OllamaStore, gguf: Path, after: int) -> None:
    server.faults["/api/create"] = Fault.die(after)
    with pytest.raises(ServerError, match=f"POST {server.url}/api/create: the connection broke") as caught:
        store.create(NAME, from_file(gguf))
    assert "log" in caught.value.hint


def test_an_error_that_comes_with_status_200(server: FakeOllama, store: OllamaStore, gguf: Path) -> None:
    server.faults["/api/create"] = Fault.error_line("llama-quantize unavailable: not found")
    with pytest.raises(ServerError, match=f"POST {server.url}/api/create: llama-quantize unavailable") as caught:
        store.create(NAME, from_file(gguf))
    assert "llama.cpp" in caught.value.hint
    assert caught.value.text == "llama-quantize unavailable: not found"


def test_a_stream_that_ends_too_early(server: FakeOllama, store: OllamaStore, gguf: Path) -> None:
    server.faults["/api/create"] = Fault.raw('{"status": "parsing GGUF"}\n')
    with pytest.raises(ServerError, match="ended after 'parsing GGUF', without success or error"):
        store.create(NAME, from_file(gguf))


def test_a_slow_server_is_waited_for(
    server: FakeOllama, store: OllamaStore, gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelsmith.http.client.STALL_SECONDS", 0.03)
    heard = threading.Event()
    server.faults["/api/create"] = Fault.held(until=heard)
    store.create(NAME, from_file(gguf), progress=lambda step: heard.set() if "no news for" in step.status else None)
    assert heard.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name == "modelsmith-stall"]


@pytest.mark.parametrize("path", ["/api/tags", "/api/show", "/api/create", "/api/copy", "/api/delete"])
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault.html(), "HTML page"),
        (Fault.html(502), "502 Bad Gateway"),
        (Fault.raw("oops", 500), "500 oops"),
        (Fault.die(), "connection"),
        (Fault.raw("404 page not found", 404), "404 404 page not found"),
    ],
)
def test_answers_that_are_none(server: FakeOllama, store: OllamaStore, path: str, fault: Fault, message: str) -> None:
    make_base(server)
    server.faults[path] = fault
    actions = {
        "/api/tags": store.models,
        "/api/show": lambda: store.show(ModelName.parse("base")),
        "/api/create": lambda: store.create(NAME, from_model("base")),
        "/api/copy": lambda: store.copy(ModelName.parse("base"), NAME),
        "/api/delete": lambda: store.delete(ModelName.parse("base")),
    }
    with pytest.raises(ServerError, match=message) as caught:
        actions[path]()
    assert f"{server.url}{path}" in str(caught.value)


@pytest.mark.parametrize(
    ("path", "text"), [("/api/version", '{"v": 1}'), ("/api/tags", '{"models": 3}'), ("/api/version", "[]")]
)
def test_json_of_another_shape(server: FakeOllama, store: OllamaStore, path: str, text: str) -> None:
    server.faults[path] = Fault.raw(text)
    with pytest.raises(ServerError):
        store.ollama_version() if path == "/api/version" else store.models()


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ("[null, 5]", r"models\[0\] is null, not an object"),
        ('[{"name": "b:1"}, 3]', r"models\[1\] is 3, not an object"),
        ('[{"name": "../x"}]', r'models\[0\].name is "../x", not the name of a model'),
        ("[{}]", r"models\[0\].name is null, not the name of a model"),
        ('[{"name": "b:1", "size": "5"}]', r'models\[0\].size is "5", not a whole number'),
        ('{"a": 1}', "models is an object, not a list"),
    ],
)
def test_tags_that_are_none_are_told(server: FakeOllama, store: OllamaStore, models: str, words: str) -> None:
    server.faults["/api/tags"] = Fault.raw(f'{{"models": {models}}}')
    with pytest.raises(ServerError, match=f"GET http://.*/api/tags: {words}") as raised:
        store.listing()
    assert raised.value.hint.endswith("is perhaps no Ollama server")


def test_head_that_a_proxy_does_not_let_through(server: FakeOllama, store: OllamaStore, gguf: Path) -> None:
    server.faults["/api/blobs/*"] = Fault.raw("", 405)
    with pytest.raises(ServerError, match="405") as caught:
        store.create(NAME, from_file(gguf))
    assert "HEAD" in caught.value.hint


def test_a_base_that_is_not_there_is_not_pulled(server: FakeOllama, store: OllamaStore) -> None:
    make_base(server)
    with pytest.raises(
        ModelNotFound, match=f'no model bass:latest on {server.url}; did you mean "base:latest"'
    ) as caught:
        store.create(NAME, from_model("bass"))
    assert "ollama pull bass:latest" in caught.value.hint
    assert ("POST", "/api/create") not in server.requests


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('template error: template: :3: function "upper" not defined', TemplateSyntaxError),
        ("pull model manifest: file does not exist", ModelNotFound),
        ("invalid model name", InvalidModelName),
        ("something else", ServerError),
    ],
)
def test_what_the_server_says_becomes_an_error_of_the_house(
    server: FakeOllama, store: OllamaStore, text: str, kind: type[Exception]
) -> None:
    make_base(server)
    server.faults["/api/create"] = Fault.error_line(text)
    with pytest.raises(kind, match=r"function|exist|accept|something") as caught:
        store.create(NAME, from_model("base"))
    if isinstance(caught.value, TemplateSyntaxError):
        assert caught.value.line == 3


@pytest.mark.parametrize("tag", ["cloud", "120b-cloud", "120B-CLOUD", "local"])
def test_tags_that_mean_something_else_to_a_server(server: FakeOllama, store: OllamaStore, tag: str) -> None:
    name = ModelName.parse(f"gpt-oss:{tag}")
    for action in (store.show, lambda name: store.create(name, from_model("x"))):
        with pytest.raises(Unsupported, match=r"cloud|stored here") as caught:
            action(name)
        assert caught.value.hint
    assert server.requests == []


def test_deleting_what_the_server_would_read_as_another_model(server: FakeOllama, store: OllamaStore) -> None:
    """A server takes ``base:local`` for ``base:latest``."""
    make_base(server)
    with pytest.raises(Unsupported, match="stored here"):
        store.delete("base:local")
    assert server.store.show("base").name.tag == "latest"


@pytest.mark.parametrize("text", ["", "a/b/c/d", "x:", "../x", "a b"])
def test_names_that_are_none(server: FakeOllama, store: OllamaStore, text: str) -> None:
    for action in (store.show, store.delete, lambda name: store.copy("base", name)):
        with pytest.raises(InvalidModelName):
            action(text)
    assert server.requests == []


def test_a_model_that_runs_elsewhere(server: FakeOllama, store: OllamaStore) -> None:
    server.faults["/api/show"] = Fault.raw('{"remote_model": "gpt-oss:120b", "remote_host": "https://ollama.com:443"}')
    with pytest.raises(Unsupported, match=r"runs as gpt-oss:120b on https://ollama\.com:443"):
        store.show(NAME)
    server.faults["/api/show"] = Fault.raw('{"error": "ollama cloud is disabled: unavailable"}', 403)
    with pytest.raises(Unsupported, match="cloud is disabled"):
        store.show(NAME)


def test_bytes_cannot_be_kept_since_0_30(server: FakeOllama, store: OllamaStore, gguf: Path) -> None:
    for action in (store.create, store.preview):
        with pytest.raises(Unsupported, match="writes every imported GGUF anew") as caught:
            action(NAME, from_file(gguf), as_is=True)
        assert "--store DIR" in caught.value.hint
    assert posts(server) == []


@pytest.mark.parametrize("version", ["0.29.1", "v0.12.0-rc1"])
def test_bytes_are_kept_by_older_servers(server: FakeOllama, store: OllamaStore, gguf: Path, version: str) -> None:
    server.version = version
    assert store.preview(NAME, from_file(gguf), as_is=True).changes


def test_as_is_means_nothing_without_a_file(server: FakeOllama, store: OllamaStore) -> None:
    make_base(server)
    assert store.create(NAME, from_model("base"), as_is=True).name == NAME


@pytest.mark.parametrize("field", [{"quantize": "Q4_K_M"}, {"info": {"base_name": "x"}}])
def test_what_cannot_be_seen_from_outside_counts_as_a_change(
    server: FakeOllama, store: OllamaStore, field: dict[str, Any]
) -> None:
    make_base(server)
    store.create(NAME, from_model("base"))
    assert not store.preview(NAME, from_model("base")).changes
    assert store.preview(NAME, from_model("base", **field)).changes


def test_files_that_only_a_server_converts(server: FakeOllama, store: OllamaStore, tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"{}")
    preview = store.preview(NAME, CreateRequest({"system": "x"}, files={file.name: FileBlob(file)}))
    assert preview.changes
    assert [(layer.how, layer.size) for layer in preview.layers] == [("upload", 2)]


def test_the_prompt_that_the_server_makes(server: FakeOllama, store: OllamaStore) -> None:
    make_base(server, template="{{ range .Messages }}[{{ .Role }}]{{ .Content }}{{ end }}[assistant]", system="be kind")
    assert store.render(ModelName.parse("base"), HELLO) == "[system]be kind[user]hello[assistant]"
    assert store.render(ModelName.parse("base"), HELLO, think=False) == "[system]be kind[user]hello[assistant]"
    with pytest.raises(ServerError, match="does not support thinking"):
        store.render(ModelName.parse("base"), HELLO, think=True)
    with pytest.raises(ModelNotFound):
        store.render(ModelName.parse("nope"), HELLO)


@pytest.mark.parametrize("version", ["0.11.4", "0.5.0"])
def test_servers_that_are_too_old_to_render_are_not_asked(server: FakeOllama, store: OllamaStore, version: str) -> None:
    server.version = version
    assert store.render(NAME, HELLO) is None
    assert ("POST", "/api/chat") not in server.requests


@pytest.mark.parametrize("answer", ["{}", '{"_debug_info": {}}'])
def test_a_server_that_does_not_render(server: FakeOllama, store: OllamaStore, answer: str) -> None:
    server.version = "0.0.0"
    server.faults["/api/chat"] = Fault.raw(answer)
    assert store.render(NAME, HELLO) is None
    server.faults["/api/chat"] = Fault.raw('{"_debug_info": {"rendered_template": 1}}')
    with pytest.raises(ServerError, match=r"_debug_info\.rendered_template is 1, not a text"):
        store.render(NAME, HELLO)


def test_files_of_a_server_on_this_machine_are_read(server: FakeOllama, store: OllamaStore) -> None:
    make_base(server, template="{{ .Prompt }}", chat_template="{{ messages }}")
    near = store.show(ModelName.parse("base"))
    server.hides_files = True
    far = store.show(ModelName.parse("base"))
    assert (near.template, near.chat_template, near.chat_template_known) == ("{{ .Prompt }}", "{{ messages }}", True)
    assert (far.template, far.chat_template, far.chat_template_known) == (None, None, False)
    assert near.weights is not None
    assert far.weights is None
    assert near.weights_digest == far.weights_digest == near_digest(near.weights)
    assert near.digest == far.digest


@pytest.mark.parametrize("elsewhere", [True, False])
def test_the_default_template_may_be_written(server: FakeOllama, store: OllamaStore, elsewhere: bool) -> None:
    server.hides_files = elsewhere
    make_base(server)
    request = from_model("base", template="{{ .Prompt }}")
    assert store.create(NAME, request).template == "{{ .Prompt }}"
    assert not store.preview(NAME, request).changes


def test_files_that_are_not_the_ones_the_server_has_are_not_believed(server: FakeOllama, store: OllamaStore) -> None:
    """A tunnel may lead to another machine whose paths look the same."""
    make_base(server, system="ours")
    server.faults["/api/tags"] = Fault.raw(f'{{"models": [{{"name": "base:latest", "digest": "{"0" * 64}"}}]}}')
    model = store.show(ModelName.parse("base"))
    assert model.digest == "0" * 64
    assert model.chat_template_known  # the weights are named by their digest, so they can be believed


def test_jinja_that_the_server_runs_is_known_from_afar(server: FakeOllama, store: OllamaStore) -> None:
    server.hides_files = True
    make_base(server, chat_template="{{ messages }}")
    model = store.show(ModelName.parse("base"))
    assert (model.template, model.chat_template, model.chat_template_known) == (None, "{{ messages }}", True)


def test_nothing_is_asked_until_something_is_wanted() -> None:
    store = OllamaStore("http://127.0.0.1:1")
    assert store.location == "http://127.0.0.1:1"
    with pytest.raises(ServerError, match="no Ollama server answers at") as caught:
        store.models()
    assert "--store DIR" in caught.value.hint


def test_a_file_that_vanishes(store: OllamaStore, gguf: Path) -> None:
    request = from_file(gguf)
    gguf.unlink()
    with pytest.raises(UnreadableFile, match=r"sample\.gguf does not exist"):
        store.create(NAME, request)


def make_base(server: FakeOllama, chat_template: str | None = None, **fields: Any) -> None:
    """Put a model named ``base`` into the store behind the server."""
    path = write_sample(server.folder.parent / "base.gguf", chat_template=chat_template)
    request = CreateRequest(fields, files={"base.gguf": FileBlob(path)})
    server.store.create(ModelName.parse("base"), request)


def near_digest(path: Path) -> object:
    return FileBlob(path).digest()


def test_a_damaged_file_of_the_server_is_told(server: FakeOllama, store: OllamaStore) -> None:
    server.faults["/api/show"] = Fault.raw('{"error": "template: :1: function \\"eangr\\" not defined"}', 500)
    with pytest.raises(ServerError, match=r'^made:latest: POST .*: 500 template: :1: function "eangr" not') as caught:
        store.show("made")
    assert "store fsck --store FOLDER" in caught.value.hint
