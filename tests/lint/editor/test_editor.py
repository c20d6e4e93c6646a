"""Hover, completion, outline, colours and silencing, on values."""

from __future__ import annotations

from collections import Counter

import pytest
from gotemplate_fragments import templates
from hypothesis import given, settings
from hypothesis import strategies as st
from modelfile_strategies import texts

from modelsmith.lint.document import Document
from modelsmith.lint.editor.colours import TYPES, coloured
from modelsmith.lint.editor.complete import complete, naming_at
from modelsmith.lint.editor.hover import hover, instruction_doc, parameter_doc
from modelsmith.lint.editor.instruction_docs import INSTRUCTION_DOCS, ROLE_DOCS
from modelsmith.lint.editor.place import place_at
from modelsmith.lint.editor.scope import fields_of, scope_at
from modelsmith.lint.editor.silence import silence
from modelsmith.lint.editor.symbols import folds, symbols
from modelsmith.lint.editor.template_docs import FIELD_DOCS, FUNCTION_DOCS, KEYWORD_DOCS, ROOT_DOCS
from modelsmith.lint.run.engine import check
from modelsmith.lint.templates.types import ROOT
from modelsmith.parameters import DEPRECATED_SINCE, PARAMETERS, REMOVED_SINCE
from modelsmith.source import apply_edits
from modelsmith.syntax.gotemplate.lexer import KEYWORDS
from modelsmith.syntax.gotemplate.tokens import FUNCTIONS
from modelsmith.syntax.modelfile.table import INSTRUCTIONS, ROLES
from modelsmith.template.go.values.types import CALL, CALL_FUNCTION, FUNCTION, MESSAGE, TOOL, TOOL_PROPERTY
from modelsmith.template.go.values.types import PARAMETERS as SCHEMA

NAMES = {"modelfile": "Modelfile", "template": "x.gotmpl"}


def at(text: str, name: str = "Modelfile") -> tuple[Document, int]:
    """Return a document and where ``|^|`` is in it."""
    offset = text.index("|^|")
    return Document.parse(text.replace("|^|", ""), name), offset


def labels(text: str, name: str = "Modelfile") -> list[str]:
    return [item.label for item in sorted(complete(*at(text, name)), key=lambda item: item.sort)]


def test_everything_has_its_documentation() -> None:
    assert set(INSTRUCTION_DOCS) == set(INSTRUCTIONS)
    assert set(ROLE_DOCS) == set(ROLES)
    assert set(FUNCTION_DOCS) == set(FUNCTIONS)
    assert set(KEYWORD_DOCS) >= KEYWORDS
    assert set(ROOT_DOCS) == set(ROOT.fields)
    for owner in (MESSAGE, CALL, CALL_FUNCTION, TOOL, FUNCTION, SCHEMA, TOOL_PROPERTY):
        assert fields_of(owner).keys() <= FIELD_DOCS.keys(), owner.name
    for name in (*PARAMETERS, *DEPRECATED_SINCE, *REMOVED_SINCE):
        assert name in parameter_doc(name)
    assert "0.23.1" in instruction_doc("DRAFT")
    assert parameter_doc("temprature") == ""


@pytest.mark.parametrize(
    ("template", "dot"),
    [
        ("{{ ", "the data"),
        ("{{ range .Messages }}{{ ", "*template.templateMessage"),
        ("{{ range .Messages }}{{ end }}{{ ", "the data"),
        ("{{ range .Messages }}{{ else }}{{ ", "the data"),
        ("{{ range .Messages }}{{ if .Content }}{{ ", "*template.templateMessage"),
        ("{{ if .Tools }}{{ else if .Messages }}{{ ", "the data"),
        ("{{ with .Tools }}{{ ", "template.templateTools"),
        ("{{ with .X }}{{ else with .Tools }}{{ ", "template.templateTools"),
        ("{{ range .Tools }}{{ with .Function }}{{ ", "template.templateToolFunction"),
        ("{{ range .Tools }}{{ range $n, $p := .Function.Parameters.Properties }}{{ ", "api.ToolProperty"),
        (
            "{{ range $m := .Messages }}{{ range $m.ToolCalls }}{{ with .Function }}{{ ",
            "template.templateToolCallFunction",
        ),
        ("{{ $last := index .Messages 0 }}{{ with $last }}{{ ", "*template.templateMessage"),
        ("{{ range slice .Messages 1 }}{{ ", "*template.templateMessage"),
        ('{{ block "x" .Messages }}{{ ', "[]*template.templateMessage"),
        ('{{ define "x" }}{{ ', None),
        ("{{ range .Unknown }}{{ ", None),
        ("{{ range index .Messages | json }}{{ ", None),
    ],
)
def test_the_dot_is_known_where_it_can_be(template: str, dot: str | None) -> None:
    scope = scope_at(template, len(template))
    assert scope is not None
    assert (scope.dot.name if scope.dot else None) == dot


