"""What an import takes over from the makers of a model: their sampling as PARAMETERs, their Jinja template as TEMPLATE."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from checkpoints import FAMILIES, write_checkpoint

from modelsmith.errors import InvalidCheckpoint
from modelsmith.recipe.plan.apply import apply
from modelsmith.recipe.plan.plan import Plan, plan
from modelsmith.recipe.read.load import parse_recipe
from modelsmith.store.local.local import LocalStore
from modelsmith.weights.convert.convert import import_checkpoint

pytestmark = pytest.mark.usefixtures("one_command")  # several steps of one program

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
ADVICE = {
    "do_sample": True,
    "temperature": 0.6,
    "top_k": 20,
    "top_p": 0.95,
    "repetition_penalty": 1.05,
    "eos_token_id": 2,
}
WANTED = {"temperature": 0.6, "top_k": 20, "top_p": 0.95}


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def finetune(folder: Path, advice: Any = ADVICE, template: str = CHATML) -> Path:
    files = {"chat_template.jinja": template, "generation_config.json": json.dumps(advice)}
    return write_checkpoint(folder, replace(FAMILIES["qwen2"], files=files))


def planned(folder: Path, text: str, base: str = "./finetune") -> Plan:
    recipe = parse_recipe(f"name: tuned\nfrom: {base}\n{text}\ncreate: tuned\n", folder=folder).resolve({})
    return plan(recipe, LocalStore(folder / "models"), folder=folder)


def rounded(parameters: Any) -> dict[str, Any]:
    return {name: round(value, 6) for name, value in parameters.items() if name != "stop"}


def test_the_sampling_of_a_checkpoint_becomes_parameters(tmp_path: Path) -> None:
    finetune(tmp_path / "finetune")
    made = planned(tmp_path, "advised-parameters: true")
    assert rounded(made.after.parameters) == WANTED | {"repeat_penalty": 1.05}
    assert any("advised by the model's makers: temperature 0.6, top_k 20" in note for note in made.after.notes)
    model = apply(made).model
    assert model is not None
    assert rounded(model.parameters) == WANTED | {"repeat_penalty": 1.05}
    assert not planned(tmp_path, "advised-parameters: true").changes


def test_a_gguf_advises_what_its_header_says(tmp_path: Path) -> None:
    import_checkpoint(finetune(tmp_path / "finetune"), tmp_path / "m.gguf", "F16")
    made = planned(tmp_path, "advised-parameters: true", "./m.gguf")
    assert rounded(made.after.parameters) == WANTED
    assert "PARAMETER temperature 0.6\n" in str(made.after.modelfile)


def test_what_the_recipe_and_the_base_say_goes_before_it(tmp_path: Path) -> None:
    import_checkpoint(finetune(tmp_path / "finetune"), tmp_path / "m.gguf", "F16")
    (tmp_path / "Modelfile").write_text("FROM ./m.gguf\nPARAMETER top_p 0.5\n")
    made = planned(tmp_path, "advised-parameters: true\nparameters: {temperature: 0.1, top_k: null}", "./Modelfile")
    assert rounded(made.after.parameters) == {"temperature": 0.1, "top_p": 0.5}
    assert not planned(tmp_path, "system: x").after.parameters.get("temperature")


@pytest.mark.parametrize("advice", [{"do_sample": False, "temperature": 0.6}, {}, {"top_p": None}])
def test_where_nothing_is_advised_the_plan_says_so(tmp_path: Path, advice: Any) -> None:
    finetune(tmp_path / "finetune", advice)
    made = planned(tmp_path, "advised-parameters: true")
    assert not rounded(made.after.parameters)
    assert any("the model advises none" in note for note in made.after.notes)


@pytest.mark.parametrize("value", ["hot", True, [1], float("nan"), 1e999, {"a": 1}])
def test_what_is_no_number_is_told(tmp_path: Path, value: Any) -> None:
    finetune(tmp_path / "finetune", {"temperature": value})
    with pytest.raises(InvalidCheckpoint, match=r"generation_config.json: temperature is .* should be a number"):
        planned(tmp_path, "advised-parameters: true")


def test_a_count_is_whole(tmp_path: Path) -> None:
    finetune(tmp_path / "finetune", {"top_k": 20.0})
    assert planned(tmp_path, "advised-parameters: true").after.parameters["top_k"] == 20
    finetune(tmp_path / "finetune", {"top_k": 20.5})
    with pytest.raises(InvalidCheckpoint, match="should be a whole number"):
        planned(tmp_path, "advised-parameters: true")


def test_a_jinja_template_that_is_proven_equal_becomes_the_template(tmp_path: Path) -> None:
    finetune(tmp_path / "finetune")
    made = planned(tmp_path, "template: [convert-jinja: {}]")
    assert any("became the TEMPLATE: proven equal" in note for note in made.after.notes)
    assert made.after.chat_template is not None
    assert made.after.chat_template.text == CHATML
    model = apply(made).model
    assert model is not None
    assert model.template == made.after.template_text
    assert "<|im_start|>" in (model.template or "")


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{% for m in messages %}{{ m.content | title }}{% endfor %}", "no Go template could be written"),
        ("{{ messages | tojson | length }}", "no Go template could be written"),
    ],
)
def test_another_one_is_left_to_the_gguf(tmp_path: Path, template: str, reason: str) -> None:
    finetune(tmp_path / "finetune", template=template)
    made = planned(tmp_path, "template: [convert-jinja: {}]")
    assert made.after.template_text == made.before.template_text
    assert any("left to the GGUF" in note and reason in note for note in made.after.notes)


def test_a_template_of_the_base_stays(tmp_path: Path) -> None:
    import_checkpoint(finetune(tmp_path / "finetune"), tmp_path / "m.gguf", "F16")
    (tmp_path / "Modelfile").write_text("FROM ./m.gguf\nTEMPLATE {{ .Prompt }}\n")
    made = planned(tmp_path, "template: [convert-jinja: {}]", "./Modelfile")
    assert made.after.template_text == "{{ .Prompt }}"
    assert any("the base has a TEMPLATE of its own" in note for note in made.after.notes)
