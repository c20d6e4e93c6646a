"""``check_command``: what is wrong is found at its place, what is right is left alone."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelsmith.doctor import CODES, check_command

SPEC = importlib.util.spec_from_file_location("doctor_cases", Path(__file__).with_name("cases.py"))
assert SPEC is not None
assert SPEC.loader is not None
CASES = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(CASES)


@pytest.mark.parametrize(("text", "code", "marked", "said"), CASES.WRONG)
def test_wrong_commands(text: str, code: str, marked: str, said: str) -> None:
    found = [each for each in check_command(text) if each.code == code]
    assert found, check_command(text)
    assert any(each.span.of(text).startswith(marked) for each in found), [each.span.of(text) for each in found]
    assert any(said in f"{each.message} {each.hint}" for each in found), found


@pytest.mark.parametrize("text", CASES.RIGHT)
def test_right_commands(text: str) -> None:
    assert check_command(text) == ()


def test_every_code_has_a_case() -> None:
    assert {code for _, code, _, _ in CASES.WRONG} == set(CODES) - {"MSD11"}


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        ("ollama run x --experimental-yolo", "0.20", "0.33"),
        ("ollama run x --imagegen", "0.20", "0.33"),
        ("ollama create m --quantization q4_0", "0.1.33", "0.33"),
        ("OLLAMA_INTEL_GPU=1 ollama serve", "0.5.0", "0.33"),
        ("OLLAMA_NEW_ENGINE=1 ollama serve", "0.6.5", "0.33"),
    ],
)
def test_what_went_away(text: str, old: str, new: str) -> None:
    assert not check_command(text, old)
    assert check_command(text, new)


@pytest.mark.parametrize(
    ("text", "old"),
    [
        ("ollama run x --think", "0.8.0"),
        ("ollama stop x", "0.3.0"),
        ("ollama launch claude", "0.14.0"),
        ("OLLAMA_GO_TEMPLATE=1 ollama serve", "0.20.0"),
        ("ollama run x --think=max", "0.12.0"),
        ("""curl http://localhost:11434/api/chat -d '{"think":true}'""", "0.8.0"),
    ],
)
def test_what_came_later(text: str, old: str) -> None:
    assert check_command(text, old)
    assert not check_command(text)


WORDS = st.sampled_from(
    ["ollama ", "run ", "serve ", "--think ", "docker run ", "-v ", "a:b ", "ollama/ollama ", "curl ", "-d '", "'", '"', "$(", ")", "`",
     "\\\n", "\n", "<<EOF\n", "EOF\n", "OLLAMA_HOST=", "export ", " = ", "<x>", "FROM x\n", "```sh\n", "```\n", "|", "{", "é", "\x00", "\ud800"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=25).map("".join))
def test_any_text_is_read(text: str) -> None:
    for each in check_command(text):
        assert 0 <= each.span.start <= each.span.end <= len(text)
        assert each.code in CODES
