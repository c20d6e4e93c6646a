"""What Ollama takes out of past answers before a template sees them; a live Ollama 0.33 rendered the first conversation so."""

from __future__ import annotations

import pytest

from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.history import drops_reasoning, without_reasoning


def talk(*contents: str) -> Conversation:
    roles = ("user", "assistant")
    return Conversation.from_dict(
        {"messages": [{"role": roles[number % 2], "content": text} for number, text in enumerate(contents)]}
    )


def test_reasoning_goes_from_answers_before_the_last_question_only() -> None:
    given = talk(
        "a",
        "<think>\nhm\n</think>\n\nyes",
        "b",
        "x <think>kept</think>y",
        "c",
        "<think>open",
        "d",
        "<think>t</think>begun",
    )
    left = [message.content for message in without_reasoning(given).messages]
    assert left == ["a", "yes", "b", "x <think>kept</think>y", "c", "", "d", "<think>t</think>begun"]


def test_nothing_to_take_out_changes_nothing() -> None:
    for given in (talk("a", "yes", "b"), talk("a"), Conversation.from_dict({"messages": []})):
        assert without_reasoning(given) is given


@pytest.mark.parametrize(
    ("name", "family", "version", "drops"),
    [
        ("deepseek-r1", "", None, True),
        ("deepseek-r1:8b", "qwen2", None, True),
        ("someone/deepseek-r1:x", "llama", None, True),
        ("deepseek-r1-think", "llama", None, False),
        ("mine", "qwen3", None, True),
        ("mine", "qwen3moe", None, False),
        ("", "", None, False),
        ("deepseek-r1", "qwen3", "0.6.6", False),
        ("deepseek-r1", "qwen3", "0.6.7", True),
    ],
)
def test_which_models(name: str, family: str, version: str | None, drops: bool) -> None:
    assert drops_reasoning(name=name, family=family, version=version) is drops
