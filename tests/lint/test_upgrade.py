"""What another Ollama changes for a file."""

from __future__ import annotations

import pytest

from modelsmith.lint.document import Document
from modelsmith.lint.upgrade import CHANGES, changes
from modelsmith.versions import Version

TEMPLATE = (
    "{{ range .Messages }}{{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}"
    "<|{{ .Role }}|>{{ .Content }}{{ .ToolCalls }}{{ end }}<|assistant|>"
)
THINKING = f"FROM x:1\nTEMPLATE {TEMPLATE}\n"


def listed(text: str, before: str, after: str) -> set[str]:
    return {each.code for each in changes(Document.parse(text), Version.parse(before), Version.parse(after))}


@pytest.mark.parametrize(
    ("before", "after", "codes"),
    [
        ("0.8", "0.9", {"thinking"}),
        ("0.9", "0.12.3", set()),
        ("0.12.3", "0.12.4", {"think-by-default"}),
        ("0.13", "0.14", {"template-types"}),
        ("0.24", "0.30", {"native-jinja"}),
        ("0.20", "0.33", {"native-jinja", "native-generate"}),
    ],
)
def test_a_thinking_template_meets_each_change_once(before: str, after: str, codes: set[str]) -> None:
    assert {code for code in listed(THINKING, before, after) if not code.startswith("MS")} == codes


def test_a_plain_file_meets_none() -> None:
    assert listed("FROM llama3.2:3b\nPARAMETER temperature 0.5\n", "0.5", "0.33") == set()


def test_what_an_older_one_refuses_is_said_to_be_gone() -> None:
    (each,) = changes(Document.parse("FROM x:1\nDRAFT y:1\n"), Version.parse("0.20"), Version.parse("0.33"))
    assert each.message.startswith("no longer found: ")


def test_json_is_the_same_before_and_after_the_types() -> None:
    text = "FROM x:1\nTEMPLATE {{ range .Messages }}{{ .Content }}{{ json .ToolCalls }}{{ end }}\n"
    assert "template-types" not in listed(text, "0.13", "0.14")


def test_changes_stand_in_the_order_of_versions() -> None:
    versions = [Version.parse(change.since) for change in CHANGES]
    assert versions == sorted(versions)
