"""What a model gets to read of a request; a live Ollama 0.33 rendered the same for these models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from modelsmith.models.served import find_renderer
from modelsmith.store.local.local import LocalStore
from modelsmith.store.model import CreateRequest
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.weights.blobs.blob import FileBlob
from modelsmith.weights.gguf.sample import write_sample

TEMPLATE = "{{ range .Messages }}<{{ .Role }}>{{ .Thinking }}{{ .Content }}{{ end }}<a>{{ if .IsThinkSet }}set {{ .Think }}{{ end }}"
THINKS = TEMPLATE.replace("{{ .Thinking }}", "{{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}")
PAST = Conversation.from_dict(
    {
        "messages": [
            {"role": "user", "content": "q1"},
            {"role": "assistant", "content": "<think>\nhm\n</think>\n\nans1"},
            {"role": "user", "content": "q2"},
        ]
    }
)


def stored(tmp_path: Path, name: str, template: str | None = THINKS, **fields: Any) -> LocalStore:
    store = LocalStore(tmp_path / "models")
    gguf = tmp_path / "m.gguf"
    write_sample(gguf)
    request = {"template": template, **fields} if template else fields
    store.create(name, CreateRequest(request, {"m.gguf": FileBlob(gguf)}))
    return store


def rendered(store: LocalStore, spec: str, talk: Conversation = PAST, **options: Any) -> str:
    return find_renderer(spec, lambda: store, Path.cwd(), **options).render(talk, None)


@pytest.mark.parametrize(("name", "answer"), [("deepseek-r1", "ans1"), ("mine", "<think>\nhm\n</think>\n\nans1")])
def test_past_reasoning_goes_by_the_name_of_the_model(tmp_path: Path, name: str, answer: str) -> None:
    store = stored(tmp_path, name)
    assert rendered(store, name) == f"<user>q1<assistant>{answer}<user>q2<a>set true"


def test_before_ollama_did_so_it_stays(tmp_path: Path) -> None:
    store = stored(tmp_path, "deepseek-r1")
    assert "hm" in rendered(store, "deepseek-r1", version="0.6.6")


def test_the_models_own_system_prompt_and_messages_come_first(tmp_path: Path) -> None:
    own = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "<think>a</think>b"}]
    store = stored(tmp_path, "deepseek-r1", system="be brief", messages=own)
    assert rendered(store, "deepseek-r1").startswith("<system>be brief<user>hello<assistant>b<user>q1")


def test_think_stays_unset_for_a_model_that_cannot_think(tmp_path: Path) -> None:
    store = stored(tmp_path, "mine", TEMPLATE.replace("{{ .Thinking }}", ""))
    assert rendered(store, "mine").endswith("<a>")


def test_a_model_without_any_template(tmp_path: Path) -> None:
    store = stored(tmp_path, "mine", None)
    chat = Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]})
    assert rendered(store, "mine", chat) == "<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n"
    assert rendered(store, "mine", chat, version="0.29.0") == "hello"
    assert rendered(store, "mine", Conversation.from_dict({"prompt": "hello"})) == "hello"
