"""What every store does, whatever is behind it: a directory, a server here, a server elsewhere, a real Ollama.

Each case is also run on a fresh directory, and the results must be the same, down to the digest of the manifest.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest
from fakes.ollama import FakeOllama

from modelsmith.errors import ModelNotFound, ModelsmithError, TemplateSyntaxError
from modelsmith.manifest import MODEL, Digest
from modelsmith.name import ModelName
from modelsmith.progress import Progress
from modelsmith.store import Store
from modelsmith.store.local.local import LocalStore
from modelsmith.store.model import CreateRequest, StoredModel
from modelsmith.store.ollama.ollama import OllamaStore
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.weights.blobs.blob import FileBlob
from modelsmith.weights.gguf.sample import write_sample

R1_JINJA = (
    "{% if tools %}{{ tools }}{% endif %}{% for m in messages %}{% if m.role == 'tool' %}{{ m.tool_calls }}{% endif %}"
    "<think></think>{{ m.content }}{% endfor %}"
)
CHAT = "{{ range .Messages }}<{{ .Role }}>{{ .Content }}{{ end }}<assistant>"
EXACT = {"template", "system", "parameters", "messages", "licenses", "renderer", "parser", "requires", "family"}


@dataclass(frozen=True)
class Place:
    """A store under test, a directory to compare it with, and names that are this test's own."""

    store: Store
    reference: LocalStore
    namespace: str
    gguf: Path
    sees_files: bool

    def name(self, text: str) -> ModelName:
        return ModelName.parse(f"{self.namespace}/{text}")

    def file(self, **more: Any) -> CreateRequest:
        return CreateRequest(more, files={"model.gguf": FileBlob(self.gguf)})

    def model(self, base: str, **more: Any) -> CreateRequest:
        return CreateRequest({"from": self.name(base).short, **more})

    def create(self, text: str, request: CreateRequest) -> StoredModel:
        """Create in both stores, and see that both hold the same."""
        made = self.store.create(self.name(text), request)
        twin = self.reference.create(self.name(text), request)
        assert made.digest == twin.digest, "another manifest than in a directory"
        assert comparable(made, self.sees_files) == comparable(twin, self.sees_files)
        assert comparable(self.store.show(self.name(text)), self.sees_files) == comparable(made, self.sees_files)
        return made

    def names(self) -> list[str]:
        """The models of this test, as the store lists them."""
        return [name.short.partition("/")[2] for name in self.store.models() if name.namespace == self.namespace]


def comparable(model: StoredModel, sees_files: bool) -> dict[str, Any]:
    """Return what can be known about a model from outside, as plain values."""
    values = {item.name: getattr(model, item.name) for item in fields(model)}
    del values["weights"], values["said"]  # where a file lies, and what a server says of itself
    if not sees_files:
        values = {key: value for key, value in values.items() if not key.startswith("chat_template")}
    values["messages"] = [dict(message) for message in model.messages]
    values["parameters"] = dict(model.parameters)
    values["digest"] = model.digest.removeprefix("sha256:")
    return values


