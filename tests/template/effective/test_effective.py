from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared import corpus, needs_shared

from modelsmith.template.effective.effective import DEFAULT_TEMPLATE, effective_template
from modelsmith.template.go.template import Template
from modelsmith.template.jinja.template import ChatTemplate

PLAIN = "{{ range .Messages }}<{{ .Role }}>{{ .Content }}{{ end }}<assistant>"
THINKING = (
    "{{ range .Messages }}<{{ .Role }}>{{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}{{ .Content }}{{ end }}"
    '<assistant>{{ "<think>\\n" }}'
)
HARMONY = "<|start|>{{ .Prompt }}<|end|>"
R1 = (
    "{% for m in messages %}{{ tools }}{{ m['content'].split('</think>')[-1] }}{{ m['tool_calls'] }}{% endfor %}<think>"
)
BARE = "{{ messages }}"
LIVE_SUFFIX = "{{ if false }}{{ .Suffix }}{{ end }}"
LIVE_TOOLS = '{{ if false }}{{ .Tools }}{{ .ToolCalls }}{{ if eq .Role "tool" }}{{ end }}{{ end }}'


@pytest.mark.parametrize(
    ("go", "jinja", "more", "source", "capabilities"),
    [
        # a GGUF whose Jinja has neither tools nor thinking
        (PLAIN, BARE, {}, "go", set()),
        (THINKING, BARE, {}, "go", {"thinking"}),
        # the same weights with DeepSeek-R1's own Jinja
        (None, R1, {}, "jinja", {"tools", "thinking"}),
        (THINKING, R1, {}, "jinja", {"tools", "thinking"}),
        (THINKING, R1, {"parser": "qwen3.5"}, "parser", {"tools", "thinking"}),
        (THINKING, R1, {"parser": "passthrough"}, "parser", {"thinking"}),
        (THINKING + LIVE_SUFFIX, R1, {}, "go", {"thinking", "insert"}),
        (THINKING + LIVE_TOOLS, R1, {}, "go", {"thinking", "tools"}),
    ],
)
def test_what_a_live_ollama_did(
    go: str | None, jinja: str, more: dict[str, str], source: str, capabilities: set[str]
) -> None:
    effective = effective_template(go_template=go, chat_template=jinja, **more)
    assert (effective.source, effective.capabilities) == (source, capabilities)
    assert effective.text == (jinja if source == "jinja" else go)


@pytest.mark.parametrize(
    ("more", "source"),
    [
        ({"renderer": "qwen3.5", "parser": "qwen3.5"}, "renderer"),
        ({"renderer": "qwen3.5"}, "renderer"),
        ({"renderer": "qwen3.5", "version": "0.11.0"}, "go"),
        ({"parser": "none"}, "parser"),
        ({"parser": "qwen3.5", "version": "0.20.0"}, "parser"),
        ({"parser": "qwen3.5", "version": "0.11.11"}, "go"),
        ({"version": "0.29.9"}, "go"),
        ({"version": "0.30.0"}, "jinja"),
        ({"version": "0.30.0-rc1"}, "jinja"),
        ({"go_template_env": "1"}, "go"),
        ({"go_template_env": "true"}, "go"),
        ({"go_template_env": ' "1" '}, "go"),
        ({"go_template_env": "yes"}, "go"),
        ({"go_template_env": "0"}, "jinja"),
        ({"go_template_env": "False"}, "jinja"),
        ({"go_template_env": ""}, "jinja"),
        ({"go_template_env": "0", "version": "0.29.0"}, "go"),
        ({"go_template_env": "0", "parser": "qwen3"}, "parser"),
        ({"family": "gptoss"}, "jinja"),
    ],
)
def test_the_rule(more: dict[str, str], source: str) -> None:
    assert effective_template(go_template=THINKING, chat_template=R1, **more).source == source


@pytest.mark.parametrize("family", ["gptoss", "gpt-oss"])
def test_harmony_needs_family_and_tags(family: str) -> None:
    effective = effective_template(go_template=HARMONY, chat_template=R1, family=family)
    assert (effective.source, effective.text, effective.capabilities) == ("harmony", HARMONY, {"thinking"})
    assert effective_template(go_template=HARMONY, chat_template=R1, family="llama").source == "jinja"
    assert effective_template(go_template=HARMONY, family=family, version="0.10.0").source == "go"


def test_without_any_template_there_is_a_default() -> None:
    for version in (None, "0.29.0"):
        effective = effective_template(version=version)
        assert (effective.source, effective.text, effective.capabilities) == ("default", DEFAULT_TEMPLATE, frozenset())
    assert "ChatML" in effective_template().reason
    off = effective_template(go_template=PLAIN, go_template_env="0")
    assert (off.source, off.text) == ("default", None)
    assert "OLLAMA_GO_TEMPLATE=0" in off.reason
    parser = effective_template(parser="qwen3.5")
    assert (parser.source, parser.text, parser.capabilities) == ("parser", DEFAULT_TEMPLATE, {"tools", "thinking"})


