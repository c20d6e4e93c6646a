"""Templates that try to run code, to fill the memory, or never to come back."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2.sandbox import ImmutableSandboxedEnvironment

from modelsmith.errors import TemplateError, TemplateRenderError, TemplateSyntaxError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.named import NAMED
from modelsmith.template.jinja.transformers.limits import Limits
from modelsmith.template.jinja.transformers.template import LONGEST, TransformersTemplate

TIGHT = Limits(seconds=0.3, size=100_000)


@pytest.mark.parametrize(
    ("text", "attempt"),
    [
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "__class__"),
        ("{{ messages['__class__'] }}", "__class__"),
        ("{{ messages | attr('__init__') }}", "__init__"),
        ("{{ messages | map(attribute='__class__') | list }}", "__class__"),
        ("{{ '{0.__class__}'.format(messages) }}", "__class__"),
        ("{{ cycler.__init__.__globals__ }}", "__init__"),
        ("{{ raise_exception.__globals__ }}", "__globals__"),
        ("{{ strftime_now.__closure__ }}", "__closure__"),
        ("{{ self.__init__ }}", "__init__"),
        ("{{ dict.mro() }}", "mro"),
        ("{{ messages.append(1) }}", "append"),
        ("{{ messages[0].update({'role': 'x'}) }}", "update"),
        ("{% include '/etc/passwd' %}", "/etc/passwd"),
        ("{% import 'os' as os %}", "os"),
        ("{% extends 'x' %}", "x"),
    ],
)
def test_names_an_attempt_to_leave_the_sandbox(text: str, attempt: str) -> None:
    with pytest.raises(
        TemplateRenderError, match=r"was stopped: it (reads the attribute|loads another template)"
    ) as caught:
        TransformersTemplate.parse(text).render(NAMED["user"])
    assert f'"{attempt}"' in str(caught.value)


BOMBS = [
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
    "{{ range(10 ** 9) | list }}",
    "{{ 'x' * 10 ** 9 }}",
    "{{ 10 ** 9 * [1] }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%*d' % (1000000000, 1) }}",
    "{{ '%99999999d' | format(1) }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ '{:{}}'.format(1, 10 ** 9) }}",
    "{{ 'x'.center(10 ** 9) }}",
    "{{ 'x\t'.expandtabs(10 ** 9) }}",
    "{{ 'x' | center(10 ** 9) }}",
    "{{ 1.5 | round(10 ** 9, 'ceil') }}",
    "{{ 'a' | wordwrap(1, wrapstring='x' * 90000) }}",
    "{{ 'x' | batch(10 ** 9, 'y') | list }}",
    "{{ [1] | slice(10 ** 9) | list }}",
    "{{ ('\n' * 90000) | indent(90000) }}",
    "{{ messages | tojson(indent=10 ** 9) }}",
    "{{ 10 ** 9999 }}",
    "{% set ns = namespace(x=3) %}{% for i in range(60) %}{% set ns.x = ns.x * ns.x %}{% endfor %}",
    "{% set ns = namespace(x='x') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "{% set ns = namespace(x='x') %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = dict(a=ns.x, b=ns.x) %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x=1) %}{% for i in range(60) %}{% set ns.x = [1] | batch(9, ns.x) | list %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x='x') %}{% for i in range(60) %}{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset %}{% endfor %}",
    "{% set x = 'x' * 90000 %}{{ x.replace('x', x) }}",
    "{% set x = 'x' * 90000 %}{{ x | replace('x', x) }}",
    "{% set x = 'x' * 90000 %}{{ x.join(['a'] * 900) }}",
    "{% set x = 'x' * 90000 %}{{ (['a'] * 900) | join(x) }}",
    "{% set x = 'x' * 90000 %}{% for i in range(9999) %}{% set y = x | upper %}{% endfor %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "{{ strftime_now('%Y' * 900) }}",
]


@pytest.mark.parametrize("text", BOMBS)
def test_stops_what_would_fill_the_memory_or_never_end(text: str) -> None:
    with pytest.raises(TemplateRenderError):
        TransformersTemplate.parse(text).render(NAMED["user"], limits=TIGHT)


@pytest.mark.parametrize(
    "text",
    [
        "{{ " + "[" * 5000,
        "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
        "{{ " + "1+" * 5000 + "1 }}",
        "{{ x" + ".a" * 5000 + " }}",
        "{% for a in x %}" * 30 + "{% endfor %}" * 30,
        "{% if x %}" * 3000 + "{% endif %}" * 3000,
        "x" * (LONGEST + 1),
    ],
)
def test_refuses_what_is_too_deep_or_too_long(text: str) -> None:
    with pytest.raises(TemplateSyntaxError, match=r"nests too deeply|too long"):
        TransformersTemplate.parse(text)


def test_a_namespace_in_itself_can_be_printed() -> None:
    text = "{% set a = namespace() %}{% set a.a = a %}{{ a }}"
    assert TransformersTemplate.parse(text).render(NAMED["user"]) == "<Namespace>"


@pytest.mark.parametrize(
    ("text", "last", "prompt"),
    [
        ("{% for m in messages %}<{{ m.content }}>{% endfor %}", "It ", "<Hi><It "),
        ("{% for m in messages %}<{{ m.content | trim }}>{% endfor %}", "It ", "<Hi><It"),
        ("{% for m in messages %}<{{ m.content }}>{% endfor %}", "", "<Hi><"),
        ("{% for m in messages %}{% if m.content %}<{{ m.content }}>{% endif %}{% endfor %}", "", "<Hi><"),
        ("{% for m in messages %}<{{ m.content }}>{% endfor %} It, It", "It", "<Hi><It"),
    ],
)
def test_continues_the_last_message_as_transformers_does(text: str, last: str, prompt: str) -> None:
    talk = Conversation.from_dict(
        {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": last}]}
    )
    assert TransformersTemplate.parse(text).render(talk) == prompt


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{% for m in messages %}<{{ m.role }}>{% endfor %}", "reads no content"),
        ("{% for m in messages %}<{{ m.content | lower }}>{% endfor %}", "is not in the prompt"),
    ],
)
def test_refuses_to_continue_what_is_not_in_the_prompt(text: str, reason: str) -> None:
    with pytest.raises(TemplateRenderError, match=reason):
        TransformersTemplate.parse(text).render(NAMED["prefill"])


def test_reasoning_has_both_of_its_names() -> None:
    talk = Conversation.from_dict(
        {"messages": [{"role": "assistant", "content": "6", "thinking": "so"}, {"role": "user", "content": "Hi"}]}
    )
    template = TransformersTemplate.parse("{{ messages[0] | tojson }}")
    shown = '{"thinking": "so", "role": "assistant", "content": "6", "reasoning_content": "so"}'
    assert template.render(talk) == shown


WORDS = """{{ }} {% %} {%- -%} {# #} if for endif endfor set x in messages . role [0] 'a' | length tojson ~ + * ( ) , 3 :
    - macro endmacro raise_exception __class__ namespace = is string join replace"""
PIECES = st.sampled_from(WORDS.split())


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=25))
def test_nothing_but_our_errors_comes_out(pieces: list[str]) -> None:
    with suppress(TemplateError):
        TransformersTemplate.parse(" ".join(pieces)).render(NAMED["user"], limits=TIGHT)


TEXTS = st.text("ab \n", max_size=12)


@settings(max_examples=60, deadline=None)
@given(TEXTS, TEXTS, st.integers(0, 3), st.booleans(), st.booleans())
def test_own_filters_give_what_jinja_gives(text: str, other: str, width: int, first: bool, blank: bool) -> None:
    source = (
        "{{ t | indent(n, f, b) }}|{{ t | indent(o) }}|{{ t | replace('a', o) }}|{{ t | replace('a', o, n) }}|{{ t | join(o) }}|"
        "{{ [{'k': t}, {'k': o}] | join('-', attribute='k') }}|{{ '%s=%s' | format(t, n) }}|{{ '%(x)s' | format(x=o) }}"
    )
    values = {"t": text, "o": other, "n": width, "f": first, "b": blank}
    expected = ImmutableSandboxedEnvironment().from_string(source).render(values)
    assert TransformersTemplate(source).render(NAMED["user"], variables=values) == expected
