"""Regular expressions of users: what cannot take long is matched, what may explode is refused unless RE2 is there."""

from __future__ import annotations

import importlib.util
import re
import time

import pytest

from modelsmith import linear
from modelsmith.errors import UsageError
from modelsmith.linear import why_slow
from modelsmith.weights.quantize import tensor_pattern
from modelsmith.weights.quantize.tensor_pattern import MAX_NAME, TensorPattern
from modelsmith.weights.quantize.wishes import TensorRule

NAMES = (
    "token_embd.weight",
    "blk.0.attn_q.weight",
    "blk.17.ffn_down_exps.weight",
    "blk.3.ffn_gate.weight",
    "output.weight",
)


@pytest.fixture
def without_re2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "find_spec", lambda _: None)


@pytest.mark.usefixtures("without_re2")
@pytest.mark.parametrize(
    "text",
    [
        r"blk\.0\..*",
        r"blk\.\d+\.ffn_.*",
        r"^blk\.(0|1|2)\.attn_[qkv]\.",
        r"ffn_(up|down|gate)(_exps)?\.weight$",
        r"blk\.(1[0-9]|2[0-3])\.",
        r"blk\.\d{1,2}\.",
        r"[]x]+\.weight",
        r"a\*b\+",
        r"{name}|weight",
        "",
    ],
)
def test_usual_expressions_find_what_python_finds(text: str) -> None:
    pattern = TensorPattern(text)
    assert [pattern.found_in(name) for name in NAMES] == [re.search(text, name) is not None for name in NAMES]


@pytest.mark.usefixtures("without_re2")
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("([a-z0-9._]+)+X", "can itself match in several ways"),
        ("(a|aa)*X", "can itself match in several ways"),
        ("(a?){30}X", "can itself match in several ways"),
        ("((a*)b?)+", "can itself match in several ways"),
        ("(?:a*){2,}", "can itself match in several ways"),
        (".*.*.*.*X", "4 repetitions, more than 3"),
        (r"(.*)x\1", "refers back"),
        ("(?=a)b", "no plain group"),
        ("a{1000}", "counts up to 1000"),
    ],
)
def test_what_may_explode_is_refused(text: str, why: str) -> None:
    with pytest.raises(UsageError, match="may take too long") as error:
        TensorRule.parse(f"{text}=Q8_0")
    assert why in error.value.message
    assert "google-re2" in error.value.hint


@pytest.mark.usefixtures("without_re2")
def test_the_worst_that_is_taken_is_quick() -> None:
    pattern = TensorPattern("[a-z]*[a-z]*[a-z]*X")
    start = time.process_time()
    assert not pattern.found_in("a" * 63)
    assert time.process_time() - start < 60
    assert not TensorPattern("a").found_in("a" * (MAX_NAME + 1))


def test_all_names_together_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensor_pattern, "_SECONDS", -1.0)
    with pytest.raises(UsageError, match="took more than"):
        TensorPattern("a").found_in("a")


def test_other_faults() -> None:
    with pytest.raises(UsageError, match="is no regular expression"):
        TensorPattern("(")
    with pytest.raises(UsageError, match="too long"):
        TensorPattern("a" * 1000)
    assert TensorPattern("a") == TensorPattern("a") != TensorPattern("b")
    assert len({TensorPattern("a"), TensorPattern("a")}) == 1
    assert why_slow("blk", longest=MAX_NAME, repeats=3) == ""


def test_many_ways_to_match_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensor_pattern, "in_linear_time", lambda _text: None)
    with pytest.raises(UsageError, match="it can match in too many ways"):
        TensorPattern("a?" * 40 + "b")
    assert TensorPattern("(attn|ffn)_(q|k|v)?.*").found_in("blk.0.attn_q.weight")


@pytest.mark.skipif(importlib.util.find_spec("re2") is None, reason="RE2 is not here: pip install google-re2")
def test_with_re2_everything_is_linear() -> None:
    pattern = TensorPattern("([a-z0-9._]+)+X")
    start = time.process_time()
    assert not pattern.found_in("a" * 60)
    assert pattern.found_in("blk.X")
    assert time.process_time() - start < 60
    with pytest.raises(UsageError, match="refers back"):
        TensorPattern(r"(.*)x\1")
