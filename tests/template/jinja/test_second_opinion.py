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


UNHEARD = (
    "{% for m in messages %}{{ m.content }}{% endfor %}"
    "{% if effort == 'low' or effort == 'high' %}[{{ effort }}]{% endif %}{% if thinks %}+{% endif %}{{ bos_token }}"
)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["efort=low"], 'the template reads no variable "efort" (it reads effort, thinks); did you mean "effort"?'),
        (["effort=lwo"], '"lwo" is none of the texts that the template tests "effort" for: "high", "low"'),
        (["effort=low", "thinks=1", "bos_token=x", "enable_thinking=true"], ""),
        (["m=1"], 'the template reads no variable "m"'),
        (["preserve_reasoning=true"], 'the template reads no variable "preserve_reasoning"'),
    ],
)
def test_variables_that_change_nothing_are_named(
    given: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("t.jinja").write_text(UNHEARD)
    options = [word for variable in given for word in ("--var", variable)]
    assert run(["render", "t.jinja", "-u", "hi", *options]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("hi")
    assert said in shown.err
    assert bool(said) == bool(shown.err)
    assert run(["render", "t.jinja", "-u", "hi", *options, "--json"]) == 0
    assert ("unheard" in json.loads(capsys.readouterr().out)) == bool(said)


def test_a_variable_that_another_one_implies_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.jinja").write_text("{% for m in messages %}{{ m.content }}{% endfor %}{{ clear_thinking }}")
    assert run(["render", "t.jinja", "-u", "hi", "--var", "preserve_reasoning=true"]) == 0
    assert capsys.readouterr() == ("hiFalse", "")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--var", "messages=[]"], "--var messages: the messages are the conversation's"),
        (["--var", "tools=[]", "--engine", "transformers"], "--var tools: the tools are the conversation's"),
        (["--var", "add_generation_prompt=false"], "llama-server sets it itself"),
        (["--var", "enable_thinking=true", "--think", "false"], "--think false and --var enable_thinking"),
        (["--var", "reasoning_effort=low", "--think", "high"], "--think high and --var reasoning_effort"),
        (["--var", "effort=low", "--var", "effort=high"], "--var effort is given twice"),
    ],
)
def test_variables_that_are_no_variables(given: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.jinja").write_text(UNHEARD)
    assert run(["render", "t.jinja", "-u", "hi", *given]) == 2
    assert said in capsys.readouterr().err


def test_not_a_number_is_a_text_as_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.jinja").write_text("{% for m in messages %}{{ m.content }}{% endfor %}{{ x is string }}")
    assert run(["render", "t.jinja", "-u", "hi", "--var", "x=NaN"]) == 0
    assert capsys.readouterr().out == "hiTrue"
