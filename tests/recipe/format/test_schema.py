"""The models, and the JSON Schema that is made from them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from modelsmith.parameters import PARAMETERS
from modelsmith.recipe.format.expectations import PromptEndsWith
from modelsmith.recipe.format.jsonschema import recipe_schema
from modelsmith.recipe.format.schema import Document, Step
from modelsmith.recipe.parts.fields import EXPECTED, Part
from modelsmith.recipe.read.load import Recipe, parse_recipe
from modelsmith.recipe.steps import STEPS

SCHEMA = recipe_schema()
RECIPE = """\
name: case
from: llama3.2
template: [{inject: {text: x}}, {make-effective: }]
parameters: {stop: [a]}
create: made
expect: [{prompt-ends-with: x}, {history-unchanged: true}]
"""


def schemas(node: Any = None) -> Iterator[dict[str, Any]]:
    node = SCHEMA if node is None else node
    if isinstance(node, dict):
        yield node
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        if isinstance(item, dict | list):
            yield from schemas(item)


def test_a_recipe_is_a_value() -> None:
    one, other = (parse_recipe(RECIPE).resolve(environment={}) for _ in range(2))
    assert isinstance(one, Recipe)
    assert one == other
    with pytest.raises(ValidationError, match="frozen"):
        one.system = "x"
    assert one.template == (
        Step("inject", STEPS["inject"].Options(text="x")),
        Step("make-effective", STEPS["make-effective"].Options()),
    )
    assert isinstance(one.expect[0], PromptEndsWith)
    assert one.parameters == {"stop": ("a",)}


def test_a_recipe_can_be_loaded_in_one_go() -> None:
    recipe = Recipe.load("long-context", {"base": "qwen3:8b", "num_ctx": 8192})
    assert (recipe.from_, recipe.create, recipe.parameters) == ("qwen3:8b", "qwen3-8b-8192", {"num_ctx": 8192})


def test_a_dump_reads_like_the_recipe() -> None:
    recipe = parse_recipe(RECIPE).resolve(environment={})
    assert recipe.model_dump(mode="json", exclude_unset=True) == {
        "name": "case",
        "from": "llama3.2",
        "template": [{"inject": {"text": "x"}}, {"make-effective": {}}],
        "parameters": {"stop": ["a"]},
        "create": "made",
        "expect": [{"prompt-ends-with": "x", "when": "always"}, {"history-unchanged": True}],
        "inputs": {},
    }


@pytest.mark.parametrize("kind", STEPS)
def test_every_step_kind_is_documented(kind: str) -> None:
    module = STEPS[kind]
    assert issubclass(module.Options, Part)
    assert module.Options.__doc__
    assert kind == module.__name__.rpartition(".")[2].replace("_", "-")
    assert callable(module.edit)


def test_every_key_has_a_title_and_a_description() -> None:
    for schema in (SCHEMA, *SCHEMA["$defs"].values()):
        assert schema["title"]
        assert schema["description"]
        for key, value in schema["properties"].items():
            assert value.get("title") or "$ref" in value, key
            assert value.get("description") or "$ref" in value, key


def test_every_reference_leads_somewhere() -> None:
    references = [schema["$ref"] for schema in schemas() if "$ref" in schema]
    assert references
    assert {reference.removeprefix("#/$defs/") for reference in references} == set(SCHEMA["$defs"])


def test_unknown_keys_are_errors_everywhere() -> None:
    for schema in schemas():
        if schema.get("type") == "object" and "patternProperties" not in schema:
            assert schema["additionalProperties"] is False or schema.get("propertyNames"), schema


def test_the_schema_knows_every_key_that_the_models_know() -> None:
    keys = [field.alias for field in Document.model_fields.values()]
    assert sorted(SCHEMA["properties"]) == sorted(filter(None, keys))
    assert set(STEPS) <= set(SCHEMA["$defs"])
    assert list(SCHEMA["$defs"]["ParametersAre"]["properties"]["parameters"]["properties"]) == list(PARAMETERS)


def test_keys_may_hold_references_but_for_those_of_the_head() -> None:
    def takes_reference(schema: dict[str, Any]) -> bool:
        return any(one.get("pattern") == r"\$\{" for one in schemas(schema))

    assert takes_reference(SCHEMA["$defs"]["inject"]["properties"]["when"])
    assert takes_reference(SCHEMA["properties"]["requires"])
    assert not takes_reference(SCHEMA["$defs"]["Input"])
    assert not takes_reference(SCHEMA["properties"]["name"])


def test_a_recipe_that_extends_another_may_leave_keys_out() -> None:
    assert SCHEMA["anyOf"] == [{"required": ["name", "from", "create"]}, {"required": ["extends"]}]


def test_patterns_have_words_for_their_errors() -> None:
    patterns = {schema["pattern"] for schema in schemas() if "pattern" in schema and isinstance(schema["pattern"], str)}
    patterns |= {key for schema in schemas() for key in schema.get("patternProperties", ())}
    assert patterns - {r"\$\{"} == set(EXPECTED)
