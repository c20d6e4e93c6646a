"""Formatting: the cases on disk (NAME.in becomes NAME.out, or stays where there is none), and what holds for any file."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from gotemplate_fragments import templates
from hypothesis import example, given, settings
from hypothesis import strategies as st
from modelfile_strategies import accepted, files, texts
from shared import conformance, corpus, needs_shared

from modelsmith.errors import ModelfileRefused, TemplateSyntaxError, VerificationFailed
from modelsmith.fmt import format as formatting
from modelsmith.fmt.format import format_bytes, format_modelfile, format_template
from modelsmith.source import Edit, Span
from modelsmith.syntax.modelfile.modelfile import Modelfile

CASES = Path(__file__).parent / "cases"


def cases(kind: str) -> list[object]:
    return [pytest.param(path, id=path.stem) for path in sorted((CASES / kind).glob("*.in"))]


def expected(path: Path) -> bytes:
    after = path.with_suffix(".out")
    return (after if after.exists() else path).read_bytes()


@pytest.mark.parametrize("path", cases("modelfile"))
def test_modelfiles(path: Path) -> None:
    after = format_bytes(path.read_bytes(), "Modelfile")
    assert after == expected(path)
    assert format_bytes(after, "Modelfile") == after
    assert Modelfile.parse(after).as_ollama() == Modelfile.parse(path.read_bytes()).as_ollama()


@pytest.mark.parametrize("path", cases("template"))
def test_templates(path: Path) -> None:
    after = format_bytes(path.read_bytes(), "x.gotmpl")
    assert after == expected(path)
    assert format_bytes(after, "x.gotmpl") == after


@pytest.mark.parametrize("path", cases("modelfile-with-templates"))
def test_templates_in_modelfiles(path: Path) -> None:
    after = format_bytes(path.read_bytes(), "Modelfile", templates=True)
    assert after == expected(path)
    assert format_bytes(after, "Modelfile", templates=True) == after


@pytest.mark.parametrize("path", cases("refused"))
def test_refused_files_are_left_alone_with_a_reason(path: Path) -> None:
    with pytest.raises(ModelfileRefused) as refusal:
        format_bytes(path.read_bytes(), "Modelfile")
    assert refusal.value.message == path.with_suffix(".out").read_text().rstrip("\n")
    assert refusal.value.hint


def test_what_is_formatted_already_is_the_same_object() -> None:
    modelfile = Modelfile.parse("FROM x\nSYSTEM hi\n")
    assert format_modelfile(modelfile) is modelfile


@pytest.mark.parametrize("text", ["{{ if }}", "{{ .X", "{{ nosuch }}", "{{ $x }}", "{{end}}"])
def test_a_faulty_template_is_refused(text: str) -> None:
    with pytest.raises(TemplateSyntaxError):
        format_template(text)


def test_a_template_in_another_encoding_is_refused() -> None:
    with pytest.raises(TemplateSyntaxError, match="byte 13 is no valid UTF-8"):
        format_bytes("{{ .Prompt}}é".encode("latin-1"), "x.gotmpl")


@pytest.mark.parametrize("size", [1_000_000])
def test_a_very_long_line(size: int) -> None:
    long = "x" * size
    assert format_bytes(f"from {long}\nsystem {long}".encode(), "Modelfile") == f"FROM {long}\nSYSTEM {long}\n".encode()
    blanks = " " * size
    assert (
        format_bytes(f"FROM{blanks}x{blanks}\n{blanks}\n\nSYSTEM hi".encode(), "Modelfile") == b"FROM x\n\nSYSTEM hi\n"
    )
    assert format_template(f"{{{{{blanks}.Prompt{blanks}}}}}") == "{{ .Prompt }}"


# --- laws ------------------------------------------------------------------------------------------------------------


def check_laws(data: str | bytes, *, inside: bool = False) -> bool:
    """Assert what holds for every file; return whether it was formatted."""
    before = Modelfile.parse(data)
    try:
        after = format_modelfile(before, templates=inside)
    except ModelfileRefused:
        assert before.as_ollama().error or not is_text(before)
        return False
    written = bytes(after)
    assert format_modelfile(Modelfile.parse(written), templates=inside).text == after.text
    written.decode()
    assert not written.startswith(b"\xef\xbb\xbf")
    if not inside:
        assert Modelfile.parse(written).as_ollama() == before.as_ollama()
    assert [each.text.rstrip(" \t") for each in before.comments] == [each.text for each in after.comments]
    return True


def is_text(modelfile: Modelfile) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in modelfile.text)


@given(st.one_of(texts, files(), accepted()), st.booleans())
@example("FROM x\nPARAMETER  top_k 1\n", False)
@example("FROM m\nSYSTEM \u00a0\n", False)
def test_any_file(data: str | bytes, inside: bool) -> None:
    check_laws(data, inside=inside)


@given(accepted())
def test_what_ollama_accepts_is_formatted(text: str) -> None:
    assert check_laws(text)


def check_template_laws(text: str) -> None:
    """Assert that a template that Go accepts is formatted, and that once is enough; others are refused."""
    try:
        after = format_template(text)
    except TemplateSyntaxError:
        return
    assert format_template(after) == after


@settings(max_examples=60)
@given(templates)
def test_any_template(text: str) -> None:
    check_template_laws(text)


@pytest.mark.parametrize(
    ("data", "edit", "message"),
    [
        ("FROM x\nSYSTEM hi", Edit(Span(14, 16), "ho"), "what is read in its part 2"),
        ("# a\nFROM x\n", Edit(Span(0, 4), ""), "what is read in its part 1"),
        ("FROM x\nSYSTEM hi", Edit(Span(0, 7), ""), "what is read in its part 1"),
        ("FROM x\nSYSTEM hi", Edit(Span(0, 16), ""), "what is read in its part 1"),
        ("FROM x\nSYSTEM hi", Edit(Span(16, 16), "\nSYSTEM ho"), "what is read in its part 3"),
        ("FROM x", Edit(Span(0, 4), "from"), "it a second time"),
    ],
)
def test_a_formatter_gone_wrong_is_noticed(
    monkeypatch: pytest.MonkeyPatch, data: str, edit: Edit, message: str
) -> None:
    monkeypatch.setattr(formatting, "layout_edits", lambda _: iter([edit]))
    with pytest.raises(VerificationFailed, match=message) as failure:
        format_modelfile(Modelfile.parse(data))
    assert "report" in failure.value.hint


@pytest.mark.parametrize(
    ("text", "edit", "message"),
    [
        ("a{{ .Prompt }}", Edit(Span(0, 1), "b"), "the template"),
        ("a{{ .Prompt }}", Edit(Span(4, 11), ".System"), "the template"),
        ("a {{ .Prompt }}", Edit(Span(4, 4), "-"), "the template"),
        ("{{ print (.Prompt).X }}", Edit(Span(18, 18), " "), "the template"),
    ],
)
def test_a_template_formatter_gone_wrong_is_noticed(
    monkeypatch: pytest.MonkeyPatch, text: str, edit: Edit, message: str
) -> None:
    monkeypatch.setattr(formatting, "action_edits", lambda _: iter([edit]))
    with pytest.raises(VerificationFailed, match=message):
        format_template(text)


# --- real files ------------------------------------------------------------------------------------------------------


@needs_shared
@pytest.mark.parametrize("inside", [False, True])
def test_real_modelfiles(inside: bool) -> None:
    paths = sorted(corpus("modelfiles").glob("*.Modelfile"))
    formatted = sum(check_laws(path.read_bytes(), inside=inside) for path in paths)
    assert formatted >= 0.95 * len(paths) > 0


@needs_shared
def test_recorded_commands_of_ollama_stay() -> None:
    formatted = 0
    for number, row in enumerate(conformance("modelfiles.jsonl.gz")):
        if number % 5 or "commands" not in row["answer"] or "b64" not in row:
            continue
        before = Modelfile.parse(base64.b64decode(row["b64"]))
        if is_text(before):
            commands = Modelfile.parse(bytes(format_modelfile(before))).as_ollama().commands
            assert commands == tuple((each["name"], each["args"]) for each in row["answer"]["commands"])
            formatted += 1
    assert formatted > 100


def real_templates() -> Iterator[str]:
    for name in ("builtin.jsonl", "library.jsonl"):
        for line in corpus("templates", name).read_text(encoding="utf-8").splitlines():
            yield json.loads(line)["go"]


@needs_shared
def test_real_templates() -> None:
    for text in set(real_templates()):
        check_template_laws(text)  # format_template proves by itself: equal tokens, equal prompts


@needs_shared
def test_templates_that_go_was_asked_about() -> None:
    for number, row in enumerate(conformance("template-fuzz.jsonl.gz")):
        if number % 100 == 0:
            check_template_laws(row["text"])


def test_an_instruction_that_only_the_documentation_knows_is_kept() -> None:
    before = b"from  x\nCAPABILITY tools\n  capability   vision\nSYSTEM  hi\n"
    after = format_bytes(before, "Modelfile")
    assert after == b"FROM x\nCAPABILITY tools\ncapability   vision\nSYSTEM hi\n"
    assert format_bytes(after, "Modelfile") == after
    with pytest.raises(ModelfileRefused, match="command must be one of"):
        format_bytes(b'FROM x\nCAPABILITY """a\nb"""\n', "Modelfile")
