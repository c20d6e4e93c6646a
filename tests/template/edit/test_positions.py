"""Putting a text beside messages or at the start of a Go template's prompts: there, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from example_templates import ALL, CHATML, LEGACY_CHATML, QWEN
from hypothesis import given, settings
from hypothesis import strategies as st

from modelsmith.errors import InjectionError
from modelsmith.template.api import Template
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.edit.go.ensure import ensure, ensure_many
from modelsmith.template.edit.go.inject import inject, inject_many
from modelsmith.template.edit.positions import NAMES, POSITIONS
from modelsmith.template.effective.capabilities import go_capabilities

GENERIC = "{{ range .Messages }}<|{{ .Role }}|>{{ .Content }}<|end|>{{ end }}<|assistant|>"
BY_ROLE = """\
{{- if .System }}<sys>
{{ .System }}
</sys>
{{ end }}
{{- range $i, $m := .Messages }}
{{- if eq .Role "user" }}<user>
{{ .Content }}
{{- else if eq .Role "assistant" }}<assistant>
{{ .Content }}
{{- end }}
{{ end }}<assistant>
"""
LEGACY = "{{ if .System }}S:{{ .System }} {{ end }}{{ if .Prompt }}U:{{ .Prompt }} {{ end }}A:{{ .Response }};"
TALK = [
    {"role": "system", "content": "be brief"},
    {"role": "user", "content": "one"},
    {"role": "assistant", "content": "first"},
    {"role": "user", "content": "two"},
]


def render(template: Template | str, *messages: dict[str, Any], think: Any = None) -> str:
    template = Template.parse(template) if isinstance(template, str) else template
    return template.render(Conversation.from_dict({"messages": list(messages or TALK)}), think)


@pytest.mark.parametrize(
    ("at", "prompt"),
    [
        (
            "start",
            "[X]<|system|>be brief<|end|><|user|>one<|end|><|assistant|>first<|end|><|user|>two<|end|><|assistant|>",
        ),
        (
            "before-system",
            "<|system|>[X]be brief<|end|><|user|>one<|end|><|assistant|>first<|end|><|user|>two<|end|><|assistant|>",
        ),
        (
            "after-system",
            "<|system|>be brief[X]<|end|><|user|>one<|end|><|assistant|>first<|end|><|user|>two<|end|><|assistant|>",
        ),
        (
            "before-user",
            "<|system|>be brief<|end|><|user|>[X]one<|end|><|assistant|>first<|end|><|user|>[X]two<|end|><|assistant|>",
        ),
        (
            "after-user",
            "<|system|>be brief<|end|><|user|>one[X]<|end|><|assistant|>first<|end|><|user|>two[X]<|end|><|assistant|>",
        ),
        (
            "before-last-user",
            "<|system|>be brief<|end|><|user|>one<|end|><|assistant|>first<|end|><|user|>[X]two<|end|><|assistant|>",
        ),
        (
            "after-last-user",
            "<|system|>be brief<|end|><|user|>one<|end|><|assistant|>first<|end|><|user|>two[X]<|end|><|assistant|>",
        ),
        (
            "before-assistant",
            "<|system|>be brief<|end|><|user|>one<|end|><|assistant|>[X]first<|end|><|user|>two<|end|><|assistant|>",
        ),
        (
            "after-assistant",
            "<|system|>be brief<|end|><|user|>one<|end|><|assistant|>first[X]<|end|><|user|>two<|end|><|assistant|>",
        ),
        (
            "generation-prompt",
            "<|system|>be brief<|end|><|user|>one<|end|><|assistant|>first<|end|><|user|>two<|end|><|assistant|>[X]",
        ),
    ],
)
def test_every_position_of_a_template_that_prints_all_roles_alike(at: str, prompt: str) -> None:
    assert render(Template.parse(GENERIC).inject("[X]", at=at)) == prompt


def test_the_list_of_positions_is_the_documented_one() -> None:
    before = ["start", "before-system", "before-user", "before-last-user", "before-assistant"]
    after = ["after-system", "after-user", "after-last-user", "after-assistant", "generation-prompt"]
    assert list(NAMES) == before + after


@pytest.mark.parametrize("at", POSITIONS)
def test_trim_markers_beside_the_place_eat_nothing(at: str) -> None:
    side, _, role = at.partition("-")
    wanted = render(BY_ROLE)
    for word in {"system": ["be brief"], "user": ["one", "two"], "last-user": ["two"], "assistant": ["first"]}[role]:
        wanted = wanted.replace(word, f"{word}\n [X]\n" if side == "after" else f"\n [X]\n{word}")
    assert render(Template.parse(BY_ROLE).inject("\n [X]\n", at=at)) == wanted


@pytest.mark.parametrize("at", [name for name in POSITIONS if "last" not in name])
def test_a_template_of_the_old_style(at: str) -> None:
    after = render(Template.parse(LEGACY).inject("[X]", at=at))
    assert after.replace("[X]", "") == render(LEGACY)
    sides = {"system": "be brief", "user": "one", "assistant": "first"}
    word = sides[at.partition("-")[2]]
    assert (f"{word}[X]" if at.startswith("after") else f"[X]{word}") in after
    assert after.count("[X]") == (2 if at.endswith("user") else 1)


def test_the_old_style_without_a_place_for_the_answer() -> None:
    bare = "{{ .System }}|{{ .Prompt }}|"
    assert render(Template.parse(bare).inject("[X]", at="before-assistant")) == "be brief|one|[X]first|two|"
    begun = render(Template.parse(bare).inject("[X]", at="after-assistant"), TALK[1], TALK[2])
    assert begun == "|one|first"


@pytest.mark.parametrize(("at", "reason"), [("before-last-user", "the last one"), ("start", "the first one")])
def test_what_no_turn_of_the_old_style_can_know_is_refused(at: str, reason: str) -> None:
    with pytest.raises(InjectionError, match=reason) as caught:
        Template.parse(LEGACY_CHATML).inject("[X]", at=at)
    assert caught.value.hint


def test_a_refusal_shows_a_conversation() -> None:
    with pytest.raises(InjectionError, match='conversation "roles user, system" with think unset gave'):
        Template.parse(LEGACY).inject("[X]", at="start")


def test_a_template_without_the_place_is_refused() -> None:
    no_system = '{{ range .Messages }}{{ if ne .Role "system" }}{{ .Content }}|{{ end }}{{ end }}'
    with pytest.raises(InjectionError, match="never shows the system text"):
        Template.parse(no_system).inject("[X]", at="after-system")


def test_the_system_text_that_is_shown_as_one_gets_one_text() -> None:
    after = Template.parse(BY_ROLE).inject("[X]", at="after-system")
    second = {"role": "system", "content": "and kind"}
    assert render(after, TALK[0], TALK[1], second, TALK[3]).count("[X]") == 1
    assert "[X]" not in render(after, TALK[1])


def test_a_begun_answer_gets_nothing_behind_it() -> None:
    after = Template.parse(GENERIC).inject("[X]", at="after-assistant")
    assert render(after, TALK[1], TALK[2]) == render(GENERIC, TALK[1], TALK[2])


def test_the_start_is_behind_a_token_that_the_template_prints() -> None:
    after = Template.parse("<s>" + GENERIC).inject("[X]", at="start")
    assert render(after, TALK[1]) == "<s>[X]<|user|>one<|end|><|assistant|>"


def test_conditions_and_several_texts_share_one_place() -> None:
    template = Template.parse(GENERIC)
    after = inject_many(template, [("[on]", "thinking"), ("[off]", "not-thinking"), ("[all]", "always")], "before-user")
    assert "<|user|>[on][all]one" in render(after)
    assert "<|user|>[on][all]one" in render(after, think=True)
    assert "<|user|>[off][all]one" in render(after, think=False)


@pytest.mark.parametrize("at", NAMES)
def test_what_is_there_already_is_not_added_again(at: str) -> None:
    once = ensure(Template.parse(GENERIC), "[X]", at)
    assert ensure(once, "[X]", at) is once
    assert ensure_many(once, [("[X]", "always")], at) is once


def test_positions_do_not_disturb_each_other() -> None:
    template = Template.parse(QWEN)
    for at in NAMES:
        template = template.inject(f"[{at}]", at=at)
    prompt = render(template)
    assert all(f"[{at}]" in prompt for at in NAMES)
    plain = prompt
    for at in NAMES:
        plain = plain.replace(f"[{at}]", "")
    assert plain == render(QWEN)


@pytest.mark.parametrize("name", ALL)
def test_capabilities_and_tags_stay(name: str) -> None:
    template = Template.parse(ALL[name])
    for at in ("before-user", "after-system"):
        try:
            after = inject(template, "[X]", at)
        except InjectionError:
            continue
        assert go_capabilities(after) == go_capabilities(template)
        assert after.thinking_tags == template.thinking_tags


@settings(max_examples=25, deadline=None)
@given(text=st.text(min_size=1, max_size=12), at=st.sampled_from(sorted(POSITIONS)))
def test_any_text_stands_there_as_it_is(text: str, at: str) -> None:
    after = Template.parse(CHATML).inject(text, at=at)
    marks = [{**message, "content": f"\x01{message['content']}\x02"} for message in TALK]
    prompt, plain = render(after, *marks), render(CHATML, *marks)
    assert len(prompt) == len(plain) + len(text) * (2 if at in {"before-user", "after-user"} else 1)
