r"""Edits that change nothing are told, and fail ``plan --check``; so is a line break typed as a backslash and an n."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from modelsmith.cli import run
from modelsmith.recipe.plan.apply import apply
from modelsmith.recipe.plan.plan import Plan, plan
from modelsmith.recipe.read.load import load_recipe, parse_recipe
from modelsmith.store.local.local import LocalStore
from modelsmith.weights.gguf.sample import write_sample

GO = "{{ range .Messages }}[{{ .Role }}]{{ .Content }}{{ end }}[assistant]"
JINJA = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% if m.reasoning_content %}<think>\n{{ m.reasoning_content }}\n"
    "</think>\n{% endif %}{% endfor %}{% if tools %}{{ tools }}{% endif %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
INJECT = {"inject": {"text": "<think>\n", "when": "thinking"}}


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def model(folder: Path, said: str = "", jinja: str | None = JINJA) -> Path:
    write_sample(folder / "m.gguf", chat_template=jinja)
    (folder / "Modelfile").write_text(f"FROM {folder / 'm.gguf'}\n{said}")
    return folder / "Modelfile"


def planned(store: LocalStore, base: object, **keys: Any) -> Plan:
    recipe = json.dumps({"name": "r", "from": str(base), "create": "made", **keys})
    return plan(parse_recipe(recipe).resolve({}), store)


@pytest.mark.parametrize(
    ("said", "keys", "told"),
    [
        (f"TEMPLATE {GO}\n", {"template": [INJECT]}, "Jinja template inside the GGUF runs.*make-effective"),
        ("", {"template": [INJECT]}, "Jinja template inside the GGUF runs.*make-effective"),
        ("", {"template": GO}, "Jinja template inside the GGUF runs"),
        (f"TEMPLATE {GO}\nRENDERER qwen3.5\n", {"template": [INJECT]}, "RENDERER qwen3.5 builds the prompts"),
    ],
)
def test_edits_of_a_template_that_does_not_run(
    store: LocalStore, tmp_path: Path, said: str, keys: dict[str, Any], told: str
) -> None:
    made = planned(store, model(tmp_path, said), **keys)
    (found,) = made.without_effect
    assert found.startswith("the edits of the template have no effect: ")
    assert re.search(told, found)
    assert found in made.warnings
    apply(made)
    assert planned(store, tmp_path / "Modelfile", **keys).without_effect  # applied, and still without


@pytest.mark.parametrize("jinja", [JINJA, None])
@pytest.mark.parametrize("said", ["", f"TEMPLATE {GO}\n"])
def test_edits_that_count_are_not_told(store: LocalStore, tmp_path: Path, said: str, jinja: str | None) -> None:
    if not (said or jinja):
        return
    made = planned(store, model(tmp_path, said, jinja), template=[INJECT, {"make-effective": {}}])
    assert not made.without_effect
    apply(made)
    again = planned(store, "made", template=[INJECT, {"make-effective": {}}], create="again")
    assert not again.without_effect  # it is there already
    forced = load_recipe("force-think").resolve({"base": "sample:deepseek-r1", "name": "forced"})
    assert not plan(forced, store).without_effect


def test_what_ollama_cannot_remove_is_told(store: LocalStore, tmp_path: Path) -> None:
    base = model(tmp_path, "SYSTEM terse\nPARAMETER stop X\n")
    assert not planned(store, base, parameters={"stop": None}).without_effect
    apply(planned(store, base, create="base"))
    (parameters,) = planned(store, "base", parameters={"stop": None}).without_effect
    assert parameters.startswith("parameters: stop: null has no effect: stop comes along with FROM")


UNSEEN = '{{ range .Messages }}{{ if eq .Role "user" }}[user]{{ .Content }}{{ end }}{{ end }}[assistant]'
LAST = "[user]{{ .Prompt }}[assistant]{{ .Response }}"
CHAT = [{"role": "system", "content": "hi"}, {"role": "assistant", "content": "ho"}]


@pytest.mark.parametrize(
    ("template", "keys", "told"),
    [
        (UNSEEN, {"system": "terse"}, ["system has no effect: the template that runs never shows"]),
        (UNSEEN, {"messages": CHAT}, ["messages: 0 (system), 1 (assistant) has no effect"]),
        (LAST, {"messages": CHAT}, ["messages: 0 (system) has no effect"]),
        (GO, {"messages": CHAT}, []),
        (GO, {"system": "terse"}, []),
    ],
)
def test_what_the_template_never_shows(
    store: LocalStore, tmp_path: Path, template: str, keys: dict[str, Any], told: list[str]
) -> None:
    made = planned(store, model(tmp_path, f"TEMPLATE {template}\n", jinja=None), **keys)
    assert [text[: len(part)] for text, part in zip(made.without_effect, told, strict=True)] == told
    assert len([text for text in made.warnings if "never shows" in text]) == len(told)


def test_a_jinja_template_shows_a_system_prompt_in_some_way(store: LocalStore, tmp_path: Path) -> None:
    deaf = "{% for m in messages %}{% if m.role == 'user' %}<user>{{ m.content }}{% endif %}{% endfor %}<assistant>"
    assert not planned(store, model(tmp_path, jinja=deaf), system="terse").without_effect


def test_check_fails_where_edits_have_no_effect(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    base = model(tmp_path, f"TEMPLATE {GO}\n")
    Path("r.yaml").write_text(json.dumps({"name": "r", "from": str(base), "create": "made", "template": [INJECT]}))
    assert run(["apply", "r.yaml", "--store", "store"]) == 0
    capsys.readouterr()
    assert run(["plan", "r.yaml", "--store", "store"]) == 0
    assert run(["plan", "r.yaml", "--store", "store", "--check"]) == 1
    assert "warning: the edits of the template have no effect" in capsys.readouterr().out


TYPED = r"""name: r
from: sample:deepseek-r1
template:
  - inject:
      text: <think>\n
  - inject: {text: "<think>\n", at: start}
  - inject: {text: "\\n", at: start}
