"""Secrets in what is shown and logged."""

from __future__ import annotations

import pytest

from modelsmith.masking import looks_secret, masked, masked_arguments, masked_log

HF = "hf_" + "AbCd1234" * 4
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"--set key={HF}: no such input", "--set key=***: no such input"),
        ("no server answers at https://me:pass@host:11434/x", "no server answers at https://***@host:11434/x"),
        (f"Authorization: Bearer {JWT}", "Authorization: Bearer ***"),
        ("ghp_" + "a1B2" * 9, "***"),
        ("sk-proj-" + "x1" * 12, "***"),
        ("AKIA" + "ABCDEFGH12345678"[:16], "***"),
        ("hf://org/repo@main and http://user@host/ stay", "hf://org/repo@main and http://user@host/ stay"),
        ("PARAMETER num_ctx 4096 and sha256:" + "a" * 64, "PARAMETER num_ctx 4096 and sha256:" + "a" * 64),
    ],
)
def test_messages(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert looks_secret(text) == (shown != text)


def test_logs_lose_named_values_too() -> None:
    assert masked_log("{'password': 'x y', 'name': 'n'}") == "{'password': ***, 'name': 'n'}"
    assert masked_log("API_KEY=abc; model=m") == "API_KEY=***; model=m"


def test_words_of_a_command_line() -> None:
    words = ["push", "m", "--password", "pw", "--token=abc", "--set", f"key={HF}", "--store", "http://u:p@h"]
    shown = ["push", "m", "--password", "***", "--token=***", "--set", "key=***", "--store", "http://***@h"]
    assert masked_arguments(words) == shown
