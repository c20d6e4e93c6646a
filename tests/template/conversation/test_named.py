from __future__ import annotations

from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.named import (
    NAMED,
    has_thinking,
    has_tools,
    is_prefill,
    is_suffix,
    last_assistant_thinks,
    opens_assistant_turn,
)


def names(ask: object) -> set[str]:
    return {name for name, conversation in NAMED.items() if ask(conversation)}  # type: ignore[operator]


def test_each_survives_being_written_and_read() -> None:
    for conversation in NAMED.values():
        assert Conversation.from_dict(conversation.to_dict()) == conversation


def test_shapes_differ() -> None:
    assert len({str(conversation.to_dict()) for conversation in NAMED.values()}) == len(NAMED) > 30


def test_who_speaks_next() -> None:
    assert names(is_prefill) == {
        "prefill",
        "system-prefill",
        "prefill-alone",
        "thinking-last",
        "thinking-only-last",
        "tool-call",
    }
    assert names(is_suffix) == {"suffix"}
    assert names(opens_assistant_turn) == set(NAMED) - names(is_prefill) - {"suffix", "only-system", "empty"}


def test_what_is_about() -> None:
    assert names(has_tools) == {name for name in NAMED if "tool" in name or name == "odd-arguments"}
    assert names(has_thinking) == {"thinking-history", "thinking-last", "thinking-only-last", "parallel-tools"}
    assert names(last_assistant_thinks) == names(has_thinking)
