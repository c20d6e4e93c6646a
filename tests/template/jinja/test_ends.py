"""Tokens that the tokenizer adds by itself: what llama-server tells a template of them, and takes off its prompts."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import llama_server
import pytest

from modelsmith.models.inherited import gguf_inherited
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.jinja.template import ChatTemplate
from modelsmith.weights.gguf.file import GGUFFile
from modelsmith.weights.gguf.metadata import Entry
from modelsmith.weights.gguf.sample import write_sample
from modelsmith.weights.gguf.tokens.ends import text_ends
from modelsmith.weights.gguf.types import ValueType

LOOP = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}{% endfor %}"
WITH_PROMPT = "{{ bos_token }}" + LOOP + "{% if add_generation_prompt %}<assistant>{% endif %}"
TEMPLATES = {
    "plain": LOOP,
    "with-bos": "{{ bos_token }}" + LOOP,
    "with-two": "{{ bos_token }}{{ bos_token }}" + LOOP,
    "with-prompt": WITH_PROMPT,
}
CHATS = (
    [("user", "hi")],
    [("user", "hi"), ("assistant", "there")],
    [("user", "hi"), ("assistant", "there"), ("user", "and")],
)
CASES: dict[str, dict[str, object]] = {
    "nothing": {},
    "bos": {"add_bos_token": True},
    "eos": {"add_eos_token": True},
    "both": {"add_bos_token": True, "add_eos_token": True},
    "llama-bpe": {"pre": "llama-bpe"},
    "llama-bpe-but-not": {"pre": "llama-bpe", "add_bos_token": False},
    "tekken": {"pre": "tekken"},
    "qwen2": {"pre": "qwen2"},
    "gemma4-always": {"pre": "gemma4", "add_bos_token": False},
    "no-ids": {"bos_token_id": None, "eos_token_id": None, "add_bos_token": True},
    "ids-of-no-token": {"bos_token_id": 9999, "eos_token_id": 9999},
}


def sample(path: Path, text: str, keys: dict[str, object]) -> Path:
    entries: dict[str, Entry | None] = {}
    for key, value in keys.items():
        name = f"tokenizer.ggml.{key}"
        kind = {bool: ValueType.BOOL, str: ValueType.STRING, int: ValueType.UINT32}
        entries[name] = None if value is None else Entry.of(name, kind[type(value)], value)
    return write_sample(path, chat_template=text, metadata=entries)


def conversation(chat: list[tuple[str, str]]) -> Conversation:
    return Conversation.from_dict({"messages": [{"role": role, "content": content} for role, content in chat]})


@pytest.mark.skipif(not llama_server.is_here(), reason=llama_server.MISSING)
@pytest.mark.parametrize("case", CASES)
def test_as_the_server_does(case: str, tmp_path: Path) -> None:
    bodies = [{"messages": [{"role": role, "content": content} for role, content in chat]} for chat in CHATS]
    for name, text in TEMPLATES.items():
        path = sample(tmp_path / f"{name}.gguf", text, CASES[case])
        inherited = gguf_inherited(path)
        assert inherited is not None
        template = ChatTemplate.parse(text)
        ours = [{"prompt": template.render(conversation(chat), **inherited.ends)} for chat in CHATS]
        assert ours == llama_server.answers(None, bodies, model=path), name


def test_what_is_added_is_taken_off_once() -> None:
    template, talk = ChatTemplate.parse(TEMPLATES["with-two"]), conversation(CHATS[0])
    prompts = {
        (add_bos, add_eos): template.render(talk, bos_token="<s>", eos_token="</s>", add_bos=add_bos, add_eos=add_eos)
        for add_bos, add_eos in product((False, True), repeat=2)
    }
    assert prompts == {
        (False, False): "<s><s><user>hi</s>",
        (True, False): "<s><user>hi</s>",
        (False, True): "<s><s><user>hi",
        (True, True): "<s><user>hi",
    }


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("llama", (True, False)),
        ("bert", (True, False)),
        ("t5", (False, True)),
        ("rwkv", (False, False)),
        ("gpt2", (False, False)),
    ],
)
def test_each_kind_of_vocabulary_adds_its_own(kind: str, expected: tuple[bool, bool], tmp_path: Path) -> None:
    path = sample(tmp_path / "m.gguf", LOOP, {"model": kind})
    with GGUFFile.open(path) as gguf:
        ends = text_ends(gguf)
    assert (ends["add_bos"], ends["add_eos"]) == expected
