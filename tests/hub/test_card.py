from __future__ import annotations

import pytest
from ruamel.yaml import YAML

from modelsmith.hub.card import CardFacts, base_of, model_card

FACTS = CardFacts("A | model", "org/repo", (("m-Q4_K_M.gguf", 1234567, "ab" * 32),), "Q4_K_M", license="apache-2.0")


def head(card: str) -> dict[str, object]:
    _, text, _ = card.split("---\n", 2)
    found = YAML(typ="safe").load(text)
    assert isinstance(found, dict)
    return found


def test_the_head_is_yaml_that_the_hub_understands() -> None:
    facts = CardFacts("x", "o/r", (), "Q4_K_M", base_model="a/b", license="mit", languages=["en", "de"])
    assert head(model_card(facts)) == {
        "license": "mit",
        "base_model": "a/b",
        "base_model_relation": "quantized",
        "language": ["en", "de"],
        "tags": ["gguf", "modelsmith"],
        "pipeline_tag": "text-generation",
    }
    assert "base_model_relation" not in head(model_card(CardFacts("x", "o/r", (), "F16", base_model="a/b")))


def test_the_real_client_reads_the_head() -> None:
    from huggingface_hub import ModelCard

    card = ModelCard(model_card(FACTS))
    assert card.data.license == "apache-2.0"
    assert card.data.tags == ["gguf", "modelsmith"]


def test_hostile_texts_stay_where_they_are() -> None:
    text = "```\n---\nlicense: mit\n---\n````"
    card = model_card(
        CardFacts("a\n# b | c", "o/r", (), license='x"\nbase_model: y', recipe=text, settings={"a|b": "c\nd"})
    )
    assert head(card)["license"] == 'x"\nbase_model: y'
    assert "# a # b \\| c\n" in card
    assert f"`````yaml\n{text}\n`````" in card
    assert '| `a\\|b` | `"c\\nd"` |' in card


@pytest.mark.parametrize(
    ("text", "repo"),
    [
        ("hf://a/b@main:Q4_K_M", "a/b"),
        ("https://huggingface.co/a/b", "a/b"),
        ("hf.co/a/b:Q8_0", "a/b"),
        ("./m.gguf", ""),
        ("${base}", ""),
        ("llama3.2", ""),
    ],
)
def test_the_base_is_found_in_what_names_it(text: str, repo: str) -> None:
    assert base_of(text) == repo
