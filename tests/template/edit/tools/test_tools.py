"""Giving tools to a template: an honest round trip, in the family's format, and nothing else changes."""

from __future__ import annotations

from functools import cache
from itertools import permutations

import pytest
from example_templates import CHATML, GEMMA, LEGACY_CHATML, QWEN, R1_NEW, R1_OLD
from tools_templates import JINJA_CHATML, JINJA_LLAMA3, JINJA_R1, JINJA_R1_OPENS, TEMPLATES

from modelsmith.errors import InjectionError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.named import NAMED
from modelsmith.template.conversation.proof import proof_conversations
from modelsmith.template.edit.go.declare import declare_thinking
from modelsmith.template.edit.go.ensure import ensure_many
from modelsmith.template.edit.tools.proof import has_tool_parts
from modelsmith.template.edit.tools.tools import add_tools
from modelsmith.template.effective.capabilities import go_capabilities, go_tool_round_trip, prefer_chat_template
from modelsmith.template.go.template import Template
from modelsmith.template.go.tool_tag import tool_call_tag
from modelsmith.template.jinja.template import ChatTemplate

THINKS = (None, True, False, "high")
FORCE = [("<think>\n", "thinking"), ("<think>\n\n</think>\n\n", "not-thinking")]
BY_DEFINITION = """\
{{ define "turn" }}<|im_start|>{{ .Role }}
{{ .Content }}<|im_end|>
{{ end }}{{ range .Messages }}{{ template "turn" . }}{{ end }}<|im_start|>assistant
"""
ORDERS = [
    *(
        (name, order)
        for name in ("r1-old", "chatml-all-alike")
        for order in permutations(("tools", "inject", "declare"))
    ),
    *((name, ("inject", "declare", "tools")) for name in TEMPLATES if "mistral" not in name),
    *((name, ("tools", "declare", "inject")) for name in TEMPLATES if "mistral" in name),
    *((name, ("tools", "declare", "inject")) for name in ("v3", "chatml-opened-by-user", "llama3-by-role")),
]
TAGS = {"r1": "<｜tool▁calls▁begin｜>", "v3": "<｜tool▁calls▁begin｜>", "chatml": "<tool_call>", "llama3": "{"} | {
    "mistral": "[TOOL_CALLS] [",
    "mistral7": "[TOOL_CALLS][",
}
USER = {"role": "user", "content": "How high?"}
CALLS = {
    "role": "assistant",
    "content": "",
    "tool_calls": [
        {"function": {"name": "tide", "arguments": {"at": "Brest"}}},
        {"function": {"name": "clock", "arguments": {}}},
    ],
}
RESULTS = [{"role": "tool", "content": "7 m"}, {"role": "tool", "content": "noon"}]
SAYS = {"role": "assistant", "content": "7 m at noon."}
TOOLS = [{"type": "function", "function": {"name": "tide", "description": "", "parameters": {"type": "object"}}}]


@cache
def with_tools(name: str) -> Template:
    return add_tools(Template.parse(TEMPLATES[name]))


def render(template: Template, *messages: dict[str, object], tools: bool = False) -> str:
    given = {"messages": list(messages), **({"tools": TOOLS} if tools else {})}
    return template.render(Conversation.from_dict(given))


@pytest.mark.parametrize("name", TEMPLATES)
def test_conversations_without_tools_render_as_before(name: str) -> None:
    before, after = Template.parse(TEMPLATES[name]), with_tools(name)
    for conversation in proof_conversations().values():
        if not has_tool_parts(conversation):
            for think in THINKS:
                assert after.render(conversation, think) == before.render(conversation, think)


@pytest.mark.parametrize("name", TEMPLATES)
def test_ollama_sees_one_capability_more(name: str) -> None:
    before, after = Template.parse(TEMPLATES[name]), with_tools(name)
    assert go_capabilities(after) == go_capabilities(before) | {"tools"}
    assert go_tool_round_trip(after)
    assert after.thinking_tags == before.thinking_tags
    assert tool_call_tag(after.tree) == TAGS[name.partition("-")[0]]
    assert add_tools(after) is after


@pytest.mark.parametrize("name", TEMPLATES)
def test_tools_calls_and_results_are_shown_in_order(name: str) -> None:
    after = with_tools(name)
    for conversation in NAMED.values():
        if not has_tool_parts(conversation):
            continue
        for think in THINKS:
            prompt, place = after.render(conversation, think), 0
            assert all(prompt.count(f'"name":"{tool["function"]["name"]}"') == 1 for tool in conversation.tools)
            for message in conversation.turns:
                for text in (message.content, *(call.name for call in message.tool_calls)):
                    if message.role != "system":
                        place = prompt.index(text, place) + len(text)


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_text_is_kept_but_for_what_is_inserted(name: str) -> None:
    rest = iter(with_tools(name).text)
    assert all(character in rest for character in TEMPLATES[name])


