"""Jinja templates whose tools, calls and texts no one format describes become Go node by node, proven equal."""

from __future__ import annotations

import pytest

from modelsmith.errors import TemplateRenderError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.convert.conversion import Conversion
from modelsmith.template.convert.to_go.convert import to_go
from modelsmith.template.convert.translate.translate import translate
from modelsmith.template.go.template import Template
from modelsmith.template.jinja.template import ChatTemplate

_TALK = (
    "{%- for message in messages %}[{{ message.role }}]{{ message.content }}\n{% endfor %}"
    "{%- if add_generation_prompt %}[assistant]{% endif %}"
)
_CALLS = (
    "{%- for message in messages %}[{{ message.role }}]{{ message.content }}"
    "{%- if message.tool_calls %}{%- for call in message.tool_calls %}CALLS{%- endfor %}{%- endif %}\n{% endfor %}"
    "{%- if add_generation_prompt %}[assistant]{% endif %}"
)
TEMPLATES = {
    "calls parameter by parameter": _CALLS.replace(
        "CALLS",
        "<function={{ call.function.name }}>{%- for key, value in call.function.arguments.items() %}"
        "<{{ key }}>{{ value if value is string else value|tojson }}</{{ key }}>{%- endfor %}</function>",
    ),
    "tools as signatures": "{%- for tool in tools or [] %}def {{ tool.function.name }}("
    "{%- for name, spec in tool.function.parameters.properties.items() %}{{ name }}: {{ spec.type if spec.type is string "
    "else spec.type|join('|') }}{{ '' if name in tool.function.parameters.required or [] else ' = None' }}"
    "{%- if not loop.last %}, {% endif %}{%- endfor %})\n{% endfor %}" + _TALK,
    "white space and reasoning in contents": "{%- for message in messages %}[{{ message.role }}]"
    "{{- message.content.split('</think>')[-1].strip() }}\n{% endfor %}{%- if add_generation_prompt %}[assistant]{% endif %}",
    "what the last user said": "{%- set ns = namespace(last=-1) %}{%- for message in messages %}{%- if message.role == 'user' %}"
    "{%- set ns.last = loop.index0 %}{%- endif %}{%- endfor %}{%- for message in messages %}"
    "{{ '>' if loop.index0 == ns.last else '' }}[{{ message.role|upper }}]{{ message.content }}\n{% endfor %}"
    "{%- if add_generation_prompt %}[ASSISTANT]{% endif %}",
    "a text that a loop adds to": "{%- set ns = namespace(text='') %}{%- for tool in tools or [] %}"
    "{%- set ns.text = ns.text + tool|tojson + ';' %}{%- endfor %}{%- if ns.text %}<tools>{{ ns.text }}</tools>{%- endif %}"
    + _TALK,
    "a list that a loop adds to": "{%- set ns = namespace(names=[]) %}{%- for tool in tools or [] %}"
    "{%- set ns.names = ns.names + [tool.function.name] %}{%- endfor %}{{ ns.names|join(', ') }}" + _TALK,
    "a macro that calls itself": "{%- macro show(value) %}{%- if value is mapping %}{ {%- for key, item in value|dictsort %}"
    "{{ key }}={{ show(item) }};{%- endfor %} }{%- elif value is string %}'{{ value }}'{%- elif value is sequence %}["
    "{%- for item in value %}{{ show(item) }},{%- endfor %}]{%- else %}{{ value|tojson }}{%- endif %}{%- endmacro %}"
    + _CALLS.replace("CALLS", "{{ call.function.name }}{{ show(call.function.arguments) }}"),
    "identifiers that were seen": "{%- set seen = namespace(ids=[]) %}{%- for message in messages %}[{{ message.role }}]"
    "{%- if message.role == 'tool' %}{%- if message.tool_call_id not in seen.ids %}{{ message.content }}"
    "{%- for other in messages[loop.index0 + 1:] %}{%- if other.role == 'tool' %}+{{ other.content }}"
    "{%- set seen.ids = seen.ids + [other.tool_call_id] %}{%- else %}{%- break %}{%- endif %}{%- endfor %}{%- endif %}"
    "{%- else %}{{ message.content }}{%- for call in message.tool_calls or [] %}{{ call.function.name }}"
    "{{ call.function.arguments|tojson }}{%- endfor %}{%- endif %}\n{% endfor %}"
    "{%- if add_generation_prompt %}[assistant]{% endif %}",
    "names that were seen, one after the other": "{%- set ns = namespace(seen=[]) %}{%- for tool in tools or [] %}"
    "{%- set start = tool.function.name.split('i')[0] %}{%- if start not in ns.seen %}{%- set ns.seen = ns.seen + [start] %}"
    "{%- endif %}{%- endfor %}{%- for start in ns.seen %}{{ loop.index }}{{ start }}{{ '' if loop.last else ', ' }}{%- endfor %}"
    + _TALK,
    "results in the order of the calls": "{#- dsml_token DSML tool_calls #}"
    + _CALLS.replace("CALLS", "{{ call.id }}{{ call.function.name }}").replace(
        "{{ message.content }}", "{{ message.content }}{{ message.tool_call_id or '' }}"
    ),
    "a queue of identifiers": "{%- set queue = namespace(ids=[]) %}{%- set counter = namespace(value=0) %}"
    "{%- for message in messages %}[{{ message.role }}]{%- for call in message.tool_calls or [] %}"
    "{%- set name = call.function.name + ':' + counter.value|string %}{%- set counter.value = counter.value + 1 %}"
    "{%- set _ = queue.ids.append(name) %}{{ name }}{{ call.function.arguments|tojson }}{%- endfor %}"
    "{%- if message.role == 'tool' %}{%- if queue.ids %}{%- set name = queue.ids.pop(0) %}{%- else %}"
    "{%- set name = 'none:' + counter.value|string %}{%- endif %}<{{ name }}>{%- endif %}{{ message.content }}\n{% endfor %}"
    "{%- if add_generation_prompt %}[assistant]{% endif %}",
    "what is in an argument": _CALLS.replace(
        "CALLS",
        "{%- for key, value in call.function.arguments.items() %}{% if value is string or value is mapping or value is sequence %}"
        "{{ key }}{{ '+' if 'day' in value else '-' }}{{ '+' if '<' in value else '-' }}{% endif %}{%- endfor %}",
    ),
    "tools in the first message of a user": "{%- if messages[0].role == 'system' %}{%- set head = messages[0].content %}"
    "{%- set messages = messages[1:] %}{%- else %}{%- set head = '' %}{%- endif %}<{{ head }}>{%- if tools %}{{ tools|tojson }}"
    "{%- if messages|length != 0 %}{%- if messages[0].content is string %}{%- set first = messages[0].content %}{%- else %}"
    "{%- set first = messages[0].content|selectattr('type', 'equalto', 'text')|map(attribute='text')|join %}{%- endif %}"
    "{%- set messages = messages[1:] %}[first]{{ first }}\n{%- endif %}{%- endif %}" + _TALK,
    "calls as their functions": "{%- for message in messages %}[{{ message.role }}]{{ message.content }}{%- if message.tool_calls %}"
    "{{ message.tool_calls|map(attribute='function')|list|tojson(indent=4) }}{%- endif %}\n{% endfor %}"
    "{%- if add_generation_prompt %}[assistant]{% endif %}",
    "an empty list": "{%- set files = [] %}{%- if files %}<files>{%- endif %}" + _TALK,
    "a list of messages that nothing uses": "{%- set kept = [] %}{%- for message in messages %}{%- if message.role != 'tool' %}"
    "{%- set kept = kept + [message] %}{%- endif %}{%- endfor %}{%- for message in kept %}never{%- endfor %}" + _TALK,
    "texts before what leaves the round": "{%- for message in messages %}{%- if message.role == 'system' %}lost{{ message.content }}"
    "{%- continue %}{%- endif %}[{{ message.role }}]{%- if message.role != 'user' %}<{{ message.content }}"
    "{%- if message.role == 'tool' %}{%- continue %}{%- endif %}>{%- else %}{{ message.content }}{%- endif %}\n{% endfor %}"
    "{%- if add_generation_prompt %}[assistant]{% endif %}",
    "what is set before a round is left": "{%- set ns = namespace(head=false, told=0) %}{%- for message in messages %}"
    "{%- if message.role == 'system' %}{%- set ns.head = message.content %}{%- break %}{%- endif %}{%- endfor %}"
    "{%- if ns.head and ns.head != '' %}<{{ ns.head }}>{%- endif %}{%- for message in messages %}{%- set ns.told = ns.told + 1 %}"
    "{%- if message.role == 'system' and ns.head %}{%- continue %}{%- endif %}{{ ns.told }}[{{ message.role }}]{{ message.content }}"
    "\n{% endfor %}{%- if add_generation_prompt %}[assistant]{% endif %}",
    "a text in another": "{%- set ns = namespace(places='') %}{%- for message in messages %}{%- if message.role == 'tool' %}"
    "{%- set ns.places = ns.places ~ ',' ~ loop.index0 ~ ',' %}{%- endif %}{%- endfor %}{%- for message in messages %}"
    "{{ '+' if (',' ~ loop.index ~ ',') in ns.places else '-' }}{{ '=' if message.content in messages[0].content else '' }}"
    "[{{ message.role }}]{{ message.content }}\n{% endfor %}{%- if add_generation_prompt %}[assistant]{% endif %}",
    "calls as a text that grows": _CALLS.replace(
        "{%- for call in message.tool_calls %}CALLS{%- endfor %}",
        "{%- set ns = namespace(text='(') %}{%- for call in message.tool_calls %}{%- set ns.text = ns.text + call.function.name %}"
        "{%- set ns.text = ns.text + call.function.arguments|tojson %}{%- if not loop.last %}{%- set ns.text = ns.text + ', ' %}"
        "{%- endif %}{%- endfor %}{{ ns.text + ')' }}",
    ),
    "the other way round": "{%- for message in messages[::-1] %}{{ message.role[0:2] if false else message.role }} {% endfor %}\n"
    + _TALK,
}


