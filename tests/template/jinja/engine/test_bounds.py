"""Templates that try to fill the memory, or never to come back."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelsmith.errors import TemplateError, TemplateRenderError, TemplateSyntaxError
from modelsmith.template.jinja.engine.budget import Limits
from modelsmith.template.jinja.engine.program import LONGEST, Program
from modelsmith.template.jinja.template import ChatTemplate

NOW = datetime(2026, 11, 28, tzinfo=UTC)
TIGHT = Limits(steps=20_000, size=2_000_000, largest=200_000, seconds=2.0)
BIG = "{% set ns = namespace(x='x') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}"
KEPT = (
    "{% set x = 'x' * 90000 %}{% set l = [] %}{% for i in range(999) %}{% set _ = l.append(EXPRESSION) %}{% endfor %}"
)
BOMBS = [
    *(
        KEPT.replace("EXPRESSION", each)
        for each in ("x[1:]", "x[::-1]", "x.upper()", "x.title()", "x|capitalize", "x.strip('y')")
    ),
    KEPT.replace("'x' * 90000", "range(2000)").replace("EXPRESSION", "x[1:]"),
    "{% set l = [] %}{% for i in range(3000) %}{% for k in range(5) %}{% set _ = l.append({'a': [i]}) %}{% endfor %}{% endfor %}",
    "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
    "{% for a in range(9999) if a in range(9999) %}{% endfor %}",
    "{{ range(999999999) }}",
    "{{ range(999999999)|length }}",
    "{{ 'x' * 999999999 }}",
    "{{ 999999999 * 'xy' }}",
    "{{ ('\\n' * 90000)|indent(90000) }}",
    "{{ 'x'|indent(999999999) }}",
    "{{ messages|tojson(indent=999999999) }}",
    BIG,
    BIG.replace("~", "+"),
    BIG.replace("'x'", "[1]").replace("~", "+"),
    BIG.replace("ns.x ~ ns.x", "[ns.x, ns.x]") + "{{ ns.x }}",
    BIG.replace("ns.x ~ ns.x", "[ns.x, ns.x]") + "{{ ns.x|tojson }}",
    BIG.replace("ns.x ~ ns.x", "[ns.x, ns.x]") + "{{ ns.x ~ '' }}",
    BIG.replace("ns.x ~ ns.x", "{'a': ns.x, 'b': ns.x}") + "{{ ns.x|string }}",
    BIG.replace("ns.x ~ ns.x", "(ns.x, ns.x)") + "{{ ns.x == ns.x }}",
    BIG.replace("ns.x ~ ns.x", "(ns.x, ns.x)") + "{{ {ns.x: 1} }}",
    "{% set ns = namespace(x='x') %}{% for i in range(60) %}{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset %}{% endfor %}",
    "{% set x = 'x' * 90000 %}{{ x.replace('x', x) }}",
    "{% set x = 'x' * 90000 %}{{ x|replace('', x) }}",
    "{% set x = 'x' * 90000 %}{{ [x, x, x, x]|join(x) }}",
    "{% set x = 'x' * 90000 %}{% for i in range(9999) %}{% set y = x|upper %}{% if 'y' in x %}{% endif %}{% endfor %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "{% macro a() %}{{ caller() }}{% endmacro %}{% macro b() %}{% call a() %}{{ b() }}{% endcall %}{% endmacro %}{{ b() }}",
    "{% set l = [] %}{% for i in range(9999) %}{% set _ = l.append(range(9999)) %}{% endfor %}",
    *(
        "{% set x = 'x' * 90000 %}{% for i in range(9999) %}EXPRESSION{% endfor %}".replace("EXPRESSION", printed)
        for printed in (
            "{{ x }}",
            "{% if true %}{{ x }}{% endif %}",
            "{{ [x, x] }}",
            "{% if not i %}a{% else %}{{ x }}{% endif %}",
        )
    ),
    "{% for i in range(9999) %}" + "x" * 9000 + "{% endfor %}",
    "{% set l = [] %}{% set _ = l.append(l) %}{{ l }}",
    "{% set l = [] %}{% set _ = l.append(l) %}{{ l|tojson }}",
]


@pytest.mark.parametrize("text", BOMBS)
def test_stops_what_would_fill_the_memory_or_never_end(text: str) -> None:
    with pytest.raises(TemplateRenderError, match="was stopped"):
        Program.parse(text).run({"messages": []}, now=NOW, limits=TIGHT)


@pytest.mark.parametrize("text", BOMBS)
def test_trying_one_out_ends_in_time(text: str) -> None:
    started = time.process_time()
    with suppress(TemplateSyntaxError):
        ChatTemplate.parse(text)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "text",
    [
        "{{ " + "[" * 5000,
        "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
        "{{ " + "not " * 3000 + "1 }}",
        "{{ " + "1 if 1 else " * 3000 + "1 }}",
        "{{ x" + "|list" * 5000 + " }}",
        "{{ x" + ".a" * 5000 + " }}",
        "{{ x" + "()" * 5000 + " }}",
        "{{ 1" + " * 1" * 5000 + " }}",
        "{% if x %}" * 3000 + "{% endif %}" * 3000,
        "x" * (LONGEST + 1),
    ],
)
def test_refuses_what_is_too_deep_or_too_long(text: str) -> None:
    with pytest.raises(TemplateError, match=r"nests too deeply|too long|without end"):
        Program.parse(text).run({}, now=NOW)


def test_a_text_that_grows_message_by_message_takes_no_more_than_its_last_size() -> None:
    text = "{% set ns = namespace(out='') %}{% set o = '' %}{% for m in messages %}{% set ns.out = ns.out ~ m %}{% set o = o + m %}{% endfor %}"
    limits = Limits(size=3_000_000)
    found = Program.parse(text + "{{ ns.out|length }}").run({"messages": ["y" * 1000] * 500}, now=NOW, limits=limits)
    assert found == "500000"


def test_a_text_that_something_else_still_holds_is_counted() -> None:
    text = "{% set ns = namespace(x='x' * 9000) %}{% set l = [] %}{% for i in range(999) %}{% set ns.x = ns.x ~ 'a' %}{% set _ = l.append(ns.x) %}{% endfor %}"
    with pytest.raises(TemplateRenderError, match="was stopped"):
        Program.parse(text).run({}, now=NOW, limits=TIGHT)


def test_long_chains_are_no_depth() -> None:
    text = (
        "{{ "
        + "'a' ~ " * 3000
        + "'b' }}{% if x %}"
        + "{% elif y %}" * 3000
        + "{% endif %}{{ "
        + "x or " * 3000
        + "1 }}"
    )
    assert Program.parse(text).run({}, now=NOW) == "a" * 3000 + "b1"


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__ }}",
        "{{ messages.__class__.__mro__ }}",
        "{{ raise_exception.__globals__ }}",
        "{{ namespace['__init__'] }}",
        "{{ (''|safe)['__class__'] }}",
        "{{ messages|map(attribute='__class__')|list }}",
    ],
)
def test_nothing_of_python_is_reachable(text: str) -> None:
    with suppress(TemplateRenderError):
        assert Program.parse(text).run({"messages": []}, now=NOW) == ""


WORDS = """{{ }} {% %} {%- -%} {# #} if for endif endfor set x in messages . role [0] 'a' | length tojson ~ + * ( ) , 3 :
    - macro endmacro raise_exception namespace = is string join replace not and else elif call endcall filter { } 1.5 none"""


@given(st.lists(st.sampled_from(WORDS.split()), max_size=25))
def test_nothing_but_our_errors_comes_out(pieces: list[str]) -> None:
    with suppress(TemplateError):
        Program.parse(" ".join(pieces)).run({"messages": [{"role": "user", "content": "é"}]}, now=NOW, limits=TIGHT)
