"""What the page is answered: every kind of request, over the examples, and over what nobody should send."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from modelsmith.playground.bridge import answer
from modelsmith.playground.examples import examples
from modelsmith.playground.given import MOST_TEXT
from modelsmith.playground.units import Units
from modelsmith.template.conversation.named import NAMED
from modelsmith.weights.gguf.sample import write_sample

R1, MISTAKES, CHATML, QWEN, R1_JINJA = examples()


def ask(do: str, **request: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer(json.dumps({"do": do, **request})))
    return found


def given(example: dict[str, str]) -> dict[str, str]:
    return {key: example[key] for key in ("kind", "text", "beside")}


def test_about_has_what_the_page_offers() -> None:
    about = ask("about")
    assert about["ollama"][0] == "0.33.0"
    assert about["ollama"][-1] == "0.8.0"
    assert [each["name"] for each in about["conversations"]] == [*NAMED]
    assert {each["kind"] for each in about["examples"]} == {"modelfile", "go", "jinja"}


@pytest.mark.parametrize("example", examples(), ids=[each["title"] for each in examples()])
def test_every_example_is_checked_and_rendered(example: dict[str, str]) -> None:
    assert ask("check", **given(example))["ok"]
    assert ask("prompt", **given(example), talk={"name": "system-turns"})["ok"]


def test_findings_have_places_in_units_of_javascript() -> None:
    text = "# 🚀🚀\nFROM llama3.2 # 🚀 small\nPARAMETER temprature 0.6\n"
    found = ask("check", kind="modelfile", text=text)
    units = text.encode("utf-16-le")
    typo = next(each for each in found["findings"] if each["code"] == "MS201")
    assert units[2 * typo["start"] : 2 * typo["end"]].decode("utf-16-le") == "temprature"
    assert (typo["line"], typo["severity"]) == (3, "error")
    assert typo["why"]
    (edit,) = typo["fix"]["edits"]
    assert units[2 * edit[0] : 2 * edit[1]].decode("utf-16-le") == "temprature"
    assert found["counts"]["error"] == 1
    assert any(kind == "keyword" for _, _, kind in found["colours"])


def test_a_jinja_template_has_colours_whole_or_half_written() -> None:
    for text in ("{% if 🚀 %}{{ m.role }}", "🚀{% if x %}{{ m.role"):
        found = ask("check", kind="jinja", text=text)
        units = text.encode("utf-16-le")
        words = {(units[2 * start : 2 * end].decode("utf-16-le"), kind) for start, end, kind in found["colours"]}
        assert {("if", "keyword"), ("role", "property")} <= words


def test_units_count_what_takes_two() -> None:
    units = Units("a🚀b🚀")
    assert [units.at(place) for place in range(5)] == [0, 1, 3, 4, 6]


def test_mend_applies_every_safe_fix() -> None:
    mended = ask("mend", **given(MISTAKES))
    assert mended["fixed"] == ["MS104"]
    assert "FROM llama3.2\n" in mended["text"]
    assert "temprature" in mended["text"]
    assert "temprature" not in ask("mend", **given(MISTAKES), unsafe=True)["text"]


def test_a_prompt_in_pieces_is_the_prompt() -> None:
    found = ask("prompt", **given(R1_JINJA), talk={"name": "system-turns"}, think="unset")
    assert "".join(text for text, _ in found["pieces"]).endswith("<｜Assistant｜>")
    assert ["<｜User｜>", True] in found["pieces"]
    assert found["engine"] == "jinja"


def test_a_conversation_of_ones_own() -> None:
    said = ask("prompt", **given(CHATML), talk={"text": "hello <b>"})
    assert "hello <b>" in "".join(text for text, _ in said["pieces"])
    listed = ask("prompt", **given(CHATML), talk={"text": '[{"role": "user", "content": "ahoy"}]'})
    assert "ahoy" in "".join(text for text, _ in listed["pieces"])
    for text in ('{"messages": 1}', "{", "[1]", "[" * 100_000):
        refused = ask("prompt", **given(CHATML), talk={"text": text})
        assert not refused["ok"]
        assert refused["error"]["message"]


def test_which_template_runs_changes_with_the_version() -> None:
    new, old = (ask("runs", **given(R1), version=version) for version in ("0.33.0", "0.12.0"))
    assert (new["source"], old["source"]) == ("jinja", "go")
    assert "not used" in new["reason"]
    assert [row["is_target"] for row in new["versions"]].count(True) == 1
    assert [row["think"] for row in new["thinks"]] == ["unset", "true", "false"]


def test_force_think_is_proven_on_both_templates() -> None:
    found = ask("think", **given(R1))
    assert found["holds"]
    assert all(each["holds"] for each in found["promises"])
    modelfile, jinja = found["texts"]
    assert modelfile["after"].endswith("PARAMETER top_p 0.95\n")
    assert "<think>" in jinja["after"]
    for text, before in ((modelfile, R1["text"]), (jinja, R1["beside"])):
        assert "".join(piece for change, piece in text["pieces"] if change != "added") == before
        assert "".join(piece for change, piece in text["pieces"] if change != "removed") == text["after"]
    again = ask("think", kind="modelfile", text=modelfile["after"], beside=jinja["after"])
    assert again["holds"]
    assert all(text["same"] for text in again["texts"])


def test_force_think_says_why_it_cannot() -> None:
    refused = ask("think", kind="modelfile", text="FROM llama3.2\n")
    assert not refused["ok"]
    assert refused["error"]["hint"]


def test_conversion_goes_both_ways() -> None:
    to_go = ask("convert", **given(QWEN))
    assert (to_go["to"], to_go["from_text"]) == ("go", QWEN["text"])
    assert "{{" in to_go["text"]
    back = ask("convert", **given(CHATML))
    assert back["to"] == "jinja"
    assert back["covered"] > 0


def test_a_modelfile_alone_says_what_it_does_not_know() -> None:
    for do in ("runs", "prompt"):
        refused = ask(do, kind="modelfile", text="FROM llama3.2\n", talk={"name": "user"})
        assert "llama3.2" in refused["error"]["message"]
    with_jinja = ask("runs", kind="modelfile", text="FROM ./x.gguf\n", beside=R1_JINJA["text"])
    assert with_jinja["source"] == "jinja"


def test_an_opened_gguf_is_the_base(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    write_sample(path, chat_template=R1_JINJA["text"])
    header = ask("header", weights=str(path))
    assert header["architecture"] == "llama"
    assert header["special"]["eos"] == "<｜end▁of▁sentence｜>"
    assert "add_generation_prompt" in header["chat_template"]
    request = {"kind": "modelfile", "text": "FROM ./m.gguf\nPARAMETER num_ctx 999999999\n", "weights": str(path)}
    assert any(each["code"] == "MS204" for each in ask("check", **request)["findings"])
    prompt = ask("prompt", **request, talk={"name": "turns"})
    assert ["<｜User｜>", True] in prompt["pieces"]
    runs = ask("runs", **request)
    assert [each["text"] for each in runs["stops"]["tokens"]] == ["<｜end▁of▁sentence｜>"]
    assert ask("think", **request)["holds"]


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(b"GGUF" + b"\xff" * 60)
    for do in ("header", "check", "prompt"):
        refused = ask(do, kind="modelfile", text="FROM ./x.gguf\n", weights=str(path), talk={"name": "user"})
        assert not refused["ok"]
        assert "Traceback" not in refused["error"]["message"]


@pytest.mark.parametrize(
    "request_text",
    [
        "",
        "null",
        "[]",
        '"check"',
        "{}",
        '{"do": "nosuch"}',
        '{"do": ["check"]}',
        '{"do": "check"}',
        '{"do": "check", "kind": "exe", "text": ""}',
        '{"do": "check", "kind": "go", "text": 1}',
        '{"do": "check", "kind": "go", "text": "", "version": "x"}',
        '{"do": "prompt", "kind": "go", "text": "", "think": "maybe", "talk": {"name": "user"}}',
        '{"do": "prompt", "kind": "go", "text": "", "talk": {"name": "nosuch"}}',
        '{"do": "prompt", "kind": "go", "text": "", "talk": 3}',
        '{"do": "header"}',
        "[" * 200_000,
    ],
)
def test_what_nobody_should_send_is_refused_in_words(request_text: str) -> None:
    refused = json.loads(answer(request_text))
    assert refused["ok"] is False
    assert refused["error"]["message"]
    assert "bug" not in refused["error"]["hint"]


def test_templates_that_never_end_are_stopped() -> None:
    loops = "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}x{% endfor %}{% endfor %}{% endfor %}"
    for do in ("check", "prompt", "runs"):
        refused = ask(do, kind="jinja", text=loops, talk={"name": "user"})
        said = json.dumps(refused)
        assert not refused["ok"] or refused["findings"], said
    go = "{{ range .Messages }}" * 40 + "x" + "{{ end }}" * 40
    assert ask("check", kind="go", text=go)["ok"] in {True, False}


def test_a_long_text_is_answered_or_refused() -> None:
    assert "characters" in ask("check", kind="go", text="x" * (MOST_TEXT + 1))["error"]["message"]
    found = ask("check", kind="modelfile", text="FROM a\n" + "PARAMETER temprature 1\n" * 2_000)
    assert found["count"] >= 2_000
    assert len(found["findings"]) == 200