def _converted(name: str) -> Conversion:
    return to_go(ChatTemplate.parse(TEMPLATES[name]))


@pytest.mark.parametrize("name", TEMPLATES)
def test_is_proven(name: str) -> None:
    conversion = _converted(name)
    assert conversion.proven, conversion.counterexample
    assert not any(limit.startswith("a branch") for limit in conversion.limits)


@pytest.mark.parametrize(
    ("value", "shown"),
    [("a day", "+-"), ("<", "-+"), ({"day": 1}, "+-"), (["<", "day"], "++"), ([{"day": 1}, 2, None], "--"), ("", "--")],
)
def test_what_is_in_an_argument(value: object, shown: str) -> None:
    template = ChatTemplate.parse(TEMPLATES["what is in an argument"])
    call = {"function": {"name": "look", "arguments": {"at": value}}}
    messages = [{"role": "assistant", "content": "", "tool_calls": [call]}, {"role": "user", "content": "So?"}]
    talk = Conversation.from_dict({"messages": messages})
    prompt = Template.parse(translate(template).text).render(talk)
    assert prompt == template.render(talk)
    assert f"at{shown}" in prompt


@pytest.mark.parametrize("names", [("a", "b b", "3|"), ("é", " ", "?|x"), ("|",) * 3])
def test_a_queue_gives_back_what_was_put_into_it(names: tuple[str, ...]) -> None:
    template = ChatTemplate.parse(TEMPLATES["a queue of identifiers"])
    calls = [{"function": {"name": name, "arguments": {}}} for name in names]
    result = {"role": "tool", "content": "x"}
    asks = {"role": "user", "content": "And?"}
    told = [{"role": "assistant", "content": "", "tool_calls": calls}, result, result]
    talk = Conversation.from_dict({"messages": [result, asks, *told, asks, *told, result, result, result, asks]})
    prompt = Template.parse(translate(template).text).render(talk)
    assert prompt == template.render(talk)
    assert prompt.count("none:") == 2


