"""Every rule keeps its word: on its own documentation, and on the cases in its fixture folder.

A case is ``fixtures/<module>/<case>.Modelfile`` (or ``.gotmpl``). ``<case>.expected`` lists what this rule alone finds there,
one finding a line: ``line:column severity message``; without the file it must find nothing. ``<case>.fixed`` is the text after
all its fixes, ``<case>.safe`` after the safe ones; without them its fixes must change nothing. ``<case>.toml`` may hold
``target``, ``policy`` and ``surroundings`` (see lint_cases.py). ``UPDATE_EXPECTED=1`` writes what is found now.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from lint_cases import FIXTURES, Case, cases

from modelsmith.lint.linter import lint
from modelsmith.lint.rule import HEADINGS, Rule
from modelsmith.lint.rules import all_rules
from modelsmith.lint.run.engine import check
from modelsmith.lint.run.fixes import fix

CASES = cases()
EXAMPLE = re.compile(r"```(modelfile|gotmpl)\n(.*?)```", re.DOTALL)
QUIET_DOCS = {"MS001"}


def module(rule: Rule) -> str:
    return f"{rule.code}_{rule.name}".lower().replace("-", "_")


def outcome(path: Path, content: str | None) -> None:
    """Compare with what the file holds; None means that there is none."""
    if os.environ.get("UPDATE_EXPECTED"):
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(content.encode("utf-8", "surrogateescape"))
    before = path.read_bytes().decode("utf-8", "surrogateescape") if path.exists() else None
    assert content == before


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case) -> None:
    document = case.document()
    found = check(document)
    lines = []
    for each in found:
        line, column = document.source.position(each.span.start)
        lines.append(f"{line}:{column} {each.severity} {each.message}\n")
    outcome(case.path.with_suffix(".expected"), "".join(lines) or None)
    safe, every = fix(document).document.text, fix(document, unsafe=True).document.text
    outcome(case.path.with_suffix(".safe"), safe if safe not in (document.text, every) else None)
    outcome(case.path.with_suffix(".fixed"), every if every != document.text else None)


@pytest.mark.parametrize("rule", all_rules().values(), ids=lambda rule: rule.code)
def test_a_rule_is_documented_and_has_cases_for_and_against(rule: Rule) -> None:
    assert tuple(rule.sections) == HEADINGS
    assert rule.summary.endswith(".")
    assert all(rule.sections.values())
    own = [case for case in CASES if case.path.parent.name == module(rule)]
    assert any(case.path.with_suffix(".expected").exists() for case in own), (
        f"no case in which {rule.code} finds something"
    )
    assert any(not case.path.with_suffix(".expected").exists() for case in own), (
        f"no case in which {rule.code} is silent"
    )


@pytest.mark.parametrize("rule", all_rules().values(), ids=lambda rule: rule.code)
def test_the_examples_of_a_rule_are_examples(rule: Rule) -> None:
    for heading, expected in (("Example", True), ("Use instead", False)):
        for language, text in EXAMPLE.findall(rule.sections[heading]):
            name = "Modelfile" if language == "modelfile" else "x.gotmpl"
            codes = {each.code for each in lint(text, name=name)}
            if expected and rule.code not in codes:
                assert "<!-- needs" in rule.sections[heading], f"{rule.code} does not find its own example"
            assert expected or rule.code not in codes, f"{rule.code} finds what it recommends"


def test_every_fixture_folder_belongs_to_a_rule() -> None:
    assert {path.name for path in FIXTURES.iterdir()} <= {module(rule) for rule in all_rules().values()}
