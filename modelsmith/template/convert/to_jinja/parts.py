"""What a Jinja template needs around a translated Go template: Ollama's merging of messages, its turns, Go's JSON.

Only what is used is written. All of it runs in jinja2 and in llama.cpp's Jinja alike.

Source of the rules: Ollama template/template.go (collate, Execute); Go, encoding/json/encode.go and fmt/print.go.
"""

from __future__ import annotations

import re
from typing import Final

from modelsmith.template.convert.to_jinja.items import quoted

_MERGE: Final = """\
{{%- set ns = namespace({start}) %}}
{{%- for m in messages %}}
    {{%- set content = m.content or '' %}}
{system}\
    {{%- if ns.talk and m.role != 'tool' and ns.talk[-1].role == m.role %}}
        {{%- set before = ns.talk[-1] %}}
        {{%- set ns.talk = ns.talk[:-1] + [{{'role': m.role, 'content': before.content + '\\n\\n' + content{kept}}}] %}}
    {{%- else %}}
        {{%- set ns.talk = ns.talk + [{{'role': m.role, 'content': content{first}}}] %}}
    {{%- endif %}}
{{%- endfor %}}
"""
_SYSTEM: Final = """\
    {%- if m.role == 'system' %}
        {%- set ns.systems = ns.systems + [content] %}
    {%- endif %}
"""
_JOINED: Final = "{%- set system = ns.systems | join('\\n\\n') %}\n"
_THINKS: Final = "{%- set thinks = enable_thinking is not defined or enable_thinking %}\n"
_LEVEL: Final = "{%- set think_level = (reasoning_effort or 'medium') if thinks else '' %}\n"
_BEGUN: Final = """\
{{%- if not add_generation_prompt and (not ns.talk or ns.talk[-1].role != 'assistant') %}}
    {{%- set ns.talk = ns.talk + [{{'role': 'assistant', 'content': ''{empty}}}] %}}
{{%- endif %}}
"""
_TURNS: Final = """\
{%- for message in ns.talk %}
    {%- if (message.role == 'system' and (ns.prompt or ns.response)) or (message.role == 'user' and ns.response) %}
        {%- set ns.turns = ns.turns + [{'system': ns.system, 'prompt': ns.prompt, 'response': ns.response}] %}
        {%- set ns.system = '' %}
        {%- set ns.prompt = '' %}
        {%- set ns.response = '' %}
    {%- endif %}
    {%- if message.role == 'system' %}
        {%- set ns.system = message.content %}
    {%- elif message.role == 'user' %}
        {%- set ns.prompt = message.content %}
    {%- elif message.role == 'assistant' %}
        {%- set ns.response = message.content %}
    {%- endif %}
{%- endfor %}
{%- set ns.turns = ns.turns + [{'system': ns.system, 'prompt': ns.prompt, 'response': ns.response}] %}
"""
_FIELDS: Final = {
    "thinking": ("m.reasoning_content or ''", "before.thinking"),
    "tool_calls": ("m.tool_calls or []", "before.tool_calls"),
    "tool_name": ("m.name or ''", "before.tool_name"),
    "tool_call_id": ("m.tool_call_id or ''", "before.tool_call_id"),
}
_ESCAPES: Final = (
    " | replace('&', '\\\\u0026') | replace('<', '\\\\u003c') | replace('>', '\\\\u003e')"
    " | replace('\u2028', '\\\\u2028') | replace('\u2029', '\\\\u2029')"
)
_MACROS: Final = {
    "json": "{%- macro json(value) %}\n"
    "    {%- if value is mapping %}\n"
    "        {{- '{' }}\n"
    "        {%- for key, item in value | dictsort(true) %}\n"
    "            {{- ('' if loop.first else ',') + json(key) + ':' + json(item) }}\n"
    "        {%- endfor %}\n"
    "        {{- '}' }}\n"
    "    {%- elif value is iterable and value is not string %}\n"
    "        {{- '[' }}\n"
    "        {%- for item in value %}\n"
    "            {{- ('' if loop.first else ',') + json(item) }}\n"
    "        {%- endfor %}\n"
    "        {{- ']' }}\n"
    "    {%- else %}\n"
    f"        {{{{- value | tojson{_ESCAPES} }}}}\n"
    "    {%- endif %}\n"
    "{%- endmacro %}\n",
    "ordered_json": "{%- macro ordered_json(value) %}\n"
    f"    {{{{- value | tojson(separators=[',', ':']){_ESCAPES} }}}}\n"
    "{%- endmacro %}\n",
    "arguments_json": "{%- macro arguments_json(arguments) %}\n"
    "    {{- arguments if arguments is string else json(arguments or {}) }}\n"
    "{%- endmacro %}\n",
    "properties_json": "{%- macro properties_json(properties) %}\n"
    "    {{- '{' }}\n"
    "    {%- for key, item in (properties or {}) | dictsort(true) %}\n"
    "        {{- ('' if loop.first else ',') + json(key) + ':' + ordered_json(item) }}\n"
    "    {%- endfor %}\n"
    "    {{- '}' }}\n"
    "{%- endmacro %}\n",
    "parameters_json": "{%- macro parameters_json(parameters) %}\n"
    "    {{- '{\"type\":' + json(parameters.type) }}\n"
    "    {%- for key in ['$defs', 'items', 'required'] %}\n"
    "        {%- if key in parameters %}\n"
    "            {{- ',\"' + key + '\":' + ordered_json(parameters[key]) }}\n"
    "        {%- endif %}\n"
    "    {%- endfor %}\n"
    "    {{- ',\"properties\":' + properties_json(parameters.properties) + '}' }}\n"
    "{%- endmacro %}\n",
    "function_json": "{%- macro function_json(function) %}\n"
    "    {{- '{\"name\":' + json(function.name) + ',\"description\":' + json(function.description or '') }}\n"
    "    {{- ',\"parameters\":' + parameters_json(function.parameters) + '}' }}\n"
    "{%- endmacro %}\n",
    "tool_json": "{%- macro tool_json(tool) %}\n"
    "    {{- '{\"type\":' + json(tool.type) + ',\"function\":' + function_json(tool.function) + '}' }}\n"
    "{%- endmacro %}\n",
    "tools_json": "{%- macro tools_json(tools) %}\n"
    "    {{- '[' }}\n"
    "    {%- for tool in tools or [] %}\n"
    "        {{- ('' if loop.first else ',') + tool_json(tool) }}\n"
    "    {%- endfor %}\n"
    "    {{- ']' }}\n"
    "{%- endmacro %}\n",
    "value_text": "{%- macro value_text(value) %}\n"
    "    {%- if value is none %}\n"
    "        {{- '<nil>' }}\n"
    "    {%- elif value is string %}\n"
    "        {{- value }}\n"
    "    {%- elif value is mapping %}\n"
    "        {{- 'map[' }}\n"
    "        {%- for key, item in value | dictsort(true) %}\n"
    "            {{- ('' if loop.first else ' ') + key + ':' + value_text(item) }}\n"
    "        {%- endfor %}\n"
    "        {{- ']' }}\n"
    "    {%- elif value is iterable %}\n"
    "        {{- '[' }}\n"
    "        {%- for item in value %}\n"
    "            {{- ('' if loop.first else ' ') + value_text(item) }}\n"
    "        {%- endfor %}\n"
    "        {{- ']' }}\n"
    "    {%- else %}\n"
    "        {{- value | tojson }}\n"
    "    {%- endif %}\n"
    "{%- endmacro %}\n",
    "any_text": "{%- macro any_text(value) %}\n"
    "    {{- '<no value>' if value is none else value_text(value) }}\n"
    "{%- endmacro %}\n",
    "type_text": "{%- macro type_text(type) %}\n    {{- value_text(type) if type else '' }}\n{%- endmacro %}\n",
    "parameters_text": "{%- macro parameters_text(parameters) %}\n"
    "    {{- '{' + parameters.type + ' ' }}\n"
    "    {{- value_text(parameters['$defs'] if '$defs' in parameters else none) + ' ' }}\n"
    "    {{- value_text(parameters['items'] if 'items' in parameters else none) + ' ' }}\n"
    "    {{- value_text(parameters.required or []) + ' ' }}\n"
    "    {{- properties_json(parameters.properties) + '}' }}\n"
    "{%- endmacro %}\n",
    "function_text": "{%- macro function_text(function) %}\n"
    "    {{- '{' + function.name + ' ' + (function.description or '') + ' ' + parameters_text(function.parameters) + '}' }}\n"
    "{%- endmacro %}\n",
}
_CALL: Final = re.compile(r"\b([a-z_]+)\(")
_QUOTED: Final = re.compile(r"'(?:\\.|[^'\\])*'")


