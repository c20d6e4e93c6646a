"""Which messages do not fit, by counting, and how answers to Go templates are read."""

from __future__ import annotations

import pytest

from modelsmith.engines.cut import fitted
from modelsmith.engines.go_answer import GoAnswer
from modelsmith.engines.go_calls import GoCalls
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
    answer = GoAnswer(ThinkingSplitter("<think>", "</think>", primed=True), GoCalls(tag, ("sun", "moon", "sun_dial")))
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
        # the answer ends where a tag may begin: what was held is lost
        ("why</think>so <tool", "<tool>", "so ", []),
        ('why</think>so <tool>{"name": "sun", "arguments": {"x": 1}}</tool>', "<tool>", "so ", [("sun", {"x": 1})]),
        # behind a tag of words all that is no call is lost, a call in another format too
        ("why</think>so <tool><function=sun><parameter=x>1</parameter></function></tool>", "<tool>", "so ", []),
        ('why</think><tool>{"name": "unknown", "arguments": {}}</tool>', "<tool>", "", []),
        ('why</think><tool>{"name": "sun", "arguments": {"x": 1}', "<tool>", "", []),
        # the name may stand anywhere, and the first complete object has the arguments
        ('why</think><tool>sun_dial[ARGS]{"x": "}{"}', "<tool>", "", [("sun_dial", {"x": "}{"})]),
        ('why</think><tool>{"sun": {"x": NaN}} {"sun": {"x": 1}}', "<tool>", "", [("sun", {"x": 1})]),
        ('why</think><tool>{"a": [{"sun": "{\\"x\\": 1}"}]}', "<tool>", "", [("sun", {"x": 1})]),
        ('why</think><tool>{"name": "sun", "arguments": null}', "<tool>", "", []),
        ('why</think><tool>{"name": "sun", "arguments": "null"}', "<tool>", "", []),
        ('why</think><tool>{"name": "sun", "arguments": {"x": "\\ud800"}}', "<tool>", "", [("sun", {"x": "\ufffd"})]),
        ('why</think><tool>{"sun": {"x": 1e999}} ', "<tool>", "", []),
        ('why</think>{"name": "sun", "parameters": {"x": 1}}', "{", "", [("sun", {"x": 1})]),
        (
            'why</think>[{"name": "sun", "arguments": {}}, {"name": "moon", "arguments": {"y": 2}}]',
            "[",
            "",
            [("sun", {}), ("moon", {"y": 2})],
        ),
        ('why</think>{"name": "unknown", "arguments": {}}', "{", '{"name": "unknown", "arguments": {}}', []),
        # without a tag an answer must begin with its call; Ollama says the end of the piece with the brace twice
        ('why</think>so {"name": "sun", "arguments": {}}', "{", 'so {"name": "sun", "arguments": {}}', []),
        ('why</think> i{"name": "sun", "arguments": {}}', "{", 'i{"name": "sun", "arguments": {}}{"', []),
        ("why</think>" + "{why" * 1000, "{", "{why" * 1000, []),
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