@pytest.mark.parametrize("template", ["", "text", "{{ .X }}", '{{ "a', "{{ `a", "{{/* a", "{{ é☃ "])
def test_outside_of_actions_there_is_no_scope(template: str) -> None:
    assert scope_at(template, len(template)) is None


def test_completion_in_templates() -> None:
    assert labels("{{ .|^| }}", "x.gotmpl")[:3] == ["System", "Messages", "Tools"]
    assert labels('{{ define "a" }}{{ end }}{{ template "|^|" . }}', "x.gotmpl") == ["a"]
    assert "range" not in labels("{{ if |^| }}", "x.gotmpl"), "keywords only begin actions"
    assert "eq" in labels("{{ if |^| }}", "x.gotmpl")
    assert labels("{{ range .Messages }}{{ .Content.|^| }}", "x.gotmpl") == [], "a text has no fields"
    assert "Role" in labels("{{ (index .Messages 0).|^| }}", "x.gotmpl"), "what is not known may be anything"
    (document, offset) = at("TEMPLATE {{ .Mes|^|sages }}")
    (item,) = [item for item in complete(document, offset) if item.label == "Messages"]
    assert item.span.of(document.text) == "Messages", "the whole word is replaced"


def test_completion_in_modelfiles() -> None:
    assert labels("FROM x\n|^|")[-1] == "FROM", "what is there once already comes last"
    assert labels("FROM x\nPARAMETER num_ctx 1\nPARAMETER |^|")[-1] == "num_ctx"
    assert labels('TEMPLATE {{ .Prompt }}<|im_end|>\nPARAMETER stop "|^|"') == ['"<|im_end|>"']
    assert labels('TEMPLATE <|im_end|>\nPARAMETER stop "<|im_end|>"\nPARAMETER stop |^|') == []
    assert labels("FROM x\nTEMPLATE {{ .Prompt }}{{ yesterdayDate }}\nREQUIRES |^|") == ["0.14.0", "0.33.0"]
    assert labels("nonsense |^|") == []
    document, offset = at('FROM "./a b|^|c"')
    naming = naming_at(document, offset)
    assert naming is not None
    assert (naming.keyword, naming.written, naming.span.of(document.text)) == ("FROM", "./a b", "./a bc")
    assert naming_at(*at("SYSTEM x|^|")) is None


def test_hover_finds_the_word() -> None:
    text = "FROM x\nTEMPLATE {{ range .Messages }}{{ .Role }}{{ len .Content | json }}{{ end }}"
    document = Document.parse(text)
    for word in ("FROM", "range", ".Messages", ".Role", "len", ".Content", "json", "end"):
        for offset in (text.index(word) + 1, text.index(word) + len(word)):
            found = hover(document, offset)
            assert found is not None
            assert found.span.of(text) == word, (word, offset)
    assert hover(document, text.index("x")) is None
    assert hover(document, len(text)) is not None


def test_hover_says_why_there_is_no_prompt() -> None:
    document = Document.parse("{{ .Prompt.X }}", "x.gotmpl")
    found = hover(document, 0)
    assert found is not None
    assert "fails" in found.markdown
    bomb = "{{ range $.Messages }}" * 30 + "x" + "{{ end }}" * 30
    found = hover(Document.parse(bomb, "x.gotmpl"), 4)
    assert found is not None
    assert "too much" in found.markdown


def test_places_count_what_ollama_drops() -> None:
    document = Document.parse("FROM x\nTEMPLATE {{ .\0Prompt }}")
    place = place_at(document, document.text.index("Prompt"))
    assert place.template is not None
    assert place.template.text[place.inside :].startswith("Prompt")


