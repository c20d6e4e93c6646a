"""The law of injection on templates of our own; what the edits look like; what is refused."""

from __future__ import annotations

import pytest
from example_templates import ALL, CHATML, FILL_IN, GEMMA, LLAMA3, MISTRAL, MISTRAL_PLAIN, QWEN, R1_NEW, R1_OLD
from hypothesis import given, settings
from hypothesis import strategies as st

from modelsmith.errors import InjectionError, TemplateRenderError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.named import NAMED
from modelsmith.template.edit.go.generation import generation_prompt, opens_turn
from modelsmith.template.edit.go.inject import inject, inject_many
from modelsmith.template.go.template import Template

OPEN, CLOSED = "<think>\n", "<think>\n\n</think>\n\n"
SILENT = (
    '{{ if and $.IsThinkSet (not $.Think) }}{{ "<think>\\n\\n</think>\\n\\n" }}{{ else }}{{ "<think>\\n" }}{{ end }}'
)


def chat(*turns: tuple[str, str]) -> Conversation:
    return Conversation.from_dict({"messages": [{"role": role, "content": content} for role, content in turns]})


def rendered(template: Template, conversation: Conversation, think: bool | str | None) -> str | None:
    try:
        return template.render(conversation, think)
    except TemplateRenderError:
        return None


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("when", ["always", "thinking", "not-thinking"])
def test_only_the_open_turn_changes(name: str, when: str) -> None:
    before = Template.parse(ALL[name])
    after = inject(before, OPEN, when=when)
    for conversation in NAMED.values():
        for think in (None, True, False, "high"):
            expected = rendered(before, conversation, think)
            if expected is not None and opens_turn(before, conversation):
                meant = when == "always" or (when == "not-thinking") == (think is False)
                expected += OPEN * meant
            assert rendered(after, conversation, think) == expected


@pytest.mark.parametrize("name", ALL)
def test_both_conditions_make_one_block(name: str) -> None:
    before = Template.parse(ALL[name])
    after = inject_many(before, [(CLOSED, "not-thinking"), (OPEN, "thinking")])
    for conversation in NAMED.values():
        for think in (None, True, False):
            expected = rendered(before, conversation, think)
            if expected is not None and opens_turn(before, conversation):
                expected += CLOSED if think is False else OPEN
            assert rendered(after, conversation, think) == expected


@pytest.mark.parametrize("name", ALL)
def test_an_injection_follows_an_earlier_one(name: str) -> None:
    before = Template.parse(ALL[name])
    after = inject(inject(inject(before, "A"), "\nB", when="not-thinking"), "C", when="thinking")
    question = chat(("user", "hello"))
    assert after.render(question) == before.render(question) + "AC"
    assert after.render(question, False) == before.render(question, False) + "A\nB"


@settings(max_examples=20, deadline=None)
@given(text=st.text(min_size=1, max_size=12), name=st.sampled_from(["r1-old", "chatml", "mistral", "legacy-inst"]))
def test_any_text_arrives_as_it_is(text: str, name: str) -> None:
    before = Template.parse(ALL[name])
    question = chat(("user", "hello"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert inject(before, text).render(question) == before.render(question) + text


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (R1_OLD, '{{ if eq .Role "user" }}{{ "<think>\\n" }}{{ end }}'),
        (MISTRAL, '{{ if eq (len (slice $.Messages $index)) 1 }}{{ "<think>\\n" }}{{ end }}'),
        (QWEN, '{{ if eq .Role "user" "tool" }}{{ "<think>\\n" }}{{ end }}'),
        (FILL_IN, '{{ "<think>\\n" }}'),
        (
            CHATML,
            (
                '{{ range $i, $_ := .Messages }}{{ if and (eq .Role "user") (eq (len (slice $.Messages $i)) 1) }}'
                '{{ "<think>\\n" }}{{ end }}{{ end }}'
            ),
        ),
    ],
    ids=["r1-old", "mistral", "qwen", "fill-in", "chatml"],
)
def test_the_edit_is_small_and_where_the_turn_opens(template: str, expected: str) -> None:
    after = inject(Template.parse(template), OPEN)
    assert expected in after.text
    assert after.text.replace(expected, "", 1) == template


