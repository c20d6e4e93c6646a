from __future__ import annotations

import pytest

from modelsmith.errors import UsageError
from modelsmith.hub.reference import HubReference, is_hub, is_hub_name, is_safe_path

COMMIT = "c0ffee" + "0" * 34


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hf://org/repo", HubReference("org/repo")),
        ("hf://org/repo:Q4_K_M", HubReference("org/repo", quantization="Q4_K_M")),
        ("hf://org/repo@v1.0:q8_0", HubReference("org/repo", "v1.0", quantization="q8_0")),
        ("hf://org/repo@v1.0/a/b-Q4_0.gguf", HubReference("org/repo", "v1.0", "a/b-Q4_0.gguf")),
        ("hf://org/repo/m.gguf", HubReference("org/repo", file="m.gguf")),
        ("hf://org/repo@refs/pr/3/m.gguf", HubReference("org/repo", "refs/pr/3", "m.gguf")),
        ("hf://org/repo@a%2Fb/m.gguf", HubReference("org/repo", "a/b", "m.gguf")),
        (f"hf://org/repo@{COMMIT}", HubReference("org/repo", COMMIT)),
        ("hf.co/org/repo:Q4_K_M", HubReference("org/repo", quantization="Q4_K_M")),
        ("huggingface.co/org/Repo-7B:latest", HubReference("org/Repo-7B")),
        ("https://huggingface.co/org/repo", HubReference("org/repo")),
        (
            "https://huggingface.co/org/repo/resolve/main/x%20y.gguf?download=true",
            HubReference("org/repo", "main", "x y.gguf"),
        ),
        ("https://hf.co/org/repo/blob/v2/m.gguf", HubReference("org/repo", "v2", "m.gguf")),
        ("https://huggingface.co/org/repo/tree/main", HubReference("org/repo", "main")),
    ],
)
def test_every_form_is_read(text: str, expected: HubReference) -> None:
    assert HubReference.parse(text) == expected
    assert HubReference.parse(str(expected)) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hf://", "owner and its name"),
        ("hf://org", "owner and its name"),
        ("hf://org/", "owner and its name"),
        ("hf://../repo", "owner and its name"),
        ("hf://org/re po", "owner and its name"),
        ("hf://org/repo@", "no branch, tag or commit"),
        ("hf://org/repo@../x", "no branch, tag or commit"),
        ("hf://org/repo@a%2F..%2Fb/m.gguf", "no branch, tag or commit"),
        ("hf://org/repo/../../etc/passwd", "no path of a file"),
        ("hf://org/repo:", "no quantization"),
        ("hf://org/repo:Q4/K", "no quantization"),
        ("https://example.com/org/repo", "does not begin"),
        ("org/repo", "does not begin"),
    ],
)
def test_what_is_none_is_refused_with_the_way_out(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        HubReference.parse(text)
    assert "hf://org/repo" in caught.value.hint


def test_a_commit_is_pinned_and_a_branch_is_not() -> None:
    assert HubReference("o/r", COMMIT).is_pinned
    assert not HubReference("o/r", "main").is_pinned


def test_names_are_those_that_ollama_writes() -> None:
    assert HubReference("o/r", quantization="Q4_K_M").ollama_name == "hf.co/o/r:Q4_K_M"
    assert is_hub_name("hf.co/o/r:Q4_K_M")
    assert not is_hub_name("hf.co/o/r/m.gguf")
    assert is_hub("hf://o/r")
    assert is_hub("https://huggingface.co/o/r")
    assert not is_hub("hf.co/o/r")
    assert not is_hub("o/r")
    assert not is_hub("https://example.com/hf.co/")


@pytest.mark.parametrize("path", ["", "/a", "a//b", "a/../b", "..", "a\\b", "a\x1bb", "a/", "x" * 2000])
def test_paths_that_leave_their_folder_or_steer_a_terminal_are_not_safe(path: str) -> None:
    assert not is_safe_path(path)