@pytest.mark.parametrize(("name", "order"), ORDERS)
def test_it_goes_with_the_other_edits_in_any_order(name: str, order: tuple[str, ...]) -> None:
    edits = {"tools": add_tools, "inject": lambda t: ensure_many(t, FORCE), "declare": declare_thinking}
    template = Template.parse(TEMPLATES[name])
    for step in order:
        template = edits[step](template)
    assert all(edit(template) is template for edit in edits.values())
    for messages in ([USER], [USER, CALLS, *RESULTS]):
        conversation = Conversation.from_dict({"messages": messages, "tools": TOOLS})
        assert template.render(conversation, True).endswith("<think>\n")
        assert template.render(conversation, False).endswith("<think>\n\n</think>\n\n")


def test_deepseek_answers_a_result_in_the_same_turn() -> None:
    after = add_tools(Template.parse(R1_OLD))
    called = (
        "<｜User｜>How high?<｜Assistant｜><｜tool▁calls▁begin｜>"
        '<｜tool▁call▁begin｜>function<｜tool▁sep｜>tide\n```json\n{"at":"Brest"}\n```<｜tool▁call▁end｜>\n'
        "<｜tool▁call▁begin｜>function<｜tool▁sep｜>clock\n```json\n{}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>"
        "<｜end▁of▁sentence｜><｜tool▁outputs▁begin｜><｜tool▁output▁begin｜>7 m<｜tool▁output▁end｜>\n"
        "<｜tool▁output▁begin｜>noon<｜tool▁output▁end｜><｜tool▁outputs▁end｜>"
    )
    assert render(after, USER, CALLS, *RESULTS) == called
    assert (
        render(after, USER, CALLS, *RESULTS, SAYS, USER)
        == f"{called}7 m at noon.<｜end▁of▁sentence｜><｜User｜>How high?<｜Assistant｜>"
    )


def test_mistral_lists_tools_before_the_last_user_and_goes_on_behind_results() -> None:
    after = with_tools("mistral-v3")
    listed = (
        '[AVAILABLE_TOOLS] [{"type":"function","function":'
        '{"name":"tide","description":"","parameters":{"type":"object","properties":null}}}][/AVAILABLE_TOOLS]'
    )
    called = (
        '[INST] How high?[/INST] [TOOL_CALLS] [{"name": "tide", "arguments": {"at":"Brest"}}, {"name": "clock", "arguments": {}}]'
        '</s>[TOOL_RESULTS] {"content": 7 m}[/TOOL_RESULTS][TOOL_RESULTS] {"content": noon}[/TOOL_RESULTS]'
    )
    assert render(after, USER, CALLS, *RESULTS, tools=True) == listed + called
    again = render(after, USER, CALLS, *RESULTS, SAYS, USER, tools=True)
    assert again == f"{called} 7 m at noon.</s>{listed}[INST] How high?[/INST]"


def test_mistral_with_a_text_behind_its_turns_gets_no_tools() -> None:
    forced = ensure_many(Template.parse(TEMPLATES["mistral-v3"]), FORCE)
    with pytest.raises(InjectionError, match="after a tool's result"):
        add_tools(forced)


def test_llama2_opens_turns_as_mistral_does_and_is_none() -> None:
    llama2 = '{{ range .Messages }}{{ if eq .Role "user" }}[INST] {{ .Content }} [/INST]{{ else }}{{ .Content }}{{ end }}{{ end }}'
    with pytest.raises(InjectionError, match="is not known"):
        add_tools(Template.parse(llama2 + "{{/* <<SYS>> */}}"))


def test_chatml_shows_results_in_a_turn_of_the_user() -> None:
    after = add_tools(Template.parse(CHATML))
    assert render(after, USER, CALLS | {"content": "Wait."}, *RESULTS) == (
        "<|im_start|>user\nHow high?<|im_end|>\n<|im_start|>assistant\nWait.\n"
        '<tool_call>\n{"name": "tide", "arguments": {"at":"Brest"}}\n</tool_call>\n'
        '<tool_call>\n{"name": "clock", "arguments": {}}\n</tool_call><|im_end|>\n'
        "<|im_start|>user\n<tool_response>\n7 m\n</tool_response><|im_end|>\n"
        "<|im_start|>user\n<tool_response>\nnoon\n</tool_response><|im_end|>\n<|im_start|>assistant\n"
    )


def test_a_first_system_text_shares_its_turn_with_the_tools() -> None:
    system = {"role": "system", "content": "Be brief."}
    for name, turn in (("chatml-all-alike", "<|im_start|>system"), ("llama3-all-alike", "system<|end_header_id|>")):
        prompt = render(with_tools(name), system, USER, system, USER, tools=True)
        assert prompt.count(turn) == 2  # the second system text stays where it is
        assert prompt.index("Be brief.") < prompt.index('"name":"tide"') < prompt.index("How high?")
        assert render(with_tools(name), USER, tools=True).count(turn) == 1


def test_llama_calls_one_a_line() -> None:
    after = with_tools("llama3-all-alike")
    assert render(after, USER, CALLS, RESULTS[0]).endswith(
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
        '{"name": "tide", "parameters": {"at":"Brest"}}\n{"name": "clock", "parameters": {}}<|eot_id|>'
        "<|start_header_id|>ipython<|end_header_id|>\n\n7 m<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
    )