@pytest.fixture(params=["directory", "server", "server elsewhere", pytest.param("ollama", marks=pytest.mark.ollama)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    # a real server may still hold what another run sent, so it gets weights of its own
    number = uuid.uuid4().int >> 96 if request.param == "ollama" else 1
    gguf = write_sample(tmp_path / "model.gguf", seed=number)
    namespace = f"modelsmith-test-{number:08x}"
    reference = LocalStore(tmp_path / "reference")
    if request.param == "directory":
        yield Place(LocalStore(tmp_path / "models"), reference, namespace, gguf, True)
        return
    if request.param == "ollama":
        store = OllamaStore(request.getfixturevalue("real_ollama"))
        yield Place(store, reference, namespace, gguf, False)
        for name in store.models():
            if name.namespace == namespace:
                store.delete(name)
        store.close()
        return
    elsewhere = request.param == "server elsewhere"
    with FakeOllama(tmp_path / "models", hides_files=elsewhere) as fake:
        store = OllamaStore(fake.url)
        yield Place(store, reference, namespace, gguf, not elsewhere)
        store.close()


def test_a_gguf_becomes_a_model(place: Place) -> None:
    made = place.create("tiny", place.file())
    assert (made.template, made.system, made.renderer, made.family) == (None, "", "", "llama")
    assert "completion" in made.capabilities
    assert made.weights_digest is not None
    assert made.size > place.gguf.stat().st_size // 2
    assert place.names() == ["tiny:latest"]


def test_everything_a_modelfile_can_say(place: Place) -> None:
    made = place.create(
        "all",
        place.file(
            template=CHAT,
            system="You are terse.",
            parameters={"temperature": 0.6, "num_ctx": 4096, "stop": ["<user>", "<assistant>"], "use_mmap": True},
            messages=[{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello\nthere"}],
            license=["MIT", "second\nlicense\n"],
            requires="0.14.0",
        ),
    )
    assert made.template == CHAT
    assert made.parameters["stop"] == ["<user>", "<assistant>"]
    assert made.parameters["use_mmap"] is True
    assert made.licenses == ("MIT", "second\nlicense\n")
    assert made.requires == "0.14.0"


def test_a_renderer_and_a_parser(place: Place) -> None:
    made = place.create("rendered", place.file(template=CHAT, renderer="qwen3-coder", parser="qwen3-coder"))
    assert (made.renderer, made.parser) == ("qwen3-coder", "qwen3-coder")
    assert "tools" in made.capabilities
    assert place.create("child", place.model("rendered", system="x")).renderer == "qwen3-coder"


def test_a_jinja_template_in_the_gguf(place: Place) -> None:
    write_sample(place.gguf, chat_template=R1_JINJA)
    made = place.create("jinja", place.file(template=CHAT))
    assert (made.template, made.chat_template, made.chat_template_known) == (CHAT, R1_JINJA, True)
    assert made.capabilities >= {"tools", "thinking"}


@pytest.fixture
def family(place: Place) -> Place:
    place.create(
        "base",
        place.file(
            template=CHAT,
            system="base",
            parameters={"stop": ["A", "B"], "temperature": 0.5},
            license="L1",
            messages=[{"role": "user", "content": "u"}],
        ),
    )
    return place


def test_a_child_inherits(family: Place) -> None:
    made = family.create("child", family.model("base"))
    assert (made.template, made.system, made.licenses) == (CHAT, "base", ("L1",))
    assert made.parameters == {"stop": ["A", "B"], "temperature": 0.5}
    assert family.names() == ["base:latest", "child:latest"]


def test_a_request_as_a_modelfile_makes_it(family: Place) -> None:
    """Its body has the keys that name the model, empty."""
    request = family.model("base", model="", name="", system="child")
    assert family.store.preview(family.name("child"), request).changes
    family.create("child", request)
    assert not family.store.preview(family.name("child"), request).changes


def test_stops_stay_when_another_parameter_is_set(family: Place) -> None:
    made = family.create("child", family.model("base", parameters={"temperature": 0.6, "top_p": 0.95}))
    assert made.parameters == {"stop": ["A", "B"], "temperature": 0.6, "top_p": 0.95}


def test_stops_are_replaced_as_a_whole(family: Place) -> None:
    assert family.create("child", family.model("base", parameters={"stop": ["C"]})).parameters["stop"] == ["C"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"template": "{{ .Prompt }}!"}, {"template": "{{ .Prompt }}!"}),
        ({"system": "child"}, {"system": "child"}),
        ({"messages": [{"role": "assistant", "content": "a"}]}, {"messages": ({"role": "assistant", "content": "a"},)}),
        ({"license": ["L2", "L3"]}, {"licenses": ("L1", "L2", "L3")}),
        ({"requires": "0.20.1"}, {"requires": "0.20.1"}),
    ],
)
def test_a_child_replaces(family: Place, change: dict[str, Any], expected: dict[str, Any]) -> None:
    made = family.create("child", family.model("base", **change))
    before = family.store.show(family.name("base"))
    assert {key: getattr(made, key) for key in expected} == expected
    unchanged = EXACT - set(expected)
    assert {key: getattr(made, key) for key in unchanged} == {key: getattr(before, key) for key in unchanged}


def test_odd_values_come_back(place: Place) -> None:
    stop = ['"', '"hi" there', "\n", "\t<x>", "\u2028", "\\n", "é\U0001f600", " a "]
    made = place.create(
        "odd",
        place.file(
            template=CHAT,
            system='"quoted"\n"""\nPARAMETER stop x\n\u200b',
            parameters={"stop": stop, "num_ctx": 1_000_000, "seed": 123_456_789, "min_p": 1e-7, "top_p": 1},
            messages=[{"role": "user", "content": "a: b\nMESSAGE user c"}],
        ),
    )
    assert made.parameters["stop"] == stop
    assert made.parameters["num_ctx"] == 1_000_000
    assert made.system == '"quoted"\n"""\nPARAMETER stop x\n\u200b'


def test_a_model_is_replaced(family: Place) -> None:
    family.create("other", family.model("base", system="one"))
    assert family.create("other", family.model("base", system="two")).system == "two"
    assert family.names() == ["base:latest", "other:latest"]


def test_letter_case_does_not_make_another_model(family: Place) -> None:
    assert family.store.show(family.name("BASE")).system == "base"
    family.store.create(family.name("Base"), family.model("bAse", system="again"))
    assert [name.lower() for name in family.names()] == ["base:latest"]


def test_a_copy(family: Place) -> None:
    family.store.copy(family.name("base"), family.name("copy:v2"))
    one, other = family.store.show(family.name("base")), family.store.show(family.name("copy:v2"))
    assert replace(one, name=other.name) == other
    family.store.delete(family.name("base"))
    assert family.store.show(family.name("copy:v2")).system == "base"
    assert family.names() == ["copy:v2"]


def test_a_server_makes_the_same_prompt(family: Place) -> None:
    if not isinstance(family.store, OllamaStore):
        pytest.skip("a directory renders nothing")
    conversation = Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]})
    prompt = family.store.render(family.name("base"), conversation)
    assert prompt == "<system>base<user>u\n\nhello<assistant>"


