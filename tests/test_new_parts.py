"""What a newcomer adds touches what CONTRIBUTING.md says, and nothing else: a rule, a format, a step, a source, an architecture, a command.

Each is added to a copy of the package, and used there.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from copied_package import add_behind, copied_package, run
from fit_models import header, layers, write_header

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
COMMAND = '''"""Greet."""

import click


@click.command("greet")
@click.argument("whom")
def command(whom):
    """Greet somebody."""
    click.echo(f"Hello, {whom}!")
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
    add_behind(
        inside / "weights/fit/architectures.py", "ARCHITECTURES", '    "novel": Architecture(window=WindowRule(4)),\n'
    )
    (inside / "cli/text/greet.py").write_text(COMMAND, encoding="utf-8")
    add_behind(
        inside / "cli/__init__.py", '    "convert": Row(', '    "greet": Row("text.greet", "Greet somebody.", TEXT),\n'
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


def test_an_architecture_for_fit_is_one_row(package: Path) -> None:
    numbers = {"block_count": 4, "context_length": 131072, "embedding_length": 256, "attention.head_count": 4}
    numbers |= {"attention.head_count_kv": 4, "attention.sliding_window": 1024}
    caches = []
    for architecture in ("novel", "llama"):
        path = write_header(package / f"{architecture}.gguf", header(architecture, numbers, layers(4)))
        found = json.loads(run(package, "fit", path, "--vram", "24G", "--ctx", "128k", "--json"))
        caches.append(found["contexts"][0]["devices"][0]["kv_cache"])
    windowed, usual = caches
    assert windowed < usual / 2  # three of four layers look back 1024 tokens


def test_a_command_is_one_module_and_its_row(package: Path) -> None:
    assert run(package, "greet", "Ada") == "Hello, Ada!\n"
    assert "Greet somebody." in run(package, "--help")