system: 'be\tterse'
parameters:
  stop: ['\nUser:', "\nUser:"]
messages:
  - {role: user, content: a \n b}
create: made
"""


def test_line_breaks_that_were_typed_are_told(store: LocalStore) -> None:
    recipe = parse_recipe(TYPED, name="r.yaml")
    found = [
        (recipe.sources[0].position(each.span.start), each.message.partition(" has ")[0]) for each in recipe.warnings
    ]
    assert found == [
        ((5, 13), "text"),
        ((8, 9), "system"),
        ((10, 10), "stop"),
        ((12, 27), "content"),
    ]
    assert all(each.severity == "warning" for each in recipe.warnings)
    told = [each for each in plan(recipe.resolve({}), store).warnings if each.startswith("r.yaml:")]
    assert told[0] == (
        'r.yaml:5:13: text has a backslash and the letter n, not a line break; in double quotes it is one: "<think>\\n"'
    )
    assert len(told) == 4


def test_a_value_of_an_input_is_told_too(store: LocalStore) -> None:
    text = 'name: r\nfrom: sample:deepseek-r1\ninputs: {open: {type: text}}\ntemplate: [{inject: {text: "${open}"}}]\ncreate: m\n'
    recipe = parse_recipe(text, name="r.yaml")
    assert not recipe.warnings
    assert plan(recipe.resolve({"open": "<think>\n"}), store).recipe.warnings == ()
    (told,) = plan(recipe.resolve({"open": r"<think>\n"}), store).recipe.warnings
    assert told.startswith("r.yaml:4:")


def test_lint_of_a_recipe_warns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "r.yaml").write_text(TYPED)
    run(["lint", str(tmp_path / "r.yaml")])
    told = capsys.readouterr().out
    assert "text has a backslash and the letter n, not a line break" in told
    assert told.count("typed-line-break") == 4