def test_a_renderer_has_no_text_but_keeps_what_the_template_declares() -> None:
    effective = effective_template(go_template=THINKING, chat_template=R1, renderer="olmo3", parser="olmo3")
    assert (effective.text, effective.capabilities) == (None, {"tools", "thinking"})


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"renderer": "qwen9"}, 'unknown renderer "qwen9"'),
        ({"renderer": "qwen3.5", "version": "0.15.0"}, "came with 0.17.1"),
        ({"parser": "none"}, "knows no such parser"),
        ({"parser": "qwen3.5", "version": "0.20.0"}, "0.20.0 renders the TEMPLATE"),
        ({"version": "0.12.0"}, "always renders the TEMPLATE"),
        ({"go_template_env": "0"}, "OLLAMA_GO_TEMPLATE=0"),
        ({"go_template_env": "on"}, "OLLAMA_GO_TEMPLATE=on"),
        ({"version": "0.30.10"}, "/api/generate still uses the TEMPLATE"),
        ({}, "offers thinking and tools, the TEMPLATE thinking"),
    ],
)
def test_the_reason_is_one_sentence_that_names_the_rule(more: dict[str, str], words: str) -> None:
    reason = effective_template(go_template=THINKING, chat_template=R1, **more).reason
    assert words in reason
    assert "\n" not in reason
    assert not reason.endswith(".")


def test_reasons_of_a_template_that_wins_by_its_tools() -> None:
    tools = '{{ .Tools }}{{ range .Messages }}{{ .ToolCalls }}{{ if eq .Role "tool" }}{{ .Content }}{{ end }}{{ end }}'
    kept = effective_template(go_template=tools, chat_template="{{ tools }}<think></think>")
    assert (kept.source, "only the TEMPLATE handles a whole tool round trip" in kept.reason) == ("go", True)
    jinja = "{{ tools }}{{ m.tool_calls }}{% if message.role == 'tool' %}{% endif %}"
    lost = effective_template(go_template="{{ .Tools }}{{ .Prompt }}", chat_template=jinja)
    assert (lost.source, "only the Jinja template handles" in lost.reason) == ("jinja", True)
    assert effective_template(go_template=PLAIN).reason.endswith("no Jinja template to compete with it")
    assert "no TEMPLATE" in effective_template(chat_template=R1).reason


@pytest.mark.parametrize(
    ("more", "first", "count"),
    [
        ({}, "let the TEMPLATE handle tools too", 6),
        ({"go_template_env": "0"}, "start the server without OLLAMA_GO_TEMPLATE", 3),
        ({"go_template_env": "1"}, "start the server without OLLAMA_GO_TEMPLATE", 1),
        ({"renderer": "qwen3.5"}, "create the model from its GGUF file, not from the model", 1),
        ({"parser": "qwen3.5"}, "create the model from its GGUF file without PARSER", 1),
        ({"version": "0.20.0"}, "use Ollama 0.30 or later", 1),
    ],
)
def test_ways_to_make_another_template_win(more: dict[str, str], first: str, count: int) -> None:
    ways = effective_template(go_template=THINKING, chat_template=R1, **more).ways
    assert ways[0].startswith(first)
    assert len(ways) == count


def test_each_way_past_the_jinja_template_works() -> None:
    """What the ways promise is what the rule then says."""
    for go, more in (
        (THINKING + LIVE_TOOLS, {}),
        (THINKING, {"parser": "qwen3.5"}),
        (THINKING, {"parser": "passthrough"}),
        (THINKING + LIVE_SUFFIX, {}),
        (THINKING, {"go_template_env": "1"}),
    ):
        assert effective_template(go_template=go, chat_template=R1, **more).source in {"go", "parser"}
    assert effective_template(go_template=THINKING, chat_template="").source == "go"
    assert (
        effective_template(go_template=PLAIN, chat_template=BARE).ways[0].startswith("create the model from its GGUF")
    )
    assert effective_template(go_template=PLAIN).ways == ()
    assert effective_template().ways


def test_takes_parsed_templates_too() -> None:
    parsed = effective_template(go_template=Template.parse(THINKING), chat_template=ChatTemplate(R1))
    assert parsed == effective_template(go_template=THINKING, chat_template=R1)


TEXTS = st.sampled_from([None, PLAIN, THINKING, HARMONY])


@given(
    TEXTS,
    st.sampled_from([None, "", R1, BARE]),
    st.sampled_from(["", "qwen3.5", "x"]),
    st.sampled_from(["", "qwen3.5", "passthrough", "x"]),
    st.sampled_from(["", "gptoss", "llama"]),
    st.sampled_from([None, "0.8.0", "0.11.0", "0.12.0", "0.29.0", "0.30.0", "0.33.0"]),
    st.sampled_from([None, "", "0", "1", "x"]),
)
def test_there_is_always_one_source_with_a_reason(
    go: str | None, jinja: str | None, renderer: str, parser: str, family: str, version: str | None, env: str | None
) -> None:
    effective = effective_template(
        go_template=go,
        chat_template=jinja,
        renderer=renderer,
        parser=parser,
        family=family,
        version=version,
        go_template_env=env,
    )
    assert effective.source in {"renderer", "parser", "harmony", "go", "jinja", "default"}
    assert effective.reason
    assert (effective.source == "jinja") <= (version in {None, "0.30.0", "0.33.0"} and bool(jinja))
    assert effective.text is None or effective.text in {go, jinja, DEFAULT_TEMPLATE}


@needs_shared
def test_the_librarys_deepseek_r1() -> None:
    rows = [json.loads(line) for line in corpus("templates", "library.jsonl").read_text("utf-8").splitlines()]
    row = next(row for row in rows if row["model"] == "library/deepseek-r1:8b")
    alone = effective_template(go_template=row["go"])
    assert (alone.source, alone.capabilities) == ("go", {"thinking"} if ".Thinking" in row["go"] else frozenset())
    if row["jinja"]:
        assert effective_template(go_template=row["go"], chat_template=row["jinja"]).source == "jinja"
