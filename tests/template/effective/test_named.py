from __future__ import annotations

import string

import pytest
from conformance_checks import meaning
from hypothesis import given
from hypothesis import strategies as st
from shared import needs_shared

from modelsmith.template.effective import named
from modelsmith.template.effective.named import LIMIT, detect_named, edit_distance, named_templates

CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def slow_distance(left: str, right: str) -> int:
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        row, above = [i], row
        for j, b in enumerate(right, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (a != b)))
    return row[-1]


@given(st.text("abc", max_size=40), st.text("abc", max_size=40), st.integers(0, 45))
def test_distance_is_levenshtein_below_the_limit(left: str, right: str, limit: int) -> None:
    expected = slow_distance(left, right)
    assert edit_distance(left, right, limit) == (expected if expected < limit else None)


@given(st.text(max_size=30), st.text(max_size=30))
def test_distance_counts_code_points(left: str, right: str) -> None:
    assert edit_distance(left, right, 100) == slow_distance(left, right)


def test_ollama_has_twenty_templates() -> None:
    templates = named_templates()
    assert len(templates) == 20
    assert all(template.name == name and template.template for name, template in templates.items())
    assert templates["chatml"].stop == ("<|im_start|>", "<|im_end|>")


def test_recognises_a_template_and_a_close_one() -> None:
    found = detect_named(CHATML)
    assert found is not None
    assert (found.name, "<|im_start|>" in found.template) == ("chatml", True)
    assert detect_named(CHATML + "x" * (LIMIT - 1)) == found


@pytest.mark.parametrize("jinja", ["", CHATML + string.ascii_letters * 4, "{{ messages }}" * 30])
def test_gives_nothing_when_nothing_is_close(jinja: str) -> None:
    assert detect_named(jinja) is None


def test_long_texts_are_not_compared_letter_by_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(named, "edit_distance")
    assert detect_named("{{ '<|im_start|>' }}" * 20_000) is None


@needs_shared
def test_agrees_with_the_recorded_names() -> None:
    agree, total, differences = meaning.named()
    assert (differences[:3], agree) == ([], total)
    assert total == 407
