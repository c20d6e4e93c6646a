"""From a template that was converted Ollama reads the thinking tags and the beginning of calls that llama-server finds in the original."""

from __future__ import annotations

import pytest

from modelsmith.template.convert.to_go.convert import to_go
from modelsmith.template.convert.to_go.readings import call_tag, thinking_tags, with_readings
from modelsmith.template.effective.capabilities import go_capabilities
from modelsmith.template.go.template import Template
from modelsmith.template.go.tool_tag import tool_call_tag
from modelsmith.template.jinja.template import ChatTemplate

_THINKS = (
    "{%- for message in messages %}<|{{ message.role }}|>"
    "{%- if message.role == 'assistant' and message.reasoning_content %}OPEN\n{{ message.reasoning_content }}\nCLOSE\n\n{% endif %}"
    "{{- message.content|trim }}<|end|>\n{%- endfor %}{%- if add_generation_prompt %}<|assistant|>"
    "{%- if enable_thinking is defined and not enable_thinking %}OPEN\n\nCLOSE\n\n{% endif %}{%- endif %}"
)
_CALLS = (
    "{%- if tools %}{{ tools|tojson }}{%- endif %}{%- for message in messages %}<|{{ message.role }}|>{{ message.content|trim }}"
    "{%- if message.tool_calls %}SECTION{%- for call in message.tool_calls %}CALL{%- endfor %}</calls>{%- endif %}<|end|>\n"
    "{%- endfor %}{%- if add_generation_prompt %}<|assistant|>{%- endif %}"
)
_TAGGED = (
    "<fn={{ call.function.name }}>{% for key, value in call.function.arguments.items() %}<a={{ key }}>{{ value }}</a>"
    "{% endfor %}</fn>"
)
_JSON = '{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments|tojson }}}'


@pytest.mark.parametrize(("opening", "closing"), [("<think>", "</think>"), ("[THINK]", "[/THINK]")])
def test_thinking_tags(opening: str, closing: str) -> None:
    template = ChatTemplate.parse(_THINKS.replace("OPEN", opening).replace("CLOSE", closing))
    conversion = to_go(template)
    assert conversion.proven_chat
    assert isinstance(conversion.template, Template)
    assert conversion.template.thinking_tags == thinking_tags(template) == (opening, closing)
    assert "thinking" in go_capabilities(conversion.template)


@pytest.mark.parametrize(
    ("section", "call", "tag"),
    [
        ("<calls>", _JSON, "<calls>"),
        ("<calls>\n", "<call>" + _JSON + "</call>", "<calls><call>"),
        ("<calls>", "<fn={{ call.function.name }}>{{ call.function.arguments|tojson }}</fn>", "<calls>"),
        ("", _TAGGED, None),
    ],
)
def test_the_beginning_of_calls(section: str, call: str, tag: str | None) -> None:
    template = ChatTemplate.parse(_CALLS.replace("SECTION", section).replace("CALL", call))
    assert call_tag(template) == tag
    conversion = to_go(template)
    assert isinstance(conversion.template, Template)
    assert conversion.proven_chat
    if tag:
        assert tool_call_tag(conversion.template.tree) == tag


def test_a_wrong_reading_is_overruled_by_code_that_never_runs() -> None:
    template = ChatTemplate.parse(_THINKS.replace("OPEN", "<think>").replace("CLOSE", "</think>"))
    wrong = Template.parse(
        "{{ range .Messages }}{{ if .Thinking }}<|im_start|><think>{{ .Thinking }}</think>{{ end }}{{ end }}"
    )
    found = with_readings(wrong, template)
    assert wrong.thinking_tags != found.thinking_tags == ("<think>", "</think>")
    assert with_readings(found, template) is found


def test_calls_without_a_tag_are_declared_where_another_text_comes_first() -> None:
    template = ChatTemplate.parse(_CALLS.replace("SECTION", "").replace("CALL", _JSON))
    wrong = Template.parse("{{ range .Messages }}{{ if .ToolCalls }}<|turn|>{{ .ToolCalls }}{{ end }}{{ end }}")
    found = with_readings(wrong, template)
    assert tool_call_tag(wrong.tree) == "<|turn|>"
    assert tool_call_tag(found.tree) == call_tag(template) == "{"
    assert with_readings(found, template) is found


def test_a_tag_that_would_open_an_action_is_not_declared() -> None:
    assert thinking_tags(
        ChatTemplate.parse(_THINKS.replace("OPEN", "{{ '{{think' }}").replace("CLOSE", "</think>"))
    ) == ("", "")
