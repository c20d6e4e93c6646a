"""What a newcomer adds touches what CONTRIBUTING.md says, and nothing else: a rule, a format, a step, a source, an architecture for fit.

Each is added to a copy of the package, and used there.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from copied_package import add_behind, copied_package, run

RULE = '''"""A system prompt in capitals only.

## What it does
Reports it.

## Why
It is loud.

## Example
SYSTEM "HELLO"

## Use instead
SYSTEM "Hello"

## Fix safety
There is no fix.

## Source
A test.
"""

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule


@rule(Severity.WARNING)
def check(document):
    """Yield it."""
    for instruction in document.find("SYSTEM"):
        if instruction.value.isupper():
            yield Finding(instruction.span, "the system prompt shouts")
'''
FORMAT = '''"""Codes alone."""


def write(reports):
    """Return a code a line."""
    return "".join(f"{diagnostic.code}\\n" for report in reports for diagnostic in report.diagnostics)
'''
STEP = '''"""Step ``greet``: an answer that ends at a name."""

from dataclasses import replace

from modelsmith.recipe.parts.fields import Part


class Options(Part):
    """Greet somebody."""

    whom: str
    """Who is greeted."""


def edit(draft, *options):
    """Return the draft that stops at the name of who is greeted."""
    for greeting in options:
        draft = replace(draft, modelfile=draft.modelfile.append_parameter("stop", greeting.whom))
    return draft
'''
SOURCE = '''"""The sample under another name."""

from modelsmith.models.sources import sample


def base(spec, store, folder):
    """Return the sample."""
    return sample.base(f"sample:{spec.removeprefix('twin-of:')}", store, folder)
'''
RECIPE = """\
name: greeting
from: sample:deepseek-r1
template:
  - greet: {whom: Ada}
create: greeting
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a copy of the package to which one of each was added."""
    folder = copied_package(tmp_path_factory.mktemp("package"))
    inside = folder / "modelsmith"
    (inside / "lint/rules/ms998_shouting_system.py").write_text(RULE, encoding="utf-8")
    (inside / "lint/formats/codes.py").write_text(FORMAT, encoding="utf-8")
    formats = inside / "lint/formats/__init__.py"
    formats.write_text(formats.read_text("utf-8").replace('FORMATS = ("', 'FORMATS = ("codes", "', 1), encoding="utf-8")
    (inside / "recipe/steps/greet.py").write_text(STEP, encoding="utf-8")
    steps = inside / "recipe/steps/__init__.py"
    add_behind(steps, "    declare_thinking,", "    greet,\n")
    add_behind(steps, '    "inject": inject,', '    "greet": greet,\n')
    (inside / "models/sources/twin.py").write_text(SOURCE, encoding="utf-8")
    add_behind(
        inside / "models/find.py",
        '    Row("sample"',
        '    Row("twin", lambda spec, _path: spec.startswith("twin-of:")),\n',
    )
    return folder


def test_a_rule_is_one_module(package: Path) -> None:
    (package / "Modelfile").write_text('FROM llama3.2\nSYSTEM "HELLO"\n', encoding="utf-8")
    assert "[MS998]" in run(package, "lint", "Modelfile", code=1)
    assert "shouting-system" in run(package, "rules")
    assert "It is loud." in run(package, "rules", "MS998")


def test_a_format_of_reports_is_one_module_and_its_name(package: Path) -> None:
    (package / "Modelfile").write_text('FROM llama3.2\nSYSTEM "HELLO"\n', encoding="utf-8")
    assert "MS998" in run(package, "lint", "Modelfile", "--format", "codes", code=1).splitlines()


def test_a_step_is_one_module_and_its_row(package: Path) -> None:
    (package / "greeting.yaml").write_text(RECIPE, encoding="utf-8")
    plan = json.loads(run(package, "plan", "greeting.yaml", "--store", "store", "--json"))
    assert "Ada" in json.dumps(plan)
    assert "Who is greeted." in run(package, "recipes", "schema")


def test_a_source_is_one_module_and_its_row(package: Path) -> None:
    (package / "store").mkdir(exist_ok=True)
    said = run(package, "explain", "twin-of:deepseek-r1", "--store", "store").replace("twin-of:", "sample:")
    assert said == run(package, "explain", "sample:deepseek-r1", "--store", "store")
