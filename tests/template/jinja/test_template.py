from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from shared import corpus, needs_shared

from modelsmith.errors import TemplateRenderError, TemplateSyntaxError
from modelsmith.template.chat_formats.tags import ReasoningTags as Reasoning
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.named import NAMED
from modelsmith.template.jinja.engine.server.chat import ServerTemplate
from modelsmith.template.jinja.template import ChatTemplate

CHATML = """{%- for message in messages %}
    {{- '<|' + message.role + '|>' + message.content + '<|end|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|assistant|>' }}
{%- endif %}
"""
NOW = datetime(2024, 7, 9, 6, 5, tzinfo=UTC)


def render(
    text: str, messages: list[dict[str, Any]] | None = None, think: bool | str | None = None, **options: Any
) -> str:
    tools = options.pop("tools", None)
    given = {"messages": messages or [{"role": "user", "content": "hi"}], **({"tools": tools} if tools else {})}
    return ChatTemplate.parse(text).render(Conversation.from_dict(given), think, **options)


def test_is_its_text() -> None:
    assert str(ChatTemplate.parse(CHATML)) == ChatTemplate.parse(CHATML).text == CHATML


def test_renders_messages_and_the_generation_prompt() -> None:
    assert ChatTemplate(CHATML).render(NAMED["turns"]) == (
        "<|user|>Hello.<|end|><|assistant|>Good morning!<|end|><|user|>Which way to the harbour?<|end|><|assistant|>"
    )
    without = ChatTemplate(CHATML).render(NAMED["user"], add_generation_prompt=False)
    assert without == "<|user|>What is a neap tide?<|end|>"


def test_leaves_a_last_assistant_message_open() -> None:
    prompt = ChatTemplate(CHATML).render(NAMED["prefill"])
    assert prompt == "<|user|>Count to five.<|end|><|assistant|>One, two,"
    closed = ChatTemplate(CHATML).render(NAMED["prefill"], add_generation_prompt=False)
    assert closed.endswith("<|assistant|>One, two,<|end|>")


def test_an_empty_last_message_opens_nothing() -> None:
    assert ChatTemplate(CHATML).render(NAMED["thinking-only-last"]) == "<|user|>Why?<|end|>"
    assert ChatTemplate(CHATML).render(NAMED["tool-call"]).endswith("Brest?<|end|><|assistant|>")


OPENING = CHATML.replace("'<|assistant|>' }}", "'<|assistant|>' + ('<think>' if enable_thinking else '') }}")
SHOWING = (
    "{% for m in messages %}<|{{ m.role }}|>{% if m.reasoning_content %}<think>\n{{ m.reasoning_content }}\n</think>\n\n{% endif %}"
    "{{ m.content }}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SPLITTING = "{% for m in messages %}{{ m.content.split('</think>')[-1] }}|{% endfor %}{% if add_generation_prompt %}>{% endif %}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (CHATML, Reasoning()),
        (OPENING, Reasoning(True, "<think>", "")),
        (SHOWING, Reasoning(True, "<think>\n", "\n</think>\n\n")),
        (SPLITTING, Reasoning(True, "<think>", "</think>", shown=False)),
        (OPENING.replace("<think>", "<think>\\n"), Reasoning()),
        ("{% if messages | length > 1 %}{{ raise_exception('one') }}{% endif %}{{ messages[0].content }}", Reasoning()),
    ],
)
def test_finds_where_reasoning_goes(text: str, found: Reasoning) -> None:
    assert ChatTemplate(text).reasoning == found


def test_a_message_that_has_begun_has_its_reasoning_closed() -> None:
    assert ChatTemplate(OPENING).render(NAMED["prefill"], True).endswith("<|assistant|><think>One, two,")
    assert ChatTemplate(SHOWING).render(NAMED["prefill"]).endswith("<|assistant|><think>\n\n</think>\n\nOne, two,")
    thoughts = ChatTemplate(SHOWING).render(NAMED["thinking-only-last"], reasoning_content=True)
    assert thoughts.endswith("<|assistant|><think>\nIt is the")