def test_outline_and_folds() -> None:
    text = '# a\n# b\n\n# c\nFROM x\nTEMPLATE """{{ if .System }}\n{{ range .Messages }}\n{{ end }}{{ else }}{{ end }}"""\nFRMO\n'
    document = Document.parse(text)
    found = symbols(document)
    assert [symbol.name for symbol in found] == ["FROM x", "TEMPLATE"]
    assert [child.name for child in found[1].children[0].children] == ["range .Messages"]
    assert [fold.span.of(text)[:4] for fold in folds(document)] == ["{{ i", "{{ r", "TEMP", "# a\n"]
    deep = Document.parse("{{ if .X }}" * 200 + "{{ end }}" * 200, "x.gotmpl")
    assert len(symbols(deep)) == 1


@pytest.mark.parametrize(
    ("name", "text", "comment"),
    [
        ("Modelfile", "FROM x:1\n  PARAMETER num_ctxx 1\n", "  # modelsmith: ignore[MS201]\n"),
        ("Modelfile", 'FROM x:1\nTEMPLATE """a\n{{ fi }}"""\n', "# modelsmith: ignore[MS300]\n"),
        ("Modelfile", "SYSTEM hi\n", "# modelsmith: ignore[MS112]\n"),
        ("Modelfile", "", "# modelsmith: ignore-file[MS112]\n"),
        ("x.gotmpl", "a\n  {{ fi }}\n", "{{/* modelsmith: ignore[MS300] */}}"),
        ("x.gotmpl", "a\r\n{{ fi }}\r\n", "{{/* modelsmith: ignore[MS300] */}}"),
        ("x.gotmpl", "{{ fi }}\n", "{{/* modelsmith: ignore-file[MS300] */}}"),
        ("x.gotmpl", "{{ if\n.X | fi }}\n", "{{/* modelsmith: ignore-file[MS300] */}}"),
    ],
)
def test_a_comment_silences_and_changes_nothing_else(name: str, text: str, comment: str) -> None:
    code = comment.partition("[")[2][:5]
    document = Document.parse(text, name)
    (finding,) = [each for each in check(document) if each.code == code]
    edit = silence(document, finding)
    assert edit.text == comment
    after = apply_edits(text, [edit])
    assert code not in {each.code for each in check(Document.parse(after, name))}


def test_a_comment_that_is_there_gets_one_more_code() -> None:
    text = "FROM x:1\n# modelsmith: ignore[MS202] later\nPARAMETER num_ctxx 1\n"
    document = Document.parse(text)
    (finding,) = [each for each in check(document) if each.code == "MS201"]
    assert "ignore[MS202, MS201] later" in apply_edits(text, [silence(document, finding)])


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["modelfile", "template"]), st.data())
def test_any_text_can_be_asked_anything(kind: str, data: st.DataObject) -> None:
    text = data.draw(texts if kind == "modelfile" else templates)
    document = Document.parse(text, NAMES[kind])
    offset = data.draw(st.integers(0, len(text)))
    hover(document, offset)
    naming_at(document, offset)
    for item in complete(document, offset):
        assert item.span.start <= max(offset, text.startswith("\ufeff")) <= item.span.end <= len(text)
    for symbol in symbols(document):
        assert symbol.span.start <= symbol.selection.start <= symbol.selection.end <= symbol.span.end
    assert all(fold.span.end <= len(text) for fold in folds(document))
    end = 0
    for each in coloured(document):
        assert end <= each.span.start < each.span.end
        assert each.type in TYPES
        end = each.span.end


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["modelfile", "template"]), st.data())
def test_every_finding_can_be_silenced(kind: str, data: st.DataObject) -> None:
    document = Document.parse(data.draw(texts if kind == "modelfile" else templates), NAMES[kind])
    found = [each for each in check(document) if each.code not in ("MS001", "MS002")]
    for each in found[:3]:
        after = Document.parse(apply_edits(document.text, [silence(document, each)]), NAMES[kind])
        left, before = (Counter(one.code for one in every) for every in (check(after), found))
        assert left[each.code] < before[each.code], each
