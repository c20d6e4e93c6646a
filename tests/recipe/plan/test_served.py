"""After an apply through a server the server itself is asked: what runs, what the model can do, which prompts it makes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from fakes.ollama import FakeOllama, Fault

from modelsmith.errors import VerificationFailed
from modelsmith.explain.explanation import explain_model
from modelsmith.recipe.plan.apply import apply
from modelsmith.recipe.plan.plan import Plan, plan
from modelsmith.recipe.read.load import load_recipe, parse_recipe
from modelsmith.store.local.local import LocalStore
from modelsmith.store.ollama.ollama import OllamaStore
from modelsmith.weights.gguf.sample import write_sample

GO = "{{ range .Messages }}[{{ .Role }}]{{ .Content }}{{ end }}[assistant]"
JINJA = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% if m.reasoning_content %}<think>\n{{ m.reasoning_content }}\n"
    "</think>\n{% endif %}{% endfor %}{% if tools %}{{ tools }}{% endif %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


def planned(store: OllamaStore, folder: Path, **keys: Any) -> Plan:
    write_sample(folder / "m.gguf", chat_template=JINJA)
    text = json.dumps({"name": "r", "from": str(folder / "m.gguf"), "create": "made", **keys})
    return plan(parse_recipe(text).resolve({}), store)


@pytest.mark.parametrize("version", ["0.0.0", "0.0.0-dirty", "main-4f3a2b1", "", "0.33.0"])
def test_an_ollama_of_unknown_age_is_taken_for_the_newest(tmp_path: Path, version: str) -> None:
    with FakeOllama(tmp_path / "models", version=version) as server:
        store = OllamaStore(server.url)
        assert planned(store, tmp_path, template=GO).after.effective.source == "jinja"
        forced = load_recipe("force-think").resolve({"base": str(tmp_path / "m.gguf"), "name": "forced"})
        applied = apply(plan(forced, store))
    assert applied.model.chat_template is not None
    assert "<think>" in applied.model.chat_template.partition("add_generation_prompt")[2]
    assert applied.served == ("the server itself makes the planned prompts (3 compared)",)


@pytest.mark.parametrize("system", [None, "be terse"])
@pytest.mark.parametrize("template", [None, GO])
def test_the_server_makes_the_planned_prompts(tmp_path: Path, template: str | None, system: str | None) -> None:
    with FakeOllama(tmp_path / "models") as server:
        store = OllamaStore(server.url)
        keys = {"template": template, "system": system, "messages": [{"role": "user", "content": "before"}]}
        made = planned(store, tmp_path, **{key: value for key, value in keys.items() if value})
        (said,) = apply(made).served
        assert said.startswith("the server itself makes the planned prompts")
        server.requests.clear()
        assert apply(planned(store, tmp_path, **{key: value for key, value in keys.items() if value})).served == ()
        assert ("POST", "/api/chat") not in server.requests  # nothing changed: no model is loaded for it


@pytest.mark.parametrize(
    ("env", "template", "runs"), [("1", GO, "the TEMPLATE"), ("0", "go wins", "the Jinja template")]
)
def test_a_server_that_runs_another_template_is_told(tmp_path: Path, env: str, template: str, runs: str) -> None:
    tools = "{{ .Tools }}{{ .ToolCalls }}{{ .Thinking }}{{ .Suffix }}" if template != GO else ""
    with FakeOllama(tmp_path / "models", go_template_env=env) as server:
        made = planned(OllamaStore(server.url), tmp_path, template=GO + "{{ range .Messages }}" + tools + "{{ end }}")
        with pytest.raises(VerificationFailed, match=rf"{runs}.* runs, planned was") as caught:
            apply(made)
    assert "OLLAMA_GO_TEMPLATE" in caught.value.hint


def test_what_a_server_shows_of_the_base_is_planned_with(tmp_path: Path) -> None:
    recipe = {"name": "r", "from": "base", "create": "child", "system": "be terse"}
    with FakeOllama(tmp_path / "models", go_template_env="1") as server:
        store = OllamaStore(server.url)
        server.store.create("base", planned(store, tmp_path, template=GO).request)
        made = plan(parse_recipe(json.dumps(recipe)).resolve({}), store)
        assert made.after.effective.source == "go"
        assert "OLLAMA_GO_TEMPLATE" in made.after.effective.reason
        (said,) = apply(made).served
        assert said.startswith("the server itself makes the planned prompts")
        notes = explain_model("base", store).notes
        assert any("the server shows the TEMPLATE as what runs, our rules say jinja" in note for note in notes)


def test_edits_may_let_another_template_run_than_that_of_the_base(tmp_path: Path) -> None:
    both = GO + "{{ range .Messages }}{{ .Tools }}{{ .ToolCalls }}{{ .Thinking }}{{ .Suffix }}{{ end }}"
    recipe = {"name": "r", "from": "base", "create": "child", "template": GO}
    with FakeOllama(tmp_path / "models") as server:
        store = OllamaStore(server.url)
        server.store.create("base", planned(store, tmp_path, template=both).request)
        assert explain_model("base", store).effective.source == "go"
        assert plan(parse_recipe(json.dumps(recipe)).resolve({}), store).after.effective.source == "jinja"


def test_a_capability_that_the_server_lacks_is_told(tmp_path: Path) -> None:
    with FakeOllama(tmp_path / "models") as server:
        store = OllamaStore(server.url)
        made = planned(store, tmp_path)
        apply(made)
        answer = {"template": JINJA, "capabilities": ["completion"], "details": {"family": "llama"}, "modelfile": ""}
        server.faults["/api/show"] = Fault.raw(json.dumps(answer), status=200)
        with pytest.raises(VerificationFailed, match=r"says of made.* can completion, planned was thinking, tools too"):
            apply(planned(store, tmp_path))


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault.raw('{"error": "model requires more system memory"}', status=500), "not compared: .*more system memory"),
        (Fault.raw('{"message": {"content": "hi"}}', status=200), "does not tell its prompts"),
    ],
)
def test_a_server_that_cannot_tell_is_no_failure(tmp_path: Path, fault: Fault, told: str) -> None:
    with FakeOllama(tmp_path / "models") as server:
        server.faults["/api/chat"] = fault
        (said,) = apply(planned(OllamaStore(server.url), tmp_path)).served
    assert re.search(told, said)


def test_another_prompt_is_told(tmp_path: Path) -> None:
    with FakeOllama(tmp_path / "models") as server:
        server.faults["/api/chat"] = Fault.raw('{"_debug_info": {"rendered_template": "other"}}', status=200)
        with pytest.raises(VerificationFailed, match=r"makes another prompt of made.*'other', planned was"):
            apply(planned(OllamaStore(server.url), tmp_path))


def test_a_plan_for_another_ollama_and_a_folder_are_not_compared(tmp_path: Path) -> None:
    with FakeOllama(tmp_path / "models", version="0.33.0") as server:
        store = OllamaStore(server.url)
        recipe = planned(store, tmp_path).recipe
        (said,) = apply(plan(recipe, store, version="0.20.0")).served
    assert said.startswith("planned for Ollama 0.20.0, and http")
    assert apply(plan(recipe, LocalStore(tmp_path / "folder"))).served == ()