RESULTS = ("b", "a", "c", "b", "", "other")


@pytest.mark.parametrize("shift", range(len(RESULTS)))
def test_results_stand_in_the_order_of_the_calls(shift: int) -> None:
    template = ChatTemplate.parse(TEMPLATES["results in the order of the calls"])
    calls = [{"id": name, "function": {"name": "look", "arguments": {}}} for name in ("a", "b", "c", "b")]
    named = [*RESULTS[shift:], *RESULTS[:shift]]
    results = [
        {"role": "tool", "content": f"{number}", **({"tool_call_id": name} if name else {})}
        for number, name in enumerate(named)
    ]
    ask = {"role": "user", "content": "Go on."}
    messages = [ask, {"role": "assistant", "content": "", "tool_calls": calls}, *results[:4], ask, *results[4:]]
    answer = {"role": "assistant", "content": "So."}
    talk = Conversation.from_dict({"messages": [*messages, answer, *results, answer, ask]})
    prompt = Template.parse(translate(template).text).render(talk)
    assert prompt == template.render(talk)
    assert prompt != ChatTemplate.parse(template.text.replace("DSML", "")).render(talk)


def test_a_result_by_its_place_is_left_open_where_results_are_put_in_order() -> None:
    text = TEMPLATES["results in the order of the calls"] + "{{ messages[2].content }}"
    assert "a result by its place" in " ".join(translate(ChatTemplate.parse(text)).gaps)