def test_takes_only_one_message_that_has_begun() -> None:
    with pytest.raises(TemplateRenderError, match="2 or more assistant messages"):
        render(CHATML, [{"role": "assistant", "content": text} for text in "ab"])


def test_cannot_fill_in_the_middle() -> None:
    with pytest.raises(TemplateRenderError, match="between prompt and suffix"):
        ChatTemplate(CHATML).render(NAMED["suffix"])
    assert ChatTemplate(CHATML).render(NAMED["prompt"]) == "<|user|>What is a neap tide?<|end|><|assistant|>"


@pytest.mark.parametrize(
    ("think", "seen"),
    [(None, "False/none"), (True, "True/none"), (False, "False/none"), ("low", "True/low")],
)
def test_tells_the_template_about_thinking(think: bool | str | None, seen: str) -> None:
    assert render("{{ enable_thinking }}/{{ reasoning_effort or 'none' }}", think=think) == seen


def test_thinking_is_on_by_default_where_there_is_reasoning() -> None:
    assert ChatTemplate(OPENING).render(NAMED["user"]).endswith("<|assistant|><think>")
    assert ChatTemplate(OPENING).render(NAMED["user"], False).endswith("<|assistant|>")


def test_keeps_thinking_from_the_template_as_ollama_does() -> None:
    text = "{% for m in messages %}{{ m.reasoning_content or '-' }}{{ m.thinking or '-' }} {% endfor %}"
    assert ChatTemplate(text).render(NAMED["thinking-history"]) == "-- -- -- "
    assert ChatTemplate(text).render(NAMED["thinking-history"], reasoning_content=True) == "-- It is the moon.- -- "


def test_knows_tokens_clock_and_own_variables() -> None:
    text = "{{ bos_token }}{{ eos_token }} {{ strftime_now('%Y-%m-%d') }} {{ date_string }} {{ datetime }} {{ mood }}"
    seen = render(text, bos_token="<s>", eos_token="</s>", now=NOW, variables={"mood": "calm"})
    assert seen == "<s></s> 2024-07-09 09 Jul 2024 Jul 09 2024 calm"


def test_what_is_undefined_is_empty_as_in_llama_cpp() -> None:
    assert (
        render("[{{ nothing }}{{ nothing.a.b }}{{ messages[9]['role'] }}{{ nothing + 'x' }}{{ 'y' + nothing.z }}]")
        == "[xy]"
    )


REFUSES = "{% for m in messages %}{% if m.role == 'system' %}\n{{ raise_exception('no systems') }}{% endif %}{{ m.content }}{% endfor %}"


def test_a_template_can_refuse() -> None:
    talk = [{"role": "user", "content": "a"}, {"role": "system", "content": "b"}, {"role": "user", "content": "c"}]
    with pytest.raises(TemplateRenderError, match=r"refuses this conversation: no systems \(line 2, column 19\)"):
        render(REFUSES, talk)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n{{ messages[1].content.foo() }}", r"Callee is not a function: got .* \(line 2, column 27\)"),
        ("{{ messages[1].content|round }}", "Unknown \\(built-in\\) filter 'round' for type String"),
        ("{{ messages[1].content - 1 }}", 'Unknown operator "-" between String and Integer'),
        ("{{ messages[1].content[none] }}", "Cannot access property with non-string"),
        ("{% for x in messages[1].content %}{% endfor %}", "Expected iterable or object type in for loop: got String"),
    ],
)
def test_names_what_fails_and_where(text: str, message: str) -> None:
    guarded = "{% if messages|length > 1 %}" + text + "{% endif %}"
    with pytest.raises(TemplateRenderError, match=message):
        render(guarded, [{"role": "user", "content": "hi"}, {"role": "user", "content": "there"}])


