"""Putting a text beside messages or at the start of a Jinja chat template's prompts: there, and nowhere else."""

from __future__ import annotations

import pytest

from modelsmith.errors import InjectionError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.edit.jinja.inject import ensure_chat_template, inject_chat_template
from modelsmith.template.edit.positions import NAMES
from modelsmith.template.jinja.template import ChatTemplate

PLAIN = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
TRIMMED = PLAIN.replace("message['content']", "(message['content'] | trim)")
WITH_BOS = "{{ bos_token }}" + PLAIN
IN_ONE = "{% for m in messages %}{{ (bos_token if loop.first else '') ~ '[' ~ m.role ~ ']' ~ m.content }}{% endfor %}{{ '>' if add_generation_prompt }}"
TALK = Conversation.from_dict(
    {
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "first"},
            {"role": "user", "content": "two"},
        ]
    }
)
WORDS = {"system": ["be brief"], "user": ["one", "two"], "last-user": ["two"], "assistant": ["first"]}


@pytest.mark.parametrize("text", [PLAIN, TRIMMED, WITH_BOS, IN_ONE])
@pytest.mark.parametrize("at", NAMES)
def test_every_position(text: str, at: str) -> None:
    template = ChatTemplate.parse(text)
    wanted = template.render(TALK, bos_token="<s>")
    if at == "start":
        wanted = f"<s>[X]{wanted.removeprefix('<s>')}" if wanted.startswith("<s>") else f"[X]{wanted}"
    elif at == "generation-prompt":
        wanted += "[X]"
    side, _, role = at.partition("-")
    for word in WORDS.get(role, []):
        wanted = wanted.replace(word, f"{word}[X]" if side == "after" else f"[X]{word}")
    after = inject_chat_template(template, [("[X]", "always")], at=at)
    assert after.render(TALK, bos_token="<s>") == wanted
    assert ensure_chat_template(after, [("[X]", "always")], at) is after


def test_what_the_template_trims_away_is_refused_with_a_conversation() -> None:
    with pytest.raises(InjectionError, match='conversation "user" with think true gave'):
        inject_chat_template(ChatTemplate.parse(TRIMMED), [("[X]\n", "always")], at="after-user")


def test_a_template_that_leaves_a_role_out_is_refused() -> None:
    silent = PLAIN.replace("{{ '<|' +", "{% if message.role != 'assistant' %}{{ '<|' +").replace(
        "end|>' }}", "end|>' }}{% endif %}"
    )
    with pytest.raises(InjectionError, match="never shows the texts of the assistant's messages"):
        inject_chat_template(ChatTemplate.parse(silent), [("[X]", "always")], at="before-assistant")


def test_conditions() -> None:
    after = inject_chat_template(
        ChatTemplate.parse(PLAIN), [("[on]", "thinking"), ("[off]", "not-thinking")], "before-last-user"
    )
    assert "<|user|>[on]two" in after.render(TALK, think=True)
    assert "<|user|>[off]two" in after.render(TALK, think=False)
    assert "<|user|>one" in after.render(TALK, think=False)


def test_an_unknown_position_is_refused() -> None:
    with pytest.raises(InjectionError, match="is no place"):
        inject_chat_template(ChatTemplate.parse(PLAIN), [("[X]", "always")], at="in-the-middle")


@pytest.mark.parametrize("at", NAMES)
def test_nothing_is_used_that_the_llama_server_of_ollama_does_not_know(at: str) -> None:
    assert "dict(" not in inject_chat_template(ChatTemplate.parse(PLAIN), [("[X]", "always")], at=at).text
