"""Proof by rendering: outcomes, each made once, and pairs of them."""

from __future__ import annotations

import pytest

from modelsmith.errors import TemplateRenderError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.named import NAMED
from modelsmith.template.outcomes import Outcome, Outcomes, TooSlow, compared

USER = NAMED["user"]


def failing(_conversation: Conversation, think: object) -> str:
    raise TemplateRenderError("" if think is None else f"no {think}")


def test_an_outcome_is_a_prompt_or_an_error() -> None:
    assert Outcome.of(lambda _talk, think: f"<{think}>", USER, True) == Outcome("<True>")
    failed = Outcome.of(failing, USER, False)
    assert (failed.prompt, failed.error, failed.shown) == ("", "no False", "no False")
    assert Outcome.of(failing, USER).error  # an error without words is one too


@pytest.mark.parametrize(
    ("error", "moved"),
    [
        ("template: :1:7: executing: no Content", "template: :3:12: executing: no Content"),
        ("System role not supported (line 1, column 1040)", "System role not supported (line 2)"),
    ],
)
def test_where_an_error_stands_does_not_count(error: str, moved: str) -> None:
    assert Outcome(error=error).fails_like(Outcome(error=moved))
    assert not Outcome(error=error).fails_like(Outcome(error="another"))
    assert not Outcome(error=error).fails_like(Outcome("it renders"))


def test_each_conversation_is_rendered_once() -> None:
    asked: list[object] = []

    def render(conversation: Conversation, think: object) -> str:
        asked.append(think)
        return f"{len(conversation.turns)} {think}"

    outcomes = Outcomes(render)
    assert [outcomes(USER, think).prompt for think in (None, True, None, True)] == ["1 None", "1 True"] * 2
    assert asked == [None, True]
    blind = Outcomes(render, sees_think=False)
    assert blind(USER, True) == blind(USER, False) == Outcome("1 None")
    assert asked == [None, True, None]
    same = Outcomes(render, same=repr)
    for _ in range(2):
        same(Conversation.from_dict({"messages": [{"role": "user", "content": "Hi"}]}))
    assert asked == [None, True, None, None]


def test_what_takes_too_long_is_given_up() -> None:
    with pytest.raises(TooSlow, match="rendering 1 conversations took 0 s"):
        Outcomes(lambda _talk, _think: "x", seconds=0.0)(USER)


def test_pairs_come_in_the_order_of_the_conversations() -> None:
    talks = {name: NAMED[name] for name in ("user", "tools")}
    pairs = list(compared(Outcomes(lambda _talk, think: f"{think}"), Outcomes(failing), talks, (True, False)))
    assert [(pair.name, pair.think, pair.before.prompt, pair.after.error) for pair in pairs] == [
        (name, think, f"{think}", f"no {think}") for name in talks for think in (True, False)
    ]