@pytest.mark.parametrize(
    ("text", "line", "offset"),
    [
        ("a\nb {{ x", 2, 8),
        ("{% if x %}\r\n\r\n{% endfor %}", 3, 17),
        ("{{ -x }}", 1, 3),
        ("{% frobnicate %}", 1, 3),
        ("é{% for x in y %}{% endif %}", 1, 20),
        ("{{ 'a\\q' }}", 1, 7),
    ],
)
def test_refuses_bad_syntax_with_its_line(text: str, line: int, offset: int) -> None:
    with pytest.raises(TemplateSyntaxError, match=f"line {line}") as caught:
        ChatTemplate.parse(text)
    assert (caught.value.line, caught.value.offset) == (line, offset)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ raise_exception('not me') }}", "on one message of a user, the template refuses this conversation: not me"),
        ("{{ messages|unique }}", "NotImplemented"),
        ("{{ messages[0].content.a.b() }}", "Callee is not a function"),
        ("{% set _ = messages.pop() %}x", "takes away what it is tried with"),
    ],
)
def test_is_not_loaded_where_llama_server_does_not_load_it(text: str, message: str) -> None:
    with pytest.raises(TemplateSyntaxError, match=message):
        ChatTemplate.parse(text)


def test_refuses_two_prompts_in_one_as_the_server_renders_both() -> None:
    text = "{% if not add_generation_prompt and messages|length > 1 %}{{ raise_exception('no') }}{% endif %}x"
    assert render(text) == "x"
    with pytest.raises(TemplateRenderError, match="no"):
        render(text, [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}])


def test_splits_an_answer() -> None:
    thinking = ChatTemplate.parse(SHOWING)
    split = thinking.split("<think>\nwhy</think>\n\nso")
    assert (split.reasoning, split.content) == ("why", "so")
    assert ChatTemplate.parse(CHATML).split("<think>why</think>so").reasoning is None


def test_an_empty_prompt_has_an_empty_answer() -> None:
    split = ChatTemplate.parse("{% for m in conversations %}{{ m.content }}{% endfor %}").split("<think>why</think>so")
    assert (split.reasoning, split.content) == (None, "")


