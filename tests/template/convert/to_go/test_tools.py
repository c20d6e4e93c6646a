"""Jinja chat templates that list tools and write calls, as Go templates: the JSON to the byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.named import NAMED
from modelsmith.template.convert.json_code import COMPACT, INDENTED, SPACED, JsonCode, Layout
from modelsmith.template.convert.proof import NOW, QUOTES, SORTS, Reference, sorted_names
from modelsmith.template.convert.to_go.convert import to_go
from modelsmith.template.convert.to_go.tools import learn
from modelsmith.template.go.template import Template
from modelsmith.template.go.tool_tag import tool_call_tag
from modelsmith.template.jinja.messages import tools_for
from modelsmith.template.jinja.template import ChatTemplate

HERMES = (
    "{%- if tools %}{{- '<|im_start|>system\\n' }}{%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n\\n' }}"
    "{%- endif %}{{- '<tools>' }}{%- for tool in tools %}{{- '\\n' + (tool | tojson) }}{%- endfor %}{{- '\\n</tools><|im_end|>\\n' }}"
    "{%- elif messages[0].role == 'system' %}{{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}{%- endif %}"
    "{%- for message in messages %}{%- if message.role == 'user' or (message.role == 'system' and not loop.first) %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{%- elif message.role == 'assistant' %}{{- '<|im_start|>assistant\\n' + message.content }}"
    "{%- for call in message.tool_calls or [] %}{%- if message.content or not loop.first %}{{- '\\n' }}{%- endif %}"
    '{{- \'<tool_call>\\n{"name": "\' + call.function.name + \'", "arguments": \' }}{{- call.function.arguments | tojson }}'
    "{{- '}\\n</tool_call>' }}{%- endfor %}{{- '<|im_end|>\\n' }}"
    "{%- elif message.role == 'tool' %}{%- if loop.first or loop.previtem.role != 'tool' %}{{- '<|im_start|>user' }}{%- endif %}"
    "{{- '\\n<tool_response>\\n' + message.content + '\\n</tool_response>' }}"
    "{%- if loop.last or loop.nextitem.role != 'tool' %}{{- '<|im_end|>\\n' }}{%- endif %}{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)
LLAMA = (
    "{%- set system = '' %}{%- if messages[0].role == 'system' %}{%- set system = messages[0].content %}"
    "{%- set messages = messages[1:] %}{%- endif %}{{- '[SYS]' + system }}{%- if tools %}{%- for tool in tools %}"
    "{{- '\\n' + (tool.function | tojson(indent=4)) }}{%- endfor %}{%- endif %}{{- '[/SYS]' }}"
    "{%- for message in messages %}{%- if message.tool_calls %}{%- if message.tool_calls | length > 1 %}"
    "{{- raise_exception('one call at a time') }}{%- endif %}{%- set call = message.tool_calls[0].function %}"
    "{{- '[assistant]{\"name\": \"' + call.name + '\", \"parameters\": ' }}{{- call.arguments | tojson }}{{- '}[end]' }}"
    "{%- elif message.role == 'tool' %}{{- '[ipython]' + (message.content | tojson) + '[end]' }}"
    "{%- else %}{{- '[' + message.role + ']' + message.content + '[end]' }}{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '[assistant]' }}{%- endif %}"
)
MISTRAL = (
    "{%- for message in messages %}{%- if message.role == 'user' %}{%- if tools and loop.last %}"
    "{{- '[AVAILABLE_TOOLS]' + (tools | tojson(separators=(',', ':'))) + '[/AVAILABLE_TOOLS]' }}{%- endif %}"
    "{{- '[INST]' + message.content + '[/INST]' }}{%- elif message.tool_calls %}{{- '[TOOL_CALLS]' }}"
    "{%- for call in message.tool_calls %}{{- call.function.name + '[ARGS]' + call.function.arguments }}{%- endfor %}"
    "{{- '</s>' }}{%- elif message.role == 'assistant' %}{{- message.content + '</s>' }}"
    "{%- elif message.role == 'tool' %}{{- '[TOOL_RESULTS]' + message.content + '[/TOOL_RESULTS]' }}{%- endif %}{%- endfor %}"
)
FAMILIES = {"hermes": HERMES, "llama": LLAMA, "mistral": MISTRAL}


@pytest.mark.parametrize("family", FAMILIES)
def test_families_are_proven(family: str) -> None:
    conversion = to_go(ChatTemplate.parse(FAMILIES[family]))
    difference = conversion.counterexample
    assert conversion.proven, difference and (difference.name, difference.go, difference.jinja)
    assert conversion.limits == (SORTS, QUOTES)
    assert {"tools", "toolcalls"} <= set(conversion.template.variables)
    assert {"complex-tools", "tool-result", "tool-answer"} <= set(conversion.covered)


def test_what_the_template_shows_of_tools_and_calls() -> None:
    template = to_go(ChatTemplate.parse(HERMES)).template
    prompt = template.render(NAMED["parallel-tools"])
    assert '{"type": "function", "function": {"name": "clock", "description": "The time of day"' in prompt
    assert '<tool_call>\n{"name": "tide", "arguments": {"harbour": "Brest", "unit": "foot"}}\n</tool_call>' in prompt
    assert prompt.count("<|im_start|>user") == 2
    assert "others <as on the map>" in prompt


def test_ollama_finds_what_opens_a_call() -> None:
    template = to_go(ChatTemplate.parse(HERMES)).template
    assert isinstance(template, Template)
    assert tool_call_tag(template.tree) == "<tool_call>"


def test_the_layout_is_learned() -> None:
    found = learn(Reference(ChatTemplate.parse(HERMES)), NOW)
    assert found.tools is not None
    assert (found.tools.part, found.tools.layout, found.tools.between) == ("tool", SPACED, "\n")
    assert found.calls is not None
    assert (found.calls.opening, found.calls.closing) == ('<tool_call>\n{"name": "', "}\n</tool_call>")
    llama = learn(Reference(ChatTemplate.parse(LLAMA)), NOW)
    assert llama.quotes
    assert llama.tools is not None
    assert (llama.tools.part, llama.tools.layout) == ("function", INDENTED)
    assert llama.calls is not None
    assert llama.calls.count == 1
    mistral = learn(Reference(ChatTemplate.parse(MISTRAL)), NOW)
    assert mistral.tools is not None
    assert mistral.tools.layout is COMPACT
    assert mistral.calls is not None
    assert mistral.calls.layout is None


def test_the_order_of_parameters_is_what_go_cannot_know() -> None:
    talk = NAMED["complex-tools"]
    properties = sorted_names(talk).tools[0]["function"]["parameters"]["properties"]
    assert list(properties) == sorted(properties)
    conversion = to_go(ChatTemplate.parse(HERMES))
    reference = Reference(ChatTemplate.parse(HERMES))
    assert conversion.template.render(talk) != reference(talk, None).prompt
    assert conversion.template.render(talk) == reference(sorted_names(talk), None).prompt


_NAMES = st.text("abxy_", min_size=1, max_size=4)
_TEXTS = st.text("ab <>&\"'\\\n\tñ日{}", max_size=8)
_ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | _TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_NAMES, inner, max_size=2),
    max_leaves=4,
)
_PROPERTY = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["string", "array", ["string", "null"]]),
            "items": st.dictionaries(_NAMES, _ANY, min_size=1, max_size=2),
            "description": _TEXTS,
            "enum": st.lists(_ANY, max_size=2),
            "required": st.lists(_NAMES, max_size=2),
        },
    ),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "type": st.just("object"),
            "properties": st.dictionaries(_NAMES, inner, max_size=2),
            "description": _TEXTS,
        },
    ),
    max_leaves=4,
)


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from([SPACED, COMPACT, INDENTED]),
    st.integers(0, 1),
    st.dictionaries(_NAMES, _PROPERTY, max_size=3),
    st.dictionaries(_NAMES, _ANY, max_size=3),
    _TEXTS,
)
def test_json_is_that_of_jinja(
    layout: Layout, depth: int, properties: dict[str, Any], arguments: dict[str, Any], description: str
) -> None:
    parameters = {"type": "object", "required": list(properties)[:1], "properties": properties}
    function = {"name": "f", "description": description, "parameters": parameters}
    call = {"function": {"name": "f", "arguments": arguments}}
    talk = sorted_names(
        Conversation.from_dict(
            {
                "messages": [{"role": "assistant", "content": "", "tool_calls": [call]}],
                "tools": [{"type": "function", "function": function}],
            }
        )
    )
    code = JsonCode(layout, {})
    tool, called = code.tool(depth), code.arguments()
    text = (
        "".join(code.definitions.values())
        + f"{{{{ range .Tools }}}}{tool}{{{{ end }}}}|{{{{ range .Messages }}}}{{{{ range .ToolCalls }}}}{called}"
        "{{ end }}{{ end }}"
    )
    (wanted,) = tools_for(talk.to_dict())
    assume("\n" + " " * 4 * 9 not in layout.dump(wanted, depth))  # deeper, lines are not followed
    made = json.loads(json.dumps(talk.messages[0].tool_calls[0].arguments, sort_keys=True))
    assert Template.parse(text).render(talk) == f"{layout.dump(wanted, depth)}|{layout.dump(made)}"
