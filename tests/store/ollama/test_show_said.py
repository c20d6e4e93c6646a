"""What newer servers add to ``/api/show`` about how they run a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes import ollama
from fakes.show import said_of

from modelsmith.cli import run
from modelsmith.explain.explanation import explain_model
from modelsmith.models.served import find_renderer
from modelsmith.store.model import ServerSays
from modelsmith.store.ollama.ollama import OllamaStore
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.weights.gguf.sample import write_sample


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, None),
        ({"thinking": "high", "template_source": 5}, None),
        ({"thinking": {"values": 3}}, None),
        ({"template_source": "go_template"}, ServerSays("go_template")),
        (
            {"template_source": "renderer", "renderer": "qwen3.5", "parser": "qwen3.5"},
            ServerSays("renderer", "qwen3.5", "qwen3.5"),
        ),
        (
            {"thinking": {"values": [False, "low", 7, "\x1b[0m", "high"], "default": "low"}},
            ServerSays(think_values=("false", "low", "high"), think_default="low"),
        ),
    ],
)
def test_what_the_server_says(body: dict[str, Any], said: ServerSays | None) -> None:
    assert said_of(body).said == said


JINJA = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
GO = "{{ range .Messages }}[{{ .Role }}]{{ .Content }}{{ end }}"
HELLO = Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]})


@pytest.mark.parametrize(
    ("body", "source", "prompt"),
    [
        ({}, "go", "[user]hello"),
        ({"template_source": "go_template"}, "go", "[user]hello"),
        ({"template_source": "gguf_chat_template"}, "jinja", "<user>hello<assistant>"),
        ({"template_source": "renderer", "renderer": "qwen3.5"}, "renderer", None),
        ({"template_source": "renderer", "renderer": ""}, "go", "[user]hello"),
        ({"template_source": "something_new"}, "go", "[user]hello"),
    ],
)
def test_the_server_s_word_about_itself_is_used_and_a_difference_is_told(
    body: dict[str, Any], source: str, prompt: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = ollama.shown
    monkeypatch.setattr(ollama, "shown", lambda *given, **options: {**shown(*given, **options), **body})
    gguf = write_sample(tmp_path / "m.gguf", chat_template=JINJA)
    (tmp_path / "Modelfile").write_text(f'FROM {gguf}\nTEMPLATE """{GO}"""\n')
    with ollama.FakeOllama(tmp_path / "server") as server:
        assert run(["create", "mine", "-f", str(tmp_path / "Modelfile"), "--store", server.url]) == 0
        store = OllamaStore(server.url)
        found = explain_model("mine", store)
        assert found.effective.source == source
        notes = [note for note in found.notes if "template_source" in note]
        assert bool(notes) == (body.get("template_source") not in {None, "go_template"})
        engine = find_renderer("mine", lambda: store, tmp_path, None, None) if prompt else None
        assert engine is None or engine.render(HELLO) == prompt
        assert explain_model("mine", store, version="0.31.0").effective.source == "go"
