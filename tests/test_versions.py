from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelsmith.errors import UsageError
from modelsmith.versions import FACTS, NEWEST, Version, resolve


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("0.30", "0.30.0"),
        ("v0.12.4", "0.12.4"),
        ("1", "1.0.0"),
        ("0.33.0-rc2", "0.33.0-rc2"),
        (" 0.9.0+build.7 ", "0.9.0"),
        ("0.33.0-12-gabcdef0", "0.33.0"),
        ("v0.35.0-rc1-5-gabc1234-dirty", "0.35.0-rc1"),
        ("0.34.1-dirty", "0.34.1"),
        ("0.34.1-beta.2", "0.34.1-beta.2"),
    ],
)
def test_reads_versions(text: str, printed: str) -> None:
    assert str(Version.parse(text)) == printed


@pytest.mark.parametrize("text", ["", "latest", "0.x", "0.1.2.3", "0.30.0-", "٣.0", "-1"])
def test_refuses_what_is_no_version(text: str) -> None:
    with pytest.raises(UsageError, match="not a version of Ollama") as caught:
        Version.parse(text)
    assert "0.30.0" in caught.value.hint


def test_orders_candidates_before_their_release() -> None:
    ordered = ["0.9.6", "0.30.0-alpha1", "0.30.0-rc2", "0.30.0-rc10", "0.30.0", "0.30.1-rc0"]
    assert sorted(map(Version.parse, reversed(ordered))) == [Version.parse(text) for text in ordered]


def test_a_candidate_has_what_its_release_brings() -> None:
    assert Version.parse("0.30.0-rc32").has("0.30.0")
    assert not Version.parse("0.29.9").has("0.30.0")


def test_no_version_means_the_newest_known() -> None:
    assert resolve(None) is NEWEST
    assert resolve("0.9") == resolve(Version(0, 9, 0))
    assert all(NEWEST.has(fact.since) for fact in FACTS.values())


@given(st.tuples(*[st.integers(0, 999)] * 3))
def test_printing_and_reading_are_inverse(numbers: tuple[int, int, int]) -> None:
    version = Version(*numbers)
    assert Version.parse(str(version)) == version
