"""The pages of the rules say what the docstrings say; ``UPDATE_EXPECTED=1`` writes them."""

from __future__ import annotations

import os
from pathlib import Path

from modelsmith.lint.rule_docs import GROUPS, index, pages
from modelsmith.lint.rules import all_rules

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
BEGIN, END = "<!-- rules: begin -->\n", "<!-- rules: end -->"


def test_every_rule_has_its_page() -> None:
    folder = DOCS / "rules"
    if os.environ.get("UPDATE_EXPECTED"):
        folder.mkdir(exist_ok=True)
        for old in folder.glob("*.md"):
            old.unlink()
        for name, text in pages().items():
            (folder / name).write_text(text, encoding="utf-8")
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")} == dict(pages())


def test_the_table_of_rules_is_true() -> None:
    path = DOCS / "lint.md"
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    now, _, after = rest.partition(END)
    if os.environ.get("UPDATE_EXPECTED"):
        now = index()
        path.write_text(before + BEGIN + now + END + after, encoding="utf-8")
    assert now == index()


def test_every_code_has_a_group() -> None:
    assert {code[:3] for code in all_rules()} <= set(GROUPS)
