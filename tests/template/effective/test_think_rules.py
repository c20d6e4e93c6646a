from __future__ import annotations

import pytest

from modelsmith.template.effective.think_rules import ThinkOutcome, think_semantics

NEW = None


@pytest.mark.parametrize(
    ("version", "capable", "think", "value"),
    [
        (NEW, True, None, True),
        (NEW, True, True, True),
        (NEW, True, False, False),
        (NEW, True, "max", "max"),
        (NEW, True, "", True),
        (NEW, False, None, None),
        (NEW, False, False, False),
        ("0.12.4", True, None, True),
        ("0.12.3", True, None, None),
        ("0.12.3", False, False, False),
        ("0.9.0", True, True, True),
        ("0.8.0", True, True, None),
        ("0.17.7", True, "low", "low"),
    ],
)
def test_what_think_becomes(
    version: str | None, capable: bool, think: bool | str | None, value: bool | str | None
) -> None:
    assert think_semantics(version, capable, think) == ThinkOutcome(value)


@pytest.mark.parametrize(
    ("version", "capable", "think", "error"),
    [
        (NEW, False, True, "does not support thinking"),
        (NEW, False, "high", "does not support thinking"),
        ("0.12.4", False, False, "does not support thinking"),
        (NEW, True, "huge", 'invalid think value: "huge" (must be "max", "high", "medium", "low", true, or false)'),
        ("0.21.0", True, "max", "invalid think value"),
        ("0.17.6", True, "low", 'think value "low" is not supported for this model'),
        ("0.10.0", True, "low", "invalid think value"),
    ],
)
def test_what_ollama_refuses(version: str | None, capable: bool, think: bool | str | None, error: str) -> None:
    outcome = think_semantics(version, capable, think)
    assert error in outcome.error
    assert not outcome.splits


def test_harmony_knows_levels_first_and_no_max() -> None:
    assert think_semantics("0.11.0", True, "low", harmony=True).value == "low"
    assert think_semantics(NEW, True, "max", harmony=True).value == "high"


def test_the_answer_is_split_only_while_thinking() -> None:
    assert think_semantics(NEW, True, None).splits
    assert not think_semantics(NEW, True, False).splits