def test_a_place_for_each_role_needs_no_condition() -> None:
    after = inject(Template.parse(LLAMA3), OPEN)
    assert after.text == LLAMA3.replace(
        "assistant<|end_header_id|>\n\n{{ end }}", 'assistant<|end_header_id|>\n\n{{ "<think>\\n" }}{{ end }}'
    )


def test_a_loop_without_an_index_gets_one() -> None:
    after = inject(Template.parse(MISTRAL_PLAIN), OPEN)
    assert "{{ range $i, $_ := .Messages }}" in after.text
    assert '[/INST]{{ if eq (len (slice $.Messages $i)) 1 }}{{ "<think>\\n" }}{{ end }}\n{{- else if' in after.text


def test_a_closed_block_that_is_there_gets_an_else() -> None:
    after = inject(Template.parse(R1_NEW), OPEN, when="thinking")
    assert after.text == R1_NEW.replace(
        "</think>\n\n{{ end }}\n{{- end -}}",
        '</think>\n\n{{ else if eq .Role "user" }}{{ "<think>\\n" }}{{ end }}\n{{- end -}}',
    )


def test_both_conditions_read_as_one_block() -> None:
    assert SILENT in inject_many(Template.parse(GEMMA), [(CLOSED, "not-thinking"), (OPEN, "thinking")]).text


def test_white_space_that_a_trim_marker_eats_stays_eaten() -> None:
    template = "{{- range $i, $_ := .Messages }}{{ .Content }}<go>\n\n{{- end }}"
    after = inject(Template.parse(template), "\n")
    assert after.text.startswith("{{- range $i, $_ := .Messages }}{{ .Content }}<go>{{ if ")
    assert after.text.endswith("{{ end }}\n\n{{- end }}")


def test_nothing_to_add_changes_nothing() -> None:
    template = Template.parse("no prompt at all")
    assert inject(template, "") is template


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("You are a pirate.", "never shows the user's message"),
        ("{{ .Query }} {{ .Document }}", "never shows the user's message"),
        ("{{ .Prompt }}", "no generation prompt"),
        ("{{ range .Messages }}{{ .Content }}{{ end }}", "no generation prompt"),
        ("{{ range .Messages }}{{ .Nothing }}{{ end }}:", "renders no conversation"),
        ("{{ json .Prompt }} answer: {{ .Response }}", "renders no conversation"),
    ],
)
def test_a_template_that_opens_no_turn_is_refused(template: str, reason: str) -> None:
    with pytest.raises(InjectionError, match=reason) as caught:
        inject(Template.parse(template), OPEN)
    assert caught.value.hint


def test_an_unknown_place_or_condition_is_refused() -> None:
    template = Template.parse(CHATML)
    with pytest.raises(InjectionError, match=r'"before-users" is no place .* did you mean "before-user"') as caught:
        inject(template, OPEN, at="before-users")
    assert "generation-prompt" in caught.value.hint
    with pytest.raises(InjectionError, match='"sometimes" is no condition') as caught:
        inject(template, OPEN, when="sometimes")
    assert "not-thinking" in caught.value.hint


def test_the_capabilities_stay() -> None:
    for text in ALL.values():
        before = Template.parse(text)
        after = inject(before, OPEN)
        assert after.is_legacy == before.is_legacy
        assert after.thinking_tags == before.thinking_tags
        assert {"tools", "suffix", "toolcalls", "messages"} & set(after.variables) == {
            "tools",
            "suffix",
            "toolcalls",
            "messages",
        } & set(before.variables)


def test_the_generation_prompt_is_what_follows_the_message() -> None:
    assert generation_prompt(Template.parse(R1_NEW)) == "<｜Assistant｜>"
    assert generation_prompt(Template.parse(R1_NEW), False) == f"<｜Assistant｜>{CLOSED}"
    assert generation_prompt(Template.parse(MISTRAL)) == "[/INST]"