def test_a_template_that_handles_tools_is_returned_as_it_is() -> None:
    template = Template.parse(QWEN)
    assert add_tools(template) is template


@pytest.mark.parametrize(("text", "jinja"), [(R1_OLD, JINJA_R1), (R1_NEW, JINJA_R1)], ids=["r1-old", "r1-new"])
def test_the_template_wins_over_the_one_in_the_gguf(text: str, jinja: str) -> None:
    template = declare_thinking(Template.parse(text))
    assert prefer_chat_template(template, jinja)
    assert not prefer_chat_template(add_tools(template, ChatTemplate.parse(jinja)), jinja)


def test_the_prompt_is_that_of_the_chat_template() -> None:
    after, chat_template = add_tools(Template.parse(R1_OLD)), ChatTemplate.parse(JINJA_R1)
    talk = Conversation.from_dict({"messages": [USER, CALLS, *RESULTS, SAYS, USER]})
    assert after.render(talk) == chat_template.render(talk).replace('{"at": "Brest"}', '{"at":"Brest"}')


def test_the_chat_template_decides_whether_a_turn_opens_after_a_result() -> None:
    template = Template.parse(R1_OLD)
    assert render(add_tools(template, ChatTemplate.parse(JINJA_R1)), USER, CALLS, *RESULTS).endswith("outputs▁end｜>")
    opens = add_tools(template, ChatTemplate.parse(JINJA_R1_OPENS))
    assert render(opens, USER, CALLS, *RESULTS).endswith("<｜tool▁outputs▁end｜><｜Assistant｜>")


@pytest.mark.parametrize(
    ("name", "jinja"),
    [("chatml-all-alike", JINJA_CHATML), ("llama3-all-alike", JINJA_LLAMA3)],
    ids=["chatml", "llama3"],
)
def test_a_chat_template_of_the_same_format_agrees(name: str, jinja: str) -> None:
    template = Template.parse(TEMPLATES[name])
    assert add_tools(template, ChatTemplate.parse(jinja)) == add_tools(template)


@pytest.mark.parametrize(
    ("name", "jinja", "old", "new"),
    [
        (
            "chatml-all-alike",
            JINJA_CHATML,
            """{"name": "' + call.function.name + '", """,
            "<function=' + call.function.name + '>",
        ),
        ("r1-old", JINJA_R1, "function<｜tool▁sep｜>", ""),
        ("r1-old", JINJA_R1, "tool▁call▁begin", "call"),
    ],
)
def test_another_format_in_the_gguf_is_refused(name: str, jinja: str, old: str, new: str) -> None:
    assert old in jinja
    chat_template = ChatTemplate.parse(jinja.replace(old, new).replace("+ '\\n```json", "+ '<｜tool▁sep｜>"))
    with pytest.raises(InjectionError, match="in another format than") as caught:
        add_tools(Template.parse(TEMPLATES[name]), chat_template)
    assert "by hand" in caught.value.hint


def test_tokens_in_another_order_are_refused() -> None:
    swapped = JINJA_R1.replace("'<｜tool▁outputs▁begin｜>'", "'<｜User｜><｜tool▁outputs▁begin｜>'")
    with pytest.raises(InjectionError, match="format tokens differ"):
        add_tools(Template.parse(R1_OLD), ChatTemplate.parse(swapped))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LEGACY_CHATML, "of the old style"),
        (GEMMA, "not known: its user's turn opens with '<start_of_turn>user"),
        (CHATML + "{{ .Tools }}", "handles tools in part"),
        ("{{ range .Messages }}{{ len .Content | slice .Role }}{{ end }}", "does not render a chat"),
        (CHATML.replace("{{ .Content }}", "{{ printf `%s!` .Content }}"), "no place of its own for the user's text"),
        (CHATML.replace("{{ .Content }}", "{{ .Content }}{{ .Content }}"), "prints the user's text more than once"),
        (
            '{{ range .Messages }}{{ if eq .Role "user" }}<|im_start|>user\n{{ .Content }}{{ end }}{{ end }}',
            "has no place of its own for the assistant's text",
        ),
        (
            BY_DEFINITION,
            "in one range over .Messages",
        ),
        (R1_OLD.replace("{{ .System }}", "{{ print .System }}"), "prints the system text with code of its own"),
        (CHATML + "{{ $i := 1 }}{{ $index := 1 }}{{ $n := 1 }}{{ $position := 1 }}", "names for a loop's index"),
        (
            R1_OLD.replace(
                '{{- if eq .Role "user" }}', '{{- if eq .Role "system" }}{{ else if eq .Role "user" }}'
            ).replace("{{ end }}\n{{- end }}\n{{- if and", "{{ end }}\n{{- else }}{{ end }}\n{{- if and"),
            "has no place for their results",
        ),
    ],
)
def test_a_template_without_a_place_is_refused(text: str, message: str) -> None:
    with pytest.raises(InjectionError) as caught:
        add_tools(Template.parse(text))
    assert message in caught.value.message
    assert caught.value.hint