def test_what_is_not_there(place: Place) -> None:
    missing = place.name("missing")
    for action in (
        lambda: place.store.show(missing),
        lambda: place.store.delete(missing),
        lambda: place.store.copy(missing, place.name("new")),
        lambda: place.store.create(place.name("new"), place.model("missing")),
        lambda: place.store.preview(place.name("new"), place.model("missing")),
    ):
        with pytest.raises(ModelNotFound, match="missing:latest"):
            action()
    assert place.names() == []


@pytest.mark.parametrize("template", ["{{ if .X }}", "{{ upper .Prompt }}"])
def test_a_template_that_does_not_parse(family: Place, template: str) -> None:
    with pytest.raises(TemplateSyntaxError):
        family.store.create(family.name("broken"), family.model("base", template=template))
    assert family.names() == ["base:latest"]


def test_a_file_that_is_no_model(place: Place) -> None:
    place.gguf.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ModelsmithError):
        place.store.create(place.name("broken"), place.file())
    assert place.names() == []


def test_progress_is_reported(place: Place) -> None:
    seen: list[Progress] = []
    place.store.create(place.name("tiny"), place.file(), progress=seen.append)
    assert seen
    assert all(0 <= progress.completed <= max(progress.total, progress.completed) for progress in seen)


def test_a_preview_of_a_new_model(place: Place) -> None:
    preview = place.store.preview(place.name("tiny"), place.file(system="hi", template=CHAT))
    assert preview.changes
    assert preview.bytes_to_write >= place.gguf.stat().st_size // 2
    assert preview.layers[0].media_type == MODEL
    assert Digest.of(CHAT.encode()) in {layer.digest for layer in preview.layers}
    assert place.names() == []


def test_a_preview_of_the_same_again(family: Place) -> None:
    request = family.model("base", system="new", parameters={"temperature": 0.6})
    assert family.store.preview(family.name("child"), request).changes
    family.create("child", request)
    again = family.store.preview(family.name("child"), request)
    assert not again.changes
    assert again.bytes_to_write == 0
    for change in ({"system": "newer"}, {"parameters": {"temperature": 0.7}}, {"template": "{{ .Prompt }}?"}):
        assert family.store.preview(family.name("child"), family.model("base", **change)).changes


def test_a_preview_of_the_same_file_again(place: Place) -> None:
    request = place.file(system="new", parameters={"temperature": 0.6})
    place.create("tiny", request)
    again = place.store.preview(place.name("tiny"), request)
    assert not again.changes
    assert again.bytes_to_write == 0
    other = place.file(system="newer", parameters={"temperature": 0.6})
    assert place.store.preview(place.name("tiny"), other).changes


@pytest.mark.ollama
def test_a_running_ollama_serves_what_a_directory_was_given(real_ollama: str, tmp_path: Path) -> None:
    store, number = OllamaStore(real_ollama), uuid.uuid4().int >> 96
    names = [ModelName.parse(f"modelsmith-test-{number:08x}/{text}") for text in ("sent", "written")]
    gguf = FileBlob(write_sample(tmp_path / "model.gguf", seed=number))
    try:
        weights = store.create(names[0], CreateRequest({}, files={"model.gguf": gguf})).weights
        if weights is None:
            pytest.skip("the files of the server cannot be read here")
        folder = LocalStore(weights.parent.parent)
        request = CreateRequest({"template": CHAT, "system": "be kind"}, files={"model.gguf": gguf})
        written = folder.create(names[1], request)
        assert store.show(names[1]) == written
        assert not store.preview(names[1], request).changes
        conversation = Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]})
        assert store.render(names[1], conversation) == "<system>be kind<user>hello<assistant>"
        folder.delete(names[1])
        with pytest.raises(ModelNotFound):
            store.show(names[1])
    finally:
        for name in set(names) & set(store.models()):
            store.delete(name)