def surrounded(body: str, *, legacy: bool, begins: bool) -> str:
    """Return the whole template: macros, Ollama's merging, and the body, each as far as the body uses it.

    Where it ``begins``, an empty answer stands at the end if no generation prompt is asked for: llama-server renders so
    what comes before a begun answer.
    """
    code = _QUOTED.sub("''", body)
    used = {name for name in _FIELDS if f".{name}" in code}
    kept = "".join(f", '{name}': {_FIELDS[name][1]}" for name in _FIELDS if name in used)
    first = "".join(f", '{name}': {_FIELDS[name][0]}" for name in _FIELDS if name in used)
    has_system = not legacy and re.search(r"\bsystem\b", code) is not None
    start = "talk=[]" + (", systems=[]" if has_system else "")
    if legacy:
        start += ", turns=[], system='', prompt='', response=''"
    head = _MERGE.format(start=start, system=_SYSTEM if has_system else "", kept=kept, first=first)
    if begins:
        empty = "".join(
            f", '{name}': {'[]' if name == 'tool_calls' else quoted('')}" for name in _FIELDS if name in used
        )
        head += _BEGUN.format(empty=empty)
    head += _JOINED * has_system + _TURNS * legacy
    thinks = re.search(r"\b(thinks|think_level)\b", code) is not None
    head += _THINKS * thinks + _LEVEL * ("think_level" in code)
    return _macros(body) + head + body.rstrip("\n")


def _macros(body: str) -> str:
    """Return the macros that a text calls, and those that they call, each before the one that calls it."""
    found: dict[str, None] = {}

    def need(text: str) -> None:
        for name in _CALL.findall(_QUOTED.sub("''", text)):
            if name in _MACROS and name not in found:
                found[name] = None
                need(_MACROS[name])

    need(body)
    return "".join(text for name, text in _MACROS.items() if name in found)
