"""What takes time that grows with the square of an input's length is refused a place: a megabyte is read in seconds.

The bounds are generous (a quadratic reading of these takes minutes) and count the time of this process alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from modelsmith.cli import run
from modelsmith.diagnostic import Diagnostic, Fix, Severity
from modelsmith.doctor import check_command, check_markdown
from modelsmith.errors import RecipeError, UnreadableFile
from modelsmith.lint.document import Document
from modelsmith.lint.linter import lint
from modelsmith.lint.run import fixes
from modelsmith.recipe.read.load import parse_recipe
from modelsmith.source import Edit, Span

SECONDS = 20.0


@contextmanager
def in_time() -> Iterator[None]:
    began = time.process_time()
    yield
    assert time.process_time() - began < SECONDS


@pytest.mark.parametrize(
    "text",
    [
        "FROM x\n" + "\r" * 200_000,
        'FROM x\nSYSTEM """' + "\r" * 400_000 + '"""\n',
        'FROM x\nTEMPLATE """' + " " * 400_000 + "{{ .Prompt }}" + "\n" * 400_000 + '"""\n',
    ],
    ids=["returns", "returns in a value", "blanks in a template"],
)
def test_modelfiles(text: str) -> None:
    with in_time():
        lint(text)


@pytest.mark.parametrize(
    "text",
    [
        "```json\n" + "\n" * 200_000 + '{"a": 1}\n```\n',
        "```\n" + " \n" * 200_000 + "\n```\n",
        "```ini\n" + "\n" * 200_000 + "\n```\n",
        "```sh\n" + "\n" * 200_000 + "\n```\n",
    ],
    ids=["json", "text", "ini", "shell"],
)
def test_empty_lines_in_fences(text: str) -> None:
    with in_time():
        assert check_markdown(text, lint) == ()


def test_commands() -> None:
    with in_time():
        check_command("ollama run x" + "\n" * 200_000 + "base_url=" * 20_000)


def test_keys_that_are_there_twice() -> None:
    text = "from: x\nparameters:\n" + "".join(f"  temperature: {number % 2}\n" for number in range(4000))
    with in_time(), pytest.raises(RecipeError) as raised:
        parse_recipe(text.encode(), name="twice.yaml")
    assert len(raised.value.diagnostics) == 3999


def test_many_fixes_are_chosen_at_once() -> None:
    found = [
        Diagnostic(
            "X",
            "x",
            Span(place, place + 1),
            Severity.WARNING,
            fix=Fix("x", (Edit(Span(place, place + 1), ""),), safe=True),
        )
        for place in range(0, 200_000, 2)
    ]
    with in_time():
        assert len(list(fixes._fitting(found))) == len(found)


def test_fixes_in_each_others_place_are_put_off() -> None:
    def at(*spans: tuple[int, int]) -> Diagnostic:
        edits = tuple(Edit(Span(*span), "") for span in spans)
        return Diagnostic("X", str(spans), Span(*spans[0]), Severity.WARNING, fix=Fix("x", edits, safe=True))

    found = [at((0, 2), (8, 9)), at((2, 3)), at((3, 4)), at((5, 9)), at((5, 7)), at((9, 9)), at((10, 11), (4, 4))]
    assert list(fixes._fitting(found)) == [found[0], found[2], found[4]]


def test_fixes_that_break_the_file_together_are_tried_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    document = Document.parse(b"FROM x\n" + b"parameter temperature 0.5\n" * 200, "Modelfile")
    tried: list[int] = []

    def breaks(before: Document, after: Document) -> bool:
        tried.append(len(before.text) - len(after.text))
        return True

    monkeypatch.setattr(fixes, "_breaks", breaks)
    fixes.fix(document)
    assert 1 <= len(tried) <= fixes.TRIALS


@pytest.mark.parametrize(
    "text",
    [
        "OLLAMA_HOST=0.0.0.0 ollama serve\n" * 3_000,
        "OLLAMA_NUM_GPU=1 ollama serve\n" * 3_000,
        "FROM x\nPARAMETER top_k 5\n\nmore\n\n" * 1_000,
        "<!-- modelsmith: ignore -->\n```sh\nollama logs\n\n" * 20_000,
        "<!-- modelsmith: ignore[MSD01] -->\nollama logs x --y\n" * 2_000,
    ],
    ids=["protection", "intel", "modelfiles", "unclosed blocks", "ignored"],
)
def test_many_findings_in_a_text(text: str) -> None:
    with in_time(), suppress(UnreadableFile):  # thousands of findings are refused
        check_markdown(text, lambda _: ())


def test_files_with_too_many_lines_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "Modelfile"
    file.write_text("FROM x\n" + "junk\n" * 300_000)
    with in_time():
        assert run(["lint", str(file)]) == 3
    assert "300,001 lines outside of quotes" in capsys.readouterr().err
    for words in (["explain", str(file)], ["render", str(file), "-u", "x"], ["edit", str(file), "--set", "top_k=1"]):
        with in_time():
            assert run(words) == 3
        assert "300,001 lines outside of quotes" in capsys.readouterr().err


def test_parse_shows_some_hundred_places_at_which_ollama_stops(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "Modelfile"
    file.write_text("FROM x\n" + "PARAMTER stop a\n" * 700)
    assert run(["parse", str(file)]) == 1
    shown = capsys.readouterr().err
    assert shown.count("PARAMETER") >= 500
    assert shown.endswith("… and 200 more places\n")
