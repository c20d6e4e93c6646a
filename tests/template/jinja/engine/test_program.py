"""The engine prints and refuses what llama.cpp does."""

from datetime import UTC, datetime

import pytest

from modelsmith.errors import TemplateRenderError, TemplateSyntaxError
from modelsmith.template.jinja.engine.program import Program

NOW = datetime(2026, 11, 28, 12, 30, tzinfo=UTC)


def rendered(text: str, **variables: object) -> str:
    return Program.parse(text).run(variables, now=NOW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ 'a' + none }}{{ none ~ 'b' }}{{ missing + 'c' }}", "abc"),
        ("{{ 'a' + 1 }}{{ 1.0 ~ 'b' }}{{ 'x' ~ [1, 'y', none, true] }}", "a11.0bx[1, 'y', None, True]"),
        ("{{ [1, [2, 'a']] }}{{ {'a': 1} }}{{ none }}{{ true }}", "12aTrue"),
        ("{{ tools|map(attribute='name')|tojson }}", '["f", "g"]'),
        ("{{ (tools|selectattr('name', 'equalto', 'g')|list)[0].name }}{{ (tools|last).name }}", "gg"),
        ("{% set m = tools[0] %}{% set m.name = 'z' %}{{ tools[0].name }}", "z"),
        ("{% set l = [] %}{% set _ = l.append('a') %}{{ l }}{{ l|length }}", "a1"),
        ("{% for x in [1, 2, 3] %}{% if x == 2 %}lost{% break %}{% endif %}{{ x }}{% endfor %}", "1"),
        ("{% for x in [1] %}{% continue %}{% else %}none{% endfor %}", "none"),
        ("{% for x in [1, 2] %}a{% if true %}b{% if true %}c{% break %}{% endif %}d{% endif %}{% endfor %}!", "a!"),
        ("{% for x in [1, 2] %}a{% for y in [] %}{% else %}z{% break %}{% endfor %}c{% endfor %}!", "a!"),
        ("{% macro m() %}q{% break %}{% endmacro %}{% for x in [1, 2] %}a{{ 'b' + m() }}c{% endfor %}!", "a!"),
        ("{% for x in [1, 2] %}a{% filter upper %}b{% continue %}{% endfilter %}c{% endfor %}!", "aa!"),
        (
            "{% macro m() %}{{ caller() }}{% endmacro %}{% for x in [1, 2] %}a{% call m() %}b{% continue %}{% endcall %}{% endfor %}!",
            "aa!",
        ),
        ("{% for x in [1, 2] %}a{% set y %}b{% continue %}{% endset %}c{% endfor %}!", "aa!"),
        (
            "{% for x in [1, 2] %}{% for y in [1, 2] %}a{% if y == 2 %}b{% break %}{% endif %}{% endfor %}e{% endfor %}!",
            "aaeaae!",
        ),
        (
            "{% set q %}a{% if true %}b{{ 'cd' }}{% endif %}{% for i in [1, 2] %}e{{ i }}{% endfor %}{% endset %}{{ q|title }}",
            "ABCdE1E2",
        ),
        ("{% set q %}{% if false %}a{% endif %}b{% endset %}{{ q|capitalize }}", "B"),
        ("{% macro m(a, b='x') %}{{ a }}{{ b }}{{ seen }}{% endmacro %}{% set seen = '!' %}{{ m('1') }}", "1x!"),
        ("{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}in{% endcall %}", "<in>"),
        ("{{ {'a': [1, none], 'b': 1.50}|tojson }}", '{"a": [1, null], "b": 1.5}'),
        ("{{ {'a': 1}|tojson(indent=2) }}", '{\n  "a": 1\n}'),
        ("{{ 'é'|length }}{{ 'abc'[::-1] }}{{ 'abc'[1] }}|{{ 'abc'[-1] }}|", "2cbab||"),
        ("{{ ('ab' ~ 'cd')|capitalize }}", "AbCd"),
        ("{{ strftime_now('%d %b %Y') }}", "28 Nov 2026"),
        ("{{ [1, 2] == [1, 2] }}{{ [[1]] == [[1]] }}{{ 1 == true }}", "TrueFalseTrue"),
        ("{{ 7 / 2 }}{{ 7 % 3 }}{{ 2 * 3 }}{{ '-' * 3 }}", "3.516---"),
        (
            "{{ [3, 1, 2]|sort }}{{ ['b', 'a']|sort(reverse=true) }}{{ {'b': 1, 'a': 2}|dictsort|tojson }}",
            '123ba{"a": 2, "b": 1}',
        ),
        ("{{ [1, 'a', none, 2.5]|sort(reverse=true)|tojson }}", '["a", 1, null, 2.5]'),
        ("a{% if true %}b{% endif %}", "b"),
        (
            "{% set n = namespace(a=1) %}{% set n.v = n %}{{ n }}{{ [n, 2] }}{{ n == n }}{{ n in [n] }}{{ n.v.v.a }}",
            "2FalseFalse1",
        ),
        ("{% set d = {} %}{% set d.v = d %}{{ d }}{{ d == d }}{{ d|length }}", "False1"),
        ("{% set l = [] %}{% set _ = l.append(l) %}{{ l == l }}{{ l|length }}", "False1"),
        ("x\n  {% if true %}\ny{% endif %}", "x\ny"),
    ],
)
def test_it_prints_what_llama_cpp_prints(text: str, expected: str) -> None:
    assert rendered(text, tools=[{"name": "f"}, {"name": "g"}]) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ raise_exception('no') }}", "the template refuses this conversation: no (line 1, column 19)"),
        ("{{ [1]|unique }}", "NotImplemented: Array unique builtin not implemented"),
        ("\n{{ 1.5|round }}", "Unknown (built-in) filter 'round' for type Float (line 2, column 7)"),
        ("{{ 'x'.nothing() }}", "Callee is not a function"),
        ("{{ none + 1 }}", "Cannot perform operation on null values"),
        ("{{ 'a' in missing.b }}{{ missing in [1] }}", "Cannot perform operation in on undefined values"),
        ("{% for a in 'abc' %}{% endfor %}", "Expected iterable or object type in for loop: got String"),
        ("{% for a in range(99999999) %}{% endfor %}", "the template was stopped"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "the template was stopped"),
        ("{% set l = [] %}{% set _ = l.append(l) %}{{ l }}", "the template was stopped"),
    ],
)
def test_it_refuses_what_llama_cpp_refuses(text: str, message: str) -> None:
    with pytest.raises(TemplateRenderError) as caught:
        rendered(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{{ -x }}", 1),
        ("{% raw %}{% endraw %}", 1),
        ("\n\n{% if a %}", 3),
        ("{{ 'a", 1),
        ("{{ (1,) }}", 1),
        ("é\n{{ a b }}", 2),
        ("{# open", 1),
        ("{{ " + "(" * 1000 + "1" + ")" * 1000 + " }}", 1),
    ],
)
def test_it_does_not_load_what_llama_cpp_does_not_load(text: str, line: int) -> None:
    with pytest.raises(TemplateSyntaxError) as caught:
        Program.parse(text)
    assert caught.value.line == line
    assert caught.value.offset is not None


def test_json_of_the_deepest_conversation_is_written() -> None:
    deep: dict[str, object] = {}
    for _ in range(110):
        deep = {"v": deep}
    assert rendered("{{ messages|tojson }}", messages=[deep]) == "[" + '{"v": ' * 110 + "{}" + "}" * 110 + "]"
