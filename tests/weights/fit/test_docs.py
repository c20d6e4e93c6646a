"""The page about fit says what the program computes; with UPDATE_EXPECTED=1 its tables are written anew."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fit_tables import cards_table, compared, contexts_table, published_table

from modelsmith.cli import run

PAGE = Path(__file__).resolve().parents[3] / "docs" / "fit.md"


@pytest.mark.parametrize(
    ("name", "table"), [("cards", cards_table), ("contexts", contexts_table), ("published", published_table)]
)
def test_the_tables_of_the_page(name: str, table: Callable[[], str]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    place = re.compile(rf"(<!-- table: {name} -->\n)(.*?)(\n?<!-- end -->)", re.DOTALL)
    match = place.search(text)
    assert match is not None
    computed = table()
    if os.environ.get("UPDATE_EXPECTED"):
        PAGE.write_text(place.sub(lambda found: f"{found[1]}{computed}\n<!-- end -->", text), encoding="utf-8")
        return
    assert match[2] == computed


def test_the_output_on_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fit", "--shape", "deepseek-r1:32b", "--vram", "24G", "--ctx", "8k,16k,32k"]) == 0
    text = PAGE.read_text(encoding="utf-8")
    place = re.compile(r"(The second one prints:\n\n```text\n)(.*?)(```)", re.DOTALL)
    match = place.search(text)
    assert match is not None
    printed = capsys.readouterr().out
    if os.environ.get("UPDATE_EXPECTED"):
        PAGE.write_text(place.sub(lambda found: f"{found[1]}{printed}{found[3]}", text), encoding="utf-8")
        return
    assert match[2] == printed


def test_published_figures_are_met() -> None:
    for each, ours in compared():
        for mine, theirs in zip(ours, each.cards, strict=True):
            assert abs(mine / theirs - 1) < 0.04, each.what
        assert abs(sum(ours) / sum(each.cards) - 1) < 0.02, each.what
