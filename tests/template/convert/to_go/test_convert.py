"""Jinja chat templates of known families as Go templates: proven, refused, and what they look like."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from modelsmith.errors import ConversionError, TemplateRenderError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.named import NAMED
from modelsmith.template.convert.proof import DROPS, EMPTY, TRIMS, Reference
from modelsmith.template.convert.to_go.convert import to_go
from modelsmith.template.go.functions.ollama import today_is
from modelsmith.template.jinja.template import ChatTemplate

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
CHATML_DEFAULT = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nBe of help.<|im_end|>\n' }}{% endif %}"
    "{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LLAMA3 = (
    "{% set loop_messages = messages %}{% for message in loop_messages %}"
    "{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + "
    "'<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    "{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}"
    "{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}"
    "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{% set talk = messages[1:] %}"
    "{% set system = messages[0]['content'] %}{% else %}{% set talk = messages %}{% endif %}"
    "{% for message in talk %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}"
    "{% if message['role'] == 'user' %}{% if loop.last and system is defined %}"
    "{{ '[INST] ' + system + '\n\n' + message['content'] + '[/INST]' }}"
    "{% else %}{{ '[INST] ' + message['content'] + '[/INST]' }}{% endif %}"
    "{% elif message['role'] == 'assistant' %}{{ ' ' + message['content'] + eos_token }}"
    "{% else %}{{ raise_exception('only user and assistant') }}{% endif %}{% endfor %}"
)
ZEPHYR = (
    "{% for message in messages %}{% if message['role'] == 'user' %}{{ '<|user|>\n' + message['content'] + eos_token }}"
    "{% elif message['role'] == 'system' %}{{ '<|system|>\n' + message['content'] + eos_token }}"
    "{% elif message['role'] == 'assistant' %}{{ '<|assistant|>\n'  + message['content'] + eos_token }}{% endif %}\n"
    "{% if loop.last and add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}\n{% endfor %}"
)
PHI = (
    "{% for message in messages %}{% if message['role'] in ['system', 'user', 'assistant'] %}"
    "{{ '<|' + message['role'] + '|>' + '\n' + message['content'] + '<|end|>\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}"
)
R1 = (
    "{% set ns = namespace(system='') %}{% for message in messages %}{% if message['role'] == 'system' %}"
    "{% set ns.system = message['content'] %}{% endif %}{% endfor %}{{ bos_token }}{{ ns.system }}"
    "{% for message in messages %}{% if message['role'] == 'user' %}{{ '<｜User｜>' + message['content'] }}{% endif %}"
    "{% if message['role'] == 'assistant' %}{% set content = message['content'] %}{% if '</think>' in content %}"
    "{% set content = content.split('</think>')[-1] %}{% endif %}"
    "{{ '<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<｜Assistant｜><think>\n' }}{% endif %}"
)
QWEN3 = (
    "{% for message in messages %}{% if message.role == 'assistant' %}{{ '<|im_start|>assistant\n' }}"
    "{% if message.reasoning_content %}{{ '<think>\n' + message.reasoning_content + '\n</think>\n\n' }}{% endif %}"
    "{{ message.content + '<|im_end|>\n' }}{% else %}"
    "{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
    "{% if enable_thinking is defined and enable_thinking is false %}{{ '<think>\n\n</think>\n\n' }}{% endif %}{% endif %}"
)
DATED = (
    "{{ '<|system|>Today is ' + strftime_now('%d %b %Y') + ' (' + strftime_now('%Y-%m-%d') + ').' }}"
    "{% for message in messages %}{{ '<|' + message.role + '|>' + message.content }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
BRACES = "{% for m in messages %}{{ '{{' + m.role + ' {' }}{{ m.content }}{{ '}{{{ ' }}{% endfor %}"
FAMILIES = {
    "chatml": CHATML,
    "chatml-default": CHATML_DEFAULT,
    "llama3": LLAMA3,
    "gemma": GEMMA,
    "mistral": MISTRAL,
    "zephyr": ZEPHYR,
    "phi": PHI,
    "r1": R1,
    "qwen3": QWEN3,
    "dated": DATED,
}
NOW = datetime(2027, 2, 9, 8, 7, 6)  # noqa: DTZ001  # a wall clock, as templates see it


@pytest.mark.parametrize("family", FAMILIES)
def test_families_are_proven(family: str) -> None:
    chat_template = ChatTemplate.parse(FAMILIES[family])
    conversion = to_go(chat_template, eos_token="</s>")
    assert conversion.proven_chat, conversion.counterexample
    reference = Reference(chat_template, eos_token="</s>")
    for name in conversion.covered:
        if name in NAMED and not conversion.limits:
            with today_is(NOW.date()):
                assert conversion.template.render(NAMED[name]) == reference(NAMED[name], None, NOW).prompt


def test_the_simplest_template_is_one_that_a_person_would_write() -> None:
    conversion = to_go(ChatTemplate.parse(CHATML))
    assert conversion.proven
    assert not conversion.limits
    assert conversion.template.text == (
        "{{- range $i, $_ := .Messages }}\n"
        "{{- $last := eq (len (slice $.Messages $i)) 1 }}\n"
        '{{- if eq .Role "system" }}<|im_start|>system\n{{ .Content }}<|im_end|>\n'
        '{{ else if eq .Role "user" }}<|im_start|>user\n{{ .Content }}<|im_end|>\n'
        '{{ else if and (eq .Role "assistant") (or (not $last) .Content .Thinking .ToolCalls) }}'
        "<|im_start|>assistant\n{{ .Content }}\n"
        "{{- if not $last }}<|im_end|>\n{{ end }}\n"
        '{{- else if eq .Role "tool" }}<|im_start|>tool\n{{ .Content }}<|im_end|>\n{{ end }}\n'
        '{{- if and $last (ne .Role "assistant") }}<|im_start|>assistant\n{{ end }}\n'
        "{{- end }}"
    )


@pytest.mark.parametrize("roles", [("user",), ("system", "user"), ("user", "assistant", "user", "tool"), ()])
def test_of_an_answer_that_has_nothing_in_it_yet_nothing_is_shown(roles: tuple[str, ...]) -> None:
    messages = [{"role": role, "content": f"{role} {number}"} for number, role in enumerate(roles)]
    silent = Conversation.from_dict({"messages": [*messages, {"role": "assistant", "content": ""}]})
    for text in (CHATML, QWEN3):
        chat_template = ChatTemplate.parse(text)
        prompt = to_go(chat_template).template.render(silent)
        assert prompt == chat_template.render(silent)
        assert not prompt.endswith("assistant\n")


def test_thinking_is_shown_declared_and_switched_off() -> None:
    template = to_go(ChatTemplate.parse(QWEN3)).template
    assert template.thinking_tags == ("<think>", "</think>")
    asked = Conversation.from_dict({"messages": [{"role": "user", "content": "Why?"}]})
    assert template.render(asked, False).endswith("assistant\n<think>\n\n</think>\n\n")
    assert (
        template.render(asked, True)
        == template.render(asked)
        == "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n"
    )
    assert "<think>\nIt is the moon.\n</think>\n\nBecause." in template.render(NAMED["thinking-history"])


@pytest.mark.parametrize("month", range(1, 13))
def test_dates_are_right_on_every_day(month: int) -> None:
    template = to_go(ChatTemplate.parse(DATED)).template
    asked = Conversation.from_dict({"messages": [{"role": "user", "content": "x"}]})
    day = date(2026, month, 5)
    with today_is(day):
        assert template.render(asked) == f"<|system|>Today is {day:%d %b %Y} ({day:%Y-%m-%d}).<|user|>x<|assistant|>"


def test_other_date_forms_are_refused() -> None:
    text = DATED.replace("%d %b %Y", "%A")
    conversion = to_go(ChatTemplate.parse(text))
    assert not conversion.proven_chat
    assert conversion.counterexample is not None
    assert "Saturday" in conversion.counterexample.jinja


def test_braces_stay_text() -> None:
    conversion = to_go(ChatTemplate.parse(BRACES))
    assert conversion.proven_chat, conversion.counterexample
    asked = Conversation.from_dict({"messages": [{"role": "user", "content": "x"}]})
    assert conversion.template.render(asked) == "{{user {x}{{{ "


def test_limits_are_said() -> None:
    assert to_go(ChatTemplate.parse(LLAMA3)).limits == (TRIMS,)
    assert to_go(ChatTemplate.parse(R1)).limits == (DROPS,)
    assert to_go(ChatTemplate.parse(CHATML)).limits == ()


def test_what_go_cannot_do_is_shown_by_the_smallest_conversation() -> None:
    text = CHATML.replace("message['content']", "message['content'] | title")
    with pytest.raises(ConversionError) as caught:
        to_go(ChatTemplate.parse(text))
    assert caught.value.hint
    tools = "{% if tools %}{{ tools[0].function.name | title }}{% endif %}" + CHATML
    conversion = to_go(ChatTemplate.parse(tools))
    assert conversion.proven_chat
    assert not conversion.proven
    assert conversion.counterexample is not None
    assert conversion.counterexample.conversation.tools
    assert len(conversion.counterexample.conversation.messages) == 1


def test_a_template_that_refuses_everything() -> None:
    with pytest.raises(ConversionError, match="refuses every conversation"):
        to_go(ChatTemplate("{{ raise_exception('no') }}"))


def test_messages_are_merged_before_they_are_compared() -> None:
    reference = Reference(ChatTemplate.parse(GEMMA))
    rows = [{"role": "user", "content": "one"}, {"role": "user", "content": "two"}]
    prompt = reference(Conversation.from_dict({"messages": rows}), None).prompt
    assert prompt == "<start_of_turn>user\none\n\ntwo<end_of_turn>\n<start_of_turn>model\n"
    with pytest.raises(TemplateRenderError):
        ChatTemplate.parse(GEMMA).render(Conversation.from_dict({"messages": rows}))


def test_a_system_message_without_text_is_one_too() -> None:
    chat_template = ChatTemplate.parse(CHATML_DEFAULT)
    found = to_go(chat_template)
    assert found.proven
    assert EMPTY not in found.limits
    silent = Conversation.from_dict(
        {"messages": [{"role": "system", "content": ""}, {"role": "user", "content": "hello"}]}
    )
    assert found.template.render(silent).startswith("<|im_start|>system\n<|im_end|>\n<|im_start|>user")


def test_where_a_system_message_without_text_cannot_be_learned_it_is_translated() -> None:
    source = CHATML_DEFAULT.replace("messages[0]['role'] != 'system'", "not messages[0]['content']")
    learned = to_go(ChatTemplate.parse(CHATML_DEFAULT))
    translated = to_go(ChatTemplate.parse(source))
    assert learned.proven
    assert translated.proven
    assert EMPTY not in translated.limits


def test_a_kind_of_conversation_that_is_never_rendered_is_left_open() -> None:
    text = (
        "{% for m in messages %}{% if m.role == 'assistant' %}{{ raise_exception('no history') }}{% endif %}"
        "<{{ m.role }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
    )
    conversion = to_go(ChatTemplate.parse(text))
    assert conversion.counterexample is None
    assert "past answers" in conversion.unrendered
    assert not conversion.proven


@pytest.mark.parametrize(
    ("test", "kind"), [("m.tool_calls", "past calls of tools"), ("m.role == 'tool'", "results of tools")]
)
def test_tools_without_what_comes_of_them_are_left_open(test: str, kind: str) -> None:
    text = (
        "{% if tools %}{{ tools|tojson }}{% endif %}{% for m in messages %}{% if TEST %}{{ raise_exception('no') }}{% endif %}"
        "<{{ m.role }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
    )
    conversion = to_go(ChatTemplate.parse(text.replace("TEST", test)))
    assert kind in conversion.unrendered
    assert not conversion.proven
    without = to_go(
        ChatTemplate.parse(text.replace("TEST", test).removeprefix("{% if tools %}{{ tools|tojson }}{% endif %}"))
    )
    assert without.proven  # nobody offers it tools


def test_words_of_the_observed_conversations_reach_no_template() -> None:
    text = (
        "{% for t in tools or [] %}({{ t.function.name | upper }}/{{ t.function.name }}){% endfor %}"
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
    )
    conversion = to_go(ChatTemplate.parse(text))
    assert "xfirstx" not in conversion.template.text.lower()
    assert conversion.proven
