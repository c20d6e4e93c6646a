"""Injection into Jinja chat templates."""

from __future__ import annotations

import pytest

from modelsmith.errors import InjectionError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.edit.jinja.inject import (
    ensure_chat_template,
    inject_chat_template,
)
from modelsmith.template.jinja.template import ChatTemplate

OPEN, CLOSED = "<think>\n", "<think>\n\n</think>\n\n"
FORCE = [(CLOSED, "not-thinking"), (OPEN, "thinking")]
QUESTION = Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]})
BEGUN = Conversation.from_dict(
    {"messages": [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "One,"}]}
)

ONE_LINE = (
    "{% for message in messages %}{{ '<' + message['role'] + '>' + message['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}"
)
INDENTED = """\
{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}
"""
BLOCKS_ON_LINES = """\
{% for message in messages %}
<{{ message.role }}>{{ message.content }}
{% if loop.last and add_generation_prompt %}
<assistant>
{% endif %}
{% endfor %}

"""
WITHOUT_FLAG = "{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]{% else %}{{ m.content }}{% endif %}{% endfor %}\n"
TEMPLATES = {"one-line": ONE_LINE, "indented": INDENTED, "blocks": BLOCKS_ON_LINES, "without-flag": WITHOUT_FLAG}


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("when", ["always", "thinking", "not-thinking"])
def test_only_the_generation_prompt_changes(name: str, when: str) -> None:
    before = ChatTemplate.parse(TEMPLATES[name])
    after = inject_chat_template(before, [(OPEN, when)])
    for think in (True, False):
        text = OPEN if when == "always" or (when == "not-thinking") == (think is False) else ""
        assert after.render(QUESTION, think) == before.render(QUESTION, think) + text
        assert after.render(QUESTION, think, add_generation_prompt=False) == before.render(
            QUESTION, think, add_generation_prompt=False
        )
    assert after.render(BEGUN, add_generation_prompt=False) == before.render(BEGUN, add_generation_prompt=False)


def test_the_edit_stands_inside_the_block() -> None:
    assert inject_chat_template(ChatTemplate.parse(ONE_LINE), [(OPEN, "always")]).text == ONE_LINE.replace(
        "{{ '<assistant>' }}", "{{ '<assistant>' }}{{ '<think>\\n' }}"
    )


def test_a_template_that_never_asks_gets_a_block_of_its_own() -> None:
    after = inject_chat_template(ChatTemplate.parse(WITHOUT_FLAG), [(OPEN, "always")])
    assert after.text.startswith(WITHOUT_FLAG.rstrip() + "{% if add_generation_prompt %}{{ '<think>\\n' }}{% endif")


@pytest.mark.parametrize("name", TEMPLATES)
def test_ensuring_twice_is_once(name: str) -> None:
    once = ensure_chat_template(ChatTemplate.parse(TEMPLATES[name]), FORCE)
    assert ensure_chat_template(once, [(OPEN, "thinking")]) is once
    assert ensure_chat_template(once, [(CLOSED, "not-thinking")]) is once
    assert ensure_chat_template(once, FORCE) is once


def test_a_closed_block_that_is_there_is_kept() -> None:
    template = ChatTemplate.parse(INDENTED)
    assert ensure_chat_template(template, [(CLOSED, "not-thinking")]) is template
    forced = ensure_chat_template(template, FORCE)
    assert forced.render(QUESTION, False).count("<think>") == 1


def test_quotes_and_backslashes_arrive() -> None:
    before = ChatTemplate.parse(ONE_LINE)
    text = 'it\'s \\n "x"\t{{ y }} {% z %} %}\n'
    assert inject_chat_template(before, [(text, "always")]).render(QUESTION) == before.render(QUESTION) + text


def test_a_template_that_renders_nothing_is_refused() -> None:
    with pytest.raises(InjectionError, match="renders no conversation"):
        inject_chat_template(ChatTemplate("{{ raise_exception('no') }}"), [(OPEN, "always")])
