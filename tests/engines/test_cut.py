"""Which messages do not fit, by counting, and how answers to Go templates are read."""

from __future__ import annotations

import pytest

from modelsmith.engines.cut import fitted
from modelsmith.engines.go_answer import GoAnswer
from modelsmith.engines.protocol import AnswerPiece, Prompt, Request
from modelsmith.masking import masked_arguments
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.thinking_split import ThinkingSplitter


def talk(*roles: str) -> Request:
    return Request(Conversation.from_dict({"messages": [{"role": role, "content": "x" * 10} for role in roles]}))


def count(request: Request) -> Prompt:
    return Prompt(tokens=10 * len(request.conversation.messages))


@pytest.mark.parametrize(
    ("roles", "context", "gone", "left", "too_long"),
    [
        ("sua", 30, (), 30, False),
        ("suau", 30, (2,), 30, False),
        ("suauau", 30, (2, 3, 4), 30, False),
        ("usau", 30, (1,), 30, False),
        ("usau", 20, (1, 3), 20, False),
        ("su", 5, (), 20, True),
        ("sus", 5, (2,), 20, True),
        ("u", 5, (), 10, True),
        ("s", 5, (), 10, True),
    ],
)
def test_the_oldest_go_and_system_messages_stay(
    roles: str, context: int, gone: tuple[int, ...], left: int, too_long: bool
) -> None:
    words = {"s": "system", "u": "user", "a": "assistant"}
    found = fitted(talk(*(words[role] for role in roles)), context, count)
    assert (found.gone, found.left, found.too_long, found.whole) == (gone, left, too_long, 10 * len(roles))


def test_what_cannot_be_counted_is_left_alone() -> None:
    request = talk("user", "user")
    assert fitted(request, 5, lambda _request: Prompt()).request is request
    assert fitted(request, None, count).whole is None


def read(text: str, tag: str, *, size: int = 3) -> tuple[str, str, list[tuple[str, object]]]:
    answer = GoAnswer(ThinkingSplitter("<think>", "</think>", primed=True), tag, frozenset({"f", "g"}))
    pieces: list[AnswerPiece] = []
    for start in range(0, len(text), size):
        pieces += answer.feed(text[start : start + size])
    rest, calls = answer.end()
    pieces += rest
    parts = ["".join(each.text for each in pieces if each.is_reasoning == kind) for kind in (True, False)]
    return parts[0], parts[1], [(call.name, call.arguments) for call in calls]


@pytest.mark.parametrize(
    ("text", "tag", "content", "calls"),
    [
        ("why</think>so", "<tool>", "so", []),
        ("why</think>so <tool", "<tool>", "so <tool", []),
        ('why</think>so <tool>{"name": "f", "arguments": {"x": 1}}</tool>', "<tool>", "so ", [("f", {"x": 1})]),
        ('why</think>{"name": "f", "parameters": {"x": 1}}', "{", "", [("f", {"x": 1})]),
        (
            'why</think>[{"name": "f", "arguments": {}}, {"name": "g", "arguments": {"y": 2}}]',
            "[",
            "",
            [("f", {}), ("g", {"y": 2})],
        ),
        ('why</think>{"name": "unknown", "arguments": {}}', "{", '{"name": "unknown", "arguments": {}}', []),
        ("why</think>{" * 1000, "{", "{" + "why</think>{" * 999, []),
    ],
)
def test_answers_to_go_templates(text: str, tag: str, content: str, calls: list[tuple[str, object]]) -> None:
    assert read(text, tag) == ("why", content, calls)


def test_secrets_of_a_command_line_are_masked() -> None:
    words = [
        "try",
        "m",
        "--api-key",
        "sk-1",
        "--api-key=sk-2",
        "--on",
        "https://me:pass@host/v1",
        "--hf-token",
        "t",
        "x",
    ]
    assert masked_arguments(words) == [
        "try", "m", "--api-key", "***", "--api-key=***", "--on", "https://***@host/v1", "--hf-token", "***", "x",
    ]  # fmt: skip
