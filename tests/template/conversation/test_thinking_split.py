from __future__ import annotations

import pytest
from conformance_checks import meaning
from hypothesis import given
from hypothesis import strategies as st
from shared import needs_shared

from modelsmith.template.conversation.thinking_split import ThinkingSplitter, is_primed, split_thinking

TAGS = ("<think>", "</think>")


@pytest.mark.parametrize(
    ("answer", "thinking", "content"),
    [
        ("<think>\nwhy\n</think>\n\nso", "why\n", "so"),
        (" \n<think>why</think>so", "why", "so"),
        ("so", "", "so"),
        ("  so", "", "  so"),
        ("so <think>why</think>", "", "so <think>why</think>"),
        ("<think>why", "why", ""),
        ("<think></think>so", "", "so"),
        ("<think>a</think><think>b</think>c", "a", "<think>b</think>c"),
        ("<think>a</thin", "a", ""),
        ("<thin", "", ""),
        ("<thing", "", "<thing"),
        ("<think>\x1cwhy</think>\x85so", "\x1cwhy", "so"),
    ],
)
def test_splits_a_whole_answer(answer: str, thinking: str, content: str) -> None:
    assert split_thinking(answer, *TAGS) == (thinking, content)


@pytest.mark.parametrize(
    ("answer", "thinking", "content"),
    [
        ("\nwhy\n</think>\n\nso", "why\n", "so"),
        ("why", "why", ""),
        ("<think>\nwhy</think>so", "<think>\nwhy", "so"),
    ],
)
def test_a_primed_answer_is_inside_the_tag_already(answer: str, thinking: str, content: str) -> None:
    assert split_thinking(answer, *TAGS, primed=True) == (thinking, content)


def test_sends_on_what_is_certain_and_holds_what_is_not() -> None:
    splitter = ThinkingSplitter(*TAGS)
    assert [splitter.feed(chunk) for chunk in ("<th", "ink>a", "b</", "c</think", "> ", "d")] == [
        ("", ""),
        ("a", ""),
        ("b", ""),
        ("</c", ""),
        ("", ""),
        ("", "d"),
    ]
    assert splitter.held == ""


@pytest.mark.parametrize("prompt", ["<a><think>", "<a><think>\n", "<a><think> \n\n"])
def test_knows_a_primed_prompt(prompt: str) -> None:
    assert is_primed(prompt, "<think>")
    assert not is_primed(prompt + "x", "<think>")
    assert not is_primed(prompt, "")


@given(
    st.lists(
        st.sampled_from(["<think>", "</think>", "<th", "ink>", "</", "think>", " ", "\n", "a", "bc"]), max_size=12
    ),
    st.booleans(),
    st.data(),
)
def test_chunks_do_not_matter(parts: list[str], primed: bool, data: st.DataObject) -> None:
    answer = "".join(parts)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(answer)), max_size=6)))
    chunks = [answer[start:end] for start, end in zip([0, *cuts], [*cuts, len(answer)], strict=True)]
    splitter = ThinkingSplitter(*TAGS, primed=primed)
    pairs = [splitter.feed(chunk) for chunk in chunks]
    assert tuple("".join(side) for side in zip(*pairs, strict=True)) == split_thinking(answer, *TAGS, primed=primed)


@needs_shared
def test_agrees_with_the_recorded_streams() -> None:
    agree, total, differences = meaning.thinking_split()
    assert (differences[:3], agree) == ([], total)
    assert total == 1500
