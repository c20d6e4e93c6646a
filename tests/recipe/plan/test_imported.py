"""What Ollama makes of a GGUF is planned, stored and linted alike, for every architecture that brings something along."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from modelsmith.lint.document import Document
from modelsmith.lint.templates.effective import names
from modelsmith.recipe.plan.apply import apply
from modelsmith.recipe.plan.plan import Plan, plan
from modelsmith.recipe.read.load import parse_recipe
from modelsmith.store.local.local import LocalStore
from modelsmith.store.surroundings import look_around
from modelsmith.syntax.modelfile.modelfile import Modelfile
from modelsmith.template.effective.imported import ARCHITECTURE_DEFAULTS, imported
from modelsmith.template.effective.named import named_templates
from modelsmith.weights.gguf.sample import write_sample

CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
FAR = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}" + "assistant: " * 30
ARCHITECTURES = [*ARCHITECTURE_DEFAULTS, "llama"]
GIVEN = ["", "RENDERER qwen3-coder\n", "PARSER qwen3-coder\n", "RENDERER qwen3-coder\nPARSER qwen3-coder\n"]


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def planned(store: LocalStore, base: object, **keys: Any) -> Plan:
    text = json.dumps({"name": "r", "from": str(base), "create": "made", **keys})
    return plan(parse_recipe(text).resolve({}), store, folder=Path())


@pytest.mark.parametrize(("jinja", "given"), [(None, ""), (FAR, ""), *((CHATML, given) for given in GIVEN)])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_recipe_applies_to_every_architecture(
    store: LocalStore, tmp_path: Path, architecture: str, jinja: str | None, given: str
) -> None:
    gguf = write_sample(tmp_path / "m.gguf", architecture=architecture, chat_template=jinja)
    modelfile = tmp_path / "Modelfile"
    modelfile.write_text(f"FROM {gguf}\n{given}")
    made = planned(store, modelfile, parameters={"num_ctx": 2048})
    model = apply(made).model
    assert (model.renderer, model.parser) == (made.after.renderer, made.after.parser)
    assert (model.template, model.parameters) == (made.after.template_text, made.after.parameters)
    assert not planned(store, modelfile, parameters={"num_ctx": 2048}).changes
    around = look_around(Modelfile.parse(modelfile.read_bytes()), tmp_path)
    linted = Document.parse(modelfile.read_bytes(), surroundings=around)
    assert names(linted) == (model.renderer, model.parser)


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_stored_model_without_names_gets_them_when_it_is_a_base(
    store: LocalStore, tmp_path: Path, architecture: str, given: str
) -> None:
    gguf = write_sample(tmp_path / "m.gguf", architecture=architecture, chat_template=CHATML)
    (tmp_path / "First").write_text(f"FROM {gguf}\n{given}PARAMETER stop X\n")
    apply(planned(store, tmp_path / "First", create="first"))
    assert apply(planned(store, "first", system="s")).changed
    # The weights become a file of their own: the built-in template is looked for anew.
    assert apply(planned(store, "first", gguf={"set": {"general.name": "other"}}, create="edited")).changed


def test_an_edited_chat_template_brings_its_template_along(store: LocalStore, tmp_path: Path) -> None:
    gguf = write_sample(tmp_path / "m.gguf", chat_template=FAR)
    made = planned(store, gguf, gguf={"set": {"tokenizer.chat_template": CHATML}})
    assert made.after.inherited.detected == "chatml"
    assert apply(made).model.parameters == {"stop": ["<|im_start|>", "<|im_end|>"]}
    stored = planned(
        store, planned_base(store, gguf), gguf={"set": {"tokenizer.chat_template": CHATML}}, create="other"
    )
    model = apply(stored).model
    assert model.template == named_templates()["chatml"].template
    assert model.parameters == {"stop": ["<|im_start|>", "<|im_end|>"]}


def planned_base(store: LocalStore, gguf: Path) -> str:
    apply(planned(store, gguf, create="plain"))
    return "plain"


@pytest.mark.parametrize("architecture", ARCHITECTURE_DEFAULTS)
def test_names_that_are_given_are_kept(architecture: str) -> None:
    defaults = ARCHITECTURE_DEFAULTS[architecture]
    assert imported(architecture, None) == imported(architecture, "")
    alone = imported(architecture, CHATML)
    assert (alone.renderer, alone.parser, alone.stop) == (defaults.renderer, defaults.parser, defaults.stop)
    assert alone.named == named_templates()["chatml"]
    half = imported(architecture, None, renderer="mine")
    assert (half.renderer, half.parser, half.stop) == ("mine", defaults.parser, defaults.stop)
    both = imported(architecture, None, renderer="mine", parser="mine")
    assert (both.renderer, both.parser, both.parameters) == ("mine", "mine", {})


def test_the_stop_of_an_architecture_hides_that_of_a_template() -> None:
    assert imported("gemma4", CHATML).parameters == {"stop": ["<turn|>"]}
    assert imported("llama", CHATML).parameters == {"stop": ["<|im_start|>", "<|im_end|>"]}
    assert imported("llama", FAR).parameters == {}
