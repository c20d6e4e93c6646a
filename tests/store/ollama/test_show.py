"""Reading what a server shows: exact where the answer is exact."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.show import printed, said_of, shown
from hypothesis import given
from hypothesis import strategies as st
from shared import conformance, needs_shared

from modelsmith.manifest import Digest
from modelsmith.name import ModelName
from modelsmith.store.model import StoredModel
from modelsmith.store.ollama.show import DEFAULT_TEMPLATE

DIGEST = Digest.of(b"weights")
PLAIN = StoredModel(
    name=ModelName.parse("m"),
    digest="",
    template="{{ .System }} {{ .Prompt }}",
    chat_template=None,
    chat_template_known=True,
    system="",
    parameters={},
    messages=(),
    licenses=(),
    noted={},
    family="llama",
    capabilities=frozenset({"completion"}),
    weights=Path("/models/blobs") / DIGEST.file_name,
    weights_digest=DIGEST,
    size=0,
)
MULTI_BRANCH = "{{ if .Messages }}{{ range .Messages }}\nSYSTEM {{ .Content }}\n{{ end }}{{ end }}"


def assert_read(model: StoredModel) -> None:
    answer = said_of(shown(model, hides_files=True))
    for key in ("template", "system", "parameters", "messages", "renderer", "parser", "requires", "family"):
        assert getattr(answer, key) == getattr(model, key), key
    assert "\n".join(answer.licenses) == "\n".join(model.licenses)
    assert answer.capabilities == model.capabilities
    assert answer.weights_path == f"/srv/elsewhere/blobs/{DIGEST.file_name}"
    assert [digest for _, digest in answer.digests] == [DIGEST]


def test_a_plain_model() -> None:
    assert_read(PLAIN)


@pytest.mark.parametrize(
    "change",
    [
        {"template": None},
        {"template": MULTI_BRANCH},
        {"template": '\n{{ .Prompt }} """\n'},
        {"template": '"{{ .Prompt }}'},
        {"template": "\u200d{{ .Prompt }}\u00a0"},
        {"system": "You are terse."},
        {"system": '"quoted'},
        {"system": 'a "b"\n"""\nLICENSE x\n'},
        {"system": "\ttab and \u200b nothing\r"},
        {"parameters": {"num_ctx": 1_000_000, "seed": -1, "temperature": 0.6, "top_p": 1, "use_mmap": True}},
        {"parameters": {"min_p": 1e-7, "num_predict": 123_456_789, "repeat_penalty": 16777216}},
        {"parameters": {"stop": ['"', '"hi" there', "\n", "\t", "<|im_end|>", "\u2028", "\\n", "é\U0001f600\x07"]}},
        {"parameters": {"stop": ["one"]}},
        {"licenses": ("MIT", "Apache")},
        {"licenses": ('"MIT',)},
        {"licenses": ("\nMIT\n", "MESSAGE user x")},
        {"messages": ({"role": "user", "content": "hi"}, {"role": "tool", "content": 'no "such" role\nhere'})},
        {"messages": ({"role": "user", "content": "a: b"}, {"role": "assistant", "content": ""})},
        {"noted": {"renderer": "qwen3-coder", "parser": "qwen3-coder", "requires": "0.14.0"}, "system": '"'},
    ],
)
def test_odd_values(change: dict[str, Any]) -> None:
    assert_read(replace(PLAIN, **change))


def test_licenses_stay_apart() -> None:
    answer = said_of(shown(replace(PLAIN, licenses=("\nMIT\n", "Apache")), hides_files=True))
    assert answer.licenses == ("\nMIT\n", "Apache")


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12) | st.text('a"\n\t {}MESGUR', max_size=8)


@given(texts, texts, st.lists(texts, min_size=1, max_size=3), st.lists(texts.filter(str.strip), max_size=3), texts)
def test_no_value_confuses_another(
    template: str, system: str, stop: list[str], licenses: list[str], content: str
) -> None:
    model = replace(
        PLAIN,
        template=template or None,
        system=system,
        parameters={"stop": stop},
        licenses=tuple(licenses),
        messages=({"role": "user", "content": content},),
    )
    answer = said_of(shown(model, hides_files=True))
    assert answer.system == system
    assert answer.parameters == {"stop": stop}
    assert answer.messages == model.messages
    assert "\n".join(answer.licenses) == "\n".join(licenses)
    if template:
        assert answer.template == template


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53))
def test_numbers_survive(number: float) -> None:
    answer = said_of({"parameters": f"num_ctx                        {printed(number, sharp=True)}"})
    assert answer.parameters == {"num_ctx": number}


def test_jinja_that_runs_is_not_taken_for_a_go_template() -> None:
    body = shown(replace(PLAIN, licenses=("MIT",)), hides_files=True) | {
        "template": "{% for m in messages %}{% endfor %}"
    }
    answer = said_of(body)
    assert answer.template == PLAIN.template
    assert answer.chat_template == "{% for m in messages %}{% endfor %}"


def test_a_server_that_quotes_otherwise() -> None:
    body = {"modelfile": 'FROM /x\nTEMPLATE """{{ .Prompt }}!"""\nSYSTEM """s"""\n', "template": "{{ .Prompt }}!"}
    answer = said_of(body)
    assert (answer.template, answer.chat_template) == ("{{ .Prompt }}!", None)


@pytest.mark.parametrize("body", [{}, {"modelfile": None, "details": None, "messages": None, "capabilities": None}])
def test_an_answer_without_the_usual_keys(body: dict[str, Any]) -> None:
    answer = said_of(body)
    assert (answer.template, answer.system, answer.messages, answer.files) == (None, "", (), ())


def test_paths_of_other_systems() -> None:
    answer = said_of({"modelfile": f"FROM C:\\models\\blobs\\{DIGEST.file_name}\n"})
    assert answer.digests == (("model", DIGEST),)


@needs_shared
def test_recorded_answers() -> None:
    seen = 0
    for row in conformance("create.jsonl"):
        if not row.get("show"):
            continue
        answer = said_of(row["show"])
        blobs = {layer["mediaType"].rpartition(".")[2]: row["blobs"].get(layer["digest"]) for layer in manifest(row)}
        template = blobs.get("template")
        assert answer.template == (None if template == DEFAULT_TEMPLATE else template)
        assert answer.chat_template is None
        assert answer.system == (blobs.get("system") or "")
        assert answer.parameters == (json_of(blobs.get("params")) or {})
        assert list(answer.messages) == (json_of(blobs.get("messages")) or [])
        licenses = [row["blobs"][layer["digest"]] for layer in manifest(row) if layer["mediaType"].endswith("license")]
        assert list(answer.licenses) == licenses
        assert answer.weights_path
        seen += 1
    assert seen > 20


def manifest(row: dict[str, Any]) -> list[dict[str, Any]]:
    layers: list[dict[str, Any]] = json_of(row["manifest"])["layers"]
    return layers


def json_of(text: str | None) -> Any:
    return None if text is None else json.loads(text)
