"""The variables of a chat template, what it refuses, and where jinja2 makes something else of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelsmith.cli import run
from modelsmith.template.jinja.engine.program import Program
from modelsmith.template.jinja.second_opinion import disagreements, refusals
from modelsmith.template.jinja.template import ChatTemplate
from modelsmith.template.jinja.variables import TemplateVariable, template_variables


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


TEXT = (
    "{%- set mode = mode or 'plain' -%}{%- if effort == 'low' or effort == 3 or (effort is defined and effort in ['high']) %}[{{ effort }}]{% endif -%}"
    "{% for message in messages %}{% if message.role == 'tool' %}{{ raise_exception('no tools') }}{% endif %}"
    "<{{ message.role }}>{{ message.content + none }}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% if thinks is true %}<think>{% endif %}{% endif %}"
)


def test_variables_and_the_values_they_are_tested_for() -> None:
    assert template_variables(Program.parse(TEXT)) == (
        TemplateVariable("effort", ('"high"', '"low"', "3")),
        TemplateVariable("mode", ()),
        TemplateVariable("thinks", ("true",)),
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{% set e = effort | default('medium') %}{% if e | lower not in ['low', 'high'] %}x{% endif %}", {"effort": ('"high"', '"low"')}),
        ("{% if (style or '') in ('short', 'long') %}x{% endif %}", {"style": ('"long"', '"short"')}),
        ("{% set e = effort if effort is defined else 'low' %}{% set ns.e = e %}{% if ns.e == 'max' %}x{% endif %}", {"effort": ('"max"',)}),
        ("{{ {'low': 1, 'high': 2}[effort] }}{% if style is in(['a', 'b']) %}{% endif %}", {"effort": ('"high"', '"low"'), "style": ('"a"', '"b"')}),
        ("{% for k, v in messages[0].items() if k != 'role' and v is not none %}{{ k }}{% endfor %}", {}),
        ("{% macro m() %}{{ later }}{{ own }}{% set own = 1 %}{% endmacro %}{% set later = 'x' %}{{ m() }}", {"own": ()}),
    ],
)  # fmt: skip
def test_variables_by_another_name_and_names_of_the_template_s_own(
    text: str, found: dict[str, tuple[str, ...]]
) -> None:
    given = {each.name: each.values for each in template_variables(Program.parse(text)) if each.name != "ns"}
    assert given == found


def test_what_is_refused_and_where_jinja2_differs() -> None:
    template = ChatTemplate.parse(TEXT)
    assert refusals(template)["tool-result"] == "the template refuses this conversation: no tools (line 1, column 225)"
    assert "user" not in refusals(template)
    first = next(each for each in disagreements(template) if each.conversation == "user")
    assert first.llama_server == "a prompt"
    assert "TypeError" in first.transformers
    same = disagreements(ChatTemplate.parse("{% for m in messages %}{{ m.content[0:1:1] }}{% endfor %}"))
    assert all("refuses to continue the last message" in each.transformers for each in same)


def test_render_with_variables_and_the_other_engine(capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.jinja").write_text(TEXT.replace(" + none", ""))
    assert run(["render", "t.jinja", "-u", "hi", "--var", "effort=low", "--var", "thinks=true"]) == 0
    assert capsys.readouterr().out == "[low]<user>hi<assistant><think>"
    assert run(["render", "t.jinja", "-u", "hi", "--engine", "transformers", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["engine"], shown["prompt"]) == ("transformers", "<user>hi<assistant>")


def test_variables_that_make_no_sense(capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.gotmpl").write_text("{{ .Prompt }}")
    assert run(["render", "t.gotmpl", "-u", "hi", "--var", "a=1"]) == 2
    assert "only a Jinja template has variables" in capsys.readouterr().err
    assert run(["render", "t.gotmpl", "-u", "hi", "--var", "a"]) == 2
    assert "NAME=VALUE" in capsys.readouterr().err
    assert run(["render", "t.gotmpl", "-u", "hi", "--engine", "transformers"]) == 2
