"""Suppressions, the order of findings, and fixes that come to rest."""

from __future__ import annotations

import pytest

from modelsmith.diagnostic import Diagnostic, Fix, Severity
from modelsmith.errors import ModelsmithError
from modelsmith.lint.document import Document
from modelsmith.lint.facts.suppress import suppressions
from modelsmith.lint.linter import lint
from modelsmith.lint.run import fixes
from modelsmith.lint.run.engine import check
from modelsmith.lint.run.fixes import fix
from modelsmith.lint.settings import Settings
from modelsmith.source import Edit, Span

UNPINNED = Settings(select=("MS508", "MS001"))


def codes(text: str, name: str = "Modelfile", settings: Settings = UNPINNED) -> list[str]:
    return [each.code for each in check(Document.parse(text, name, settings=settings))]


def test_findings_come_in_the_order_of_the_text_and_the_worst_first() -> None:
    found = lint("FROM deepseek-r1\nPARAMETER top_kk 3\nPARAMETER temperature warm\n")
    assert [each.span for each in found] == sorted(each.span for each in found)
    assert {Severity.ERROR, Severity.INFO} <= {each.severity for each in found}


@pytest.mark.parametrize(
    ("comment", "left"),
    [
        ("# modelsmith: ignore[MS508] on purpose", []),
        ("#modelsmith:ignore[MS508]", []),
        ("# modelsmith: ignore=MS508", []),
        ("# modelsmith: ignore[MS104, MS508]", []),
        ("# modelsmith: ignore-file[MS508]", []),
        ("# modelsmith: ignore[MS104]", ["MS508"]),
        ("# modelsmith: ignore", ["MS508"]),
        ("# something else", ["MS508"]),
    ],
)
def test_a_comment_above_silences(comment: str, left: list[str]) -> None:
    assert codes(f"{comment}\nFROM deepseek-r1\n") == left


def test_a_comment_reaches_over_other_comments_to_the_next_instruction_only() -> None:
    text = "# modelsmith: ignore[MS508] x\n# another\n\nFROM deepseek-r1\nFROM llama3\n"
    assert codes(text) == ["MS508"]


def test_a_comment_for_the_file_may_stand_anywhere() -> None:
    assert codes("FROM deepseek-r1\n# modelsmith: ignore-file[MS508] x\n") == []


def test_an_idle_suppression_is_reported_and_removed() -> None:
    text = "# modelsmith: ignore[MS508] x\nFROM deepseek-r1:8b\n"
    assert codes(text) == ["MS001"]
    assert fix(Document.parse(text, settings=UNPINNED)).document.text == "FROM deepseek-r1:8b\n"


def test_a_suppression_of_a_rule_that_did_not_run_is_not_judged() -> None:
    assert codes("# modelsmith: ignore[MS104] x\nFROM deepseek-r1:8b\n") == []


def test_a_comment_in_a_template_silences_the_next_line() -> None:
    text = "{{/* modelsmith: ignore[MS304] x */}}\nA\\nB{{ range .Messages }}{{ .Content }}{{ end }}\nA\\nB"
    found = [each.span.start for each in lint(text, name="x.gotmpl", select=["MS304"])]
    assert found == [text.rindex("\\n")]


def test_suppressions_know_their_places() -> None:
    document = Document.parse("# modelsmith: ignore[MS104,MS508] x\nFROM a\n")
    (comment,) = suppressions(document)
    assert [(code, span.of(document.text)) for code, span in comment.codes] == [("MS104", "MS104"), ("MS508", "MS508")]


def found(*spans: tuple[int, int, str]) -> list[Diagnostic]:
    return [
        Diagnostic("MS999", "x", Span(start, end), fix=Fix("y", (Edit(Span(start, end), text),), safe=True))
        for start, end, text in spans
    ]


def test_fixes_that_overlap_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = iter([found((0, 4, "from"), (2, 6, "xxxx")), found((5, 6, "b")), []])
    monkeypatch.setattr(fixes, "check", lambda _document: tuple(next(rounds)))
    fixed = fix(Document.parse("FROM a\n"))
    assert fixed.document.text == "from b\n"
    assert len(fixed.applied) == 2


def test_a_fix_after_which_ollama_refuses_the_file_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    harmful, harmless = found((0, 4, "MORF")), found((5, 6, "b"))
    monkeypatch.setattr(fixes, "check", lambda document: (*harmful, *(harmless if "a" in document.text else [])))
    assert fix(Document.parse("FROM a\n")).document.text == "FROM b\n"


def test_fixes_that_undo_each_other_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixes, "check", lambda d: tuple(found((5, 6, "b" if d.text[5] == "a" else "a"))))
    with pytest.raises(ModelsmithError, match="MS999 do not come to rest"):
        fix(Document.parse("FROM a\n"))


def test_unsafe_fixes_wait_until_they_are_asked_for() -> None:
    document = Document.parse("FROM ./m-00001-of-00002.gguf\n", settings=Settings(select=("MS504",)))
    assert fix(document).document.text == document.text
    assert "00002-of-00002" in fix(document, unsafe=True).document.text


def test_what_was_utf16_is_written_as_utf8_after_the_fix() -> None:
    data = "\ufeffFROM llama3.2:3b\r\n".encode("utf-16-le")
    fixed = fix(Document.parse(data, settings=Settings(select=("MS107",))))
    assert fixed.data == b"FROM llama3.2:3b\r\n"


def test_settings_choose_rules_by_the_longest_match() -> None:
    settings = Settings(select=("MS3",), ignore=("MS30",))
    assert settings.wants("MS311")
    assert not settings.wants("MS301")
    assert not settings.wants("MS104")
    assert Settings(select=("MS301",), ignore=("MS3",)).wants("MS301")
    assert Settings().wants("MS104")
    assert not Settings(ignore=("MS104",)).wants("MS104")


def test_fixes_that_make_room_for_each_other_end_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty values, each of which swallowed the next: what fifty rounds mend is kept."""
    text = "FROM mistral\n" + 'TEMPLATE """[INST] latest\n\nFROM mistral\n' * 60 + 'TEMPLATE """x"""\n'
    fixed = fix(Document.parse(text), unsafe=True)
    assert fixed.applied
    assert fix(fixed.document, unsafe=True).document.text != text


def test_a_comment_silences_what_it_stands_above_and_nothing_else() -> None:
    comment = "# modelsmith: ignore[MS508]\n"
    assert codes(f"{comment}{comment}# another\nFROM deepseek-r1\n") == []
    assert codes(f"FROM deepseek-r1\n{comment}SYSTEM x\n") == ["MS508", "MS001"]
    assert codes(f"FROM deepseek-r1\n{comment}") == ["MS508", "MS001"]