def test_texts_are_cut_as_jinja_cuts_them() -> None:
    template = ChatTemplate.parse(TEMPLATES["white space and reasoning in contents"])
    go = Template.parse(translate(template).text)
    talk = Conversation.from_dict({"messages": [{"role": "user", "content": " <think>x</think>\n\t two  words \n"}]})
    assert go.render(talk) == template.render(talk) == "[user]two  words\n[assistant]"


def test_what_has_no_go_form_fails_where_it_is_reached() -> None:
    text = "{%- if tools and messages|length > 99 %}{{ messages|map('upper')|list }}{%- endif %}" + _TALK
    translation = translate(ChatTemplate.parse(text))
    assert translation.gaps
    assert "line 1 of the Jinja template" in translation.text
    Template.parse(translation.text)


def test_what_the_original_refuses_leaves_nothing_open() -> None:
    text = "{%- if tools and tools[0].function.description == 'refuse' %}{%- for letter in 'abc' %}x{%- endfor %}{%- endif %}"
    template = ChatTemplate.parse(text + _TALK)
    translation = translate(template)
    assert not translation.gaps
    go = Template.parse(translation.text)
    rendered, refused = (_offered(description) for description in ("other", "refuse"))
    assert go.render(rendered) == template.render(rendered)
    for each in (go, template):
        with pytest.raises(TemplateRenderError):
            each.render(refused)


def _offered(description: str) -> Conversation:
    parameters = {"type": "object", "properties": {}}
    tool = {"type": "function", "function": {"name": "look", "description": description, "parameters": parameters}}
    return Conversation.from_dict({"messages": [{"role": "user", "content": "Hi"}], "tools": [tool]})


ODD = ("", "a", "b", "1|a", " |", "|", "?", "a?", '"a"', "a b", "  2|", "é", "\n")


@pytest.mark.parametrize("shift", range(len(ODD)))
def test_a_list_of_texts_is_told_apart_from_any_other(shift: int) -> None:
    template = ChatTemplate.parse(
        "{%- set ns = namespace(seen=[]) %}{%- for message in messages %}{{ '-' if message.content in ns.seen else '+' }}"
        "{%- set ns.seen = ns.seen + [message.content] %}{%- endfor %}{%- if add_generation_prompt %}>{% endif %}"
    )
    said = [*ODD[shift:], *ODD[: shift + 1], ODD[0], ODD[3]]
    roles = (("user", "assistant")[place % 2] for place in range(len(said)))
    messages = [{"role": role, "content": content} for role, content in zip(roles, said, strict=True)]
    talk = Conversation.from_dict({"messages": [*messages, {"role": "tool", "content": "end"}]})
    assert Template.parse(translate(template).text).render(talk) == template.render(talk)