TOOL = {"type": "function", "function": {"name": "f", "description": "", "parameters": {}}}
CALLING = (
    "{{ tools|tojson if tools else '' }}{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% for c in m.tool_calls or [] %}"
    "<call>{{ c.function|tojson }}</call>{% endfor %}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def test_refuses_tools_of_no_type_where_the_format_makes_a_grammar_of_them() -> None:
    with pytest.raises(TemplateRenderError, match='the tool "f": Unrecognized schema'):
        render(CALLING, tools=[TOOL])
    assert render(CHATML, tools=[TOOL]) == "<|user|>hi<|end|><|assistant|>"


def test_merges_a_system_message_that_the_template_would_drop() -> None:
    text = "{% for m in messages %}{% if m.role != 'system' %}<{{ m.content }}>{% endif %}{% endfor %}"
    assert (
        ChatTemplate(text).render(NAMED["system-user"])
        == "<You are a pilot. Answer in one line.\nWhat is a neap tide?>"
    )
    assert ChatTemplate(text).render(NAMED["only-system"]) == ""
    refusing = "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}{{ messages[0].content }}"
    assert ChatTemplate(refusing).render(NAMED["system-user"]).startswith("You are a pilot.")


def test_calls_a_developer_system_but_for_channels() -> None:
    said = [{"role": "developer", "content": "x"}, {"role": "user", "content": "y"}]
    assert render("{% for m in messages %}{{ m.role }}{{ m.content }} {% endfor %}", said) == "systemx usery "
    assert (
        render("{#<|channel|>#}{% for m in messages %}{{ m.role }}{{ m.content }} {% endfor %}", said)
        == "developerx usery "
    )


def test_trims_for_stepfun_all_but_what_the_assistant_has_begun() -> None:
    text = "{# You have access to the following functions in JSONSchema format #}" + CHATML
    begun = [{"role": "user", "content": " hi "}, {"role": "assistant", "content": " \n "}]
    assert render(text, begun) == "<|user|>hi<|end|><|assistant|> \n "


def test_gives_content_as_the_template_takes_it() -> None:
    text = "{% for m in messages %}{{ m.content }}{% endfor %}"
    parts = "{% for m in messages %}{% for part in m.content %}[{{ part.text }}]{% endfor %}{% endfor %}"
    both = "{% for m in messages %}{{ m.content[0].text or m.content }}{{ m.content[1].type }}{% endfor %}"
    image = NAMED["image"]
    assert ChatTemplate(text).render(image) == "What is this?<__media__>"
    assert ChatTemplate(parts).render(image) == "[What is this?][<__media__>]"
    assert ChatTemplate(parts).render(NAMED["user"]) == "[What is a neap tide?]"
    assert ChatTemplate(both).render(image) == "What is this?media_marker"
    assert ChatTemplate(both).render(NAMED["user"]) == "What is a neap tide?"


CALLS = "{%% for m in messages %%}{%% for c in m.tool_calls or [] %%}{{ c.type }} {{ c.function.name }} %s;{%% endfor %%}{%% endfor %%}"


def test_gives_arguments_as_the_template_takes_them() -> None:
    as_object = CALLS % "{{ c.function.arguments | tojson }}"
    as_text = CALLS % "{{ '=' + c.function.arguments }}"
    calls = NAMED["tool-result"]
    assert ChatTemplate(as_object).render(calls) == 'function tide {"harbour": "Brest"};'
    assert ChatTemplate(as_text).render(calls) == 'function tide ={"harbour":"Brest"};'


def test_tools_are_undefined_where_there_are_none() -> None:
    assert render("{{ tools is defined }}") == "False"
    assert ChatTemplate("{{ tools | length }}").render(NAMED["system-tools"]) == "2"


def test_an_empty_chat_reaches_the_template() -> None:
    assert ChatTemplate("{{ messages | length }}").render(NAMED["empty"]) == "0"


@needs_shared
def test_renders_or_refuses_every_real_template() -> None:
    rows = [json.loads(line) for line in corpus("templates", "library.jsonl").read_text("utf-8").splitlines()]
    rendered = refused = 0
    for text in sorted({row["jinja"] for row in rows if row["jinja"]}):
        template = ChatTemplate.parse(text)
        assert template.capabilities.string_content or template.capabilities.typed_content
        for conversation in NAMED.values():
            try:
                template.render(conversation, think=False, now=NOW)
                rendered += 1
            except TemplateRenderError:
                refused += 1
    assert rendered > 4 * refused


@pytest.mark.parametrize(
    ("text", "safely"),
    [
        ("{% for m in messages %}{{ m.content }}{% endfor %}{% if add_generation_prompt %}>{% else %}{{ eos_token }}{% endif %}", True),
        ("{% for m in messages %}{{ m.content }}{% if loop.last and add_generation_prompt %}>{% endif %}{% endfor %}", True),
        ("{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% for m in messages %}{{ m.content }}{% endfor %}{% if add_generation_prompt %}>{% endif %}", True),
        ("{% for m in messages %}{% if add_generation_prompt and loop.first %}{% set ns = 1 %}{% endif %}{% endfor %}", False),
        ("{% for m in messages %}{% if not add_generation_prompt %}{{ m.x.y }}{% endif %}{% endfor %}", False),
        ("{% for m in messages %}{% if add_generation_prompt %}{% break %}{% endif %}{{ m.x.y }}{% endfor %}", False),
        ("{% macro f() %}{% if add_generation_prompt %}a{% endif %}{% endmacro %}{{ f() }}", False),
        ("{% set x = 'a' if add_generation_prompt else none %}{{ x|upper }}", False),
        ("{% for m in messages %}{% if add_generation_prompt %}{{ m.append(1) }}{% endif %}{% endfor %}", False),
        ("{% if not add_generation_prompt is defined %}{% set add_generation_prompt = true %}{% endif %}{{ messages[9].a.b if add_generation_prompt }}", True),
        ("{{ add_generation_prompt }}{% if not add_generation_prompt is defined %}{% set add_generation_prompt = true %}{% endif %}{{ messages[9].a.b if add_generation_prompt }}", False),
    ],
)  # fmt: skip
def test_knows_where_leaving_out_the_prompt_for_an_answer_cannot_fail(text: str, safely: bool) -> None:
    assert ServerTemplate.load(text).ends_safely is safely
