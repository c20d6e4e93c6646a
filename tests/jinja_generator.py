"""Jinja made up at random: expressions, most of which run, and chat templates put together from the pieces of real ones."""

from __future__ import annotations

from random import Random
from typing import Any

_ATOMS = (
    *("'abc'", "'Ab C'", "''", "'é☃'", '"it\'s"', "' x\\n y '", "'a,b,,c'", "'12'", "'3.5x'", "'<think>a</think>b'"),
    *(
        "0",
        "1",
        "7",
        "-3",
        "2.5",
        "1.0",
        "100000",
        "9007199254740993",
        "0.1",
        "true",
        "false",
        "none",
        "missing",
        "missing.a",
    ),
    *(
        "[]",
        "[1, 2, 3]",
        "['b', 'a', 'C']",
        "[1, 'a', none, 2.5]",
        "[[1, 2], [3]]",
        "(1, 2)",
        "('a', 'b')",
        "{}",
        "ns",
        "ns.l",
    ),
    *(
        "{'a': 1, 'b': 'x'}",
        "{'b': [1, 2], 'a': none, 1: 2}",
        "rows",
        "rows[0]",
        "rows[1].n",
        "rows[-1]['k']",
        "t",
        "t.u",
        "t.l",
    ),
    *(
        "messages",
        "messages[0]",
        "messages[0].content",
        "messages[0]['role']",
        "range(3)",
        "range(1, 8, 3)",
        "loopless",
        "raise_exception",
    ),
)
_BINARY = (
    "+",
    "+",
    "~",
    "~",
    "-",
    "*",
    "/",
    "%",
    "==",
    "!=",
    "<",
    ">",
    "<=",
    ">=",
    "in",
    "not in",
    "and",
    "or",
    "==",
    "in",
)
_FILTERS = (
    *(
        "length",
        "count",
        "trim",
        "upper",
        "lower",
        "title",
        "capitalize",
        "string",
        "safe",
        "int",
        "float",
        "abs",
        "list",
        "first",
    ),
    *(
        "last",
        "tojson",
        "sort",
        "reverse",
        "unique",
        "min",
        "max",
        "join",
        "items",
        "d",
        "e",
        "keys",
        "values",
        "dictsort",
        "sum",
    ),
    *(
        "join(', ')",
        "join('-', attribute='n')",
        "default('z')",
        "default('z', true)",
        "d(1, boolean=true)",
        "replace('a', 'bb')",
    ),
    *(
        "replace('', '-')",
        "indent",
        "indent(2)",
        "indent(2, true)",
        "indent('>', first=true, blank=true)",
        "split(',')",
        "split",
    ),
    *(
        "tojson(indent=2)",
        "tojson(separators=(',', ':'))",
        "tojson(true)",
        "tojson(ensure_ascii=true)",
        "tojson(sort_keys=true)",
    ),
    *(
        "map(attribute='n')|list",
        "map('upper')",
        "map(attribute='q', default='?')",
        "map(attribute=0)",
        "selectattr('n')",
        "selectattr('k', 'equalto', 'x')",
    ),
    *(
        "selectattr('n', 'gt', 1)",
        "rejectattr('n', 'defined')",
        "rejectattr('n')",
        "select('string')",
        "select('equalto', 1)",
        "reject('odd')",
    ),
    *(
        "sort(reverse=true)",
        "sort(attribute='n')",
        "sort(true, false, 'k')",
        "sort(attribute='q')",
        "dictsort(reverse=true)",
        "dictsort(by='value')",
    ),
    *(
        "round",
        "attr('n')",
        "wordcount",
        "truncate(3)",
        "batch(2)",
        "slice(1, 3, 1)",
        "int(7)",
        "int(base=16)",
        "float(1.5)",
        "format(1, 'x')",
        "pprint",
    ),
)
_TESTS = (
    *(
        "defined",
        "undefined",
        "none",
        "string",
        "number",
        "integer",
        "float",
        "boolean",
        "mapping",
        "sequence",
        "iterable",
    ),
    *(
        "callable",
        "odd",
        "even",
        "lower",
        "upper",
        "true",
        "false",
        "divisibleby(2)",
        "in([1, 'a', 2])",
        "in('abc')",
        "eq(1)",
    ),
    *(
        "equalto('abc')",
        "ne(2)",
        "gt(1)",
        "ge(2)",
        "lt('b')",
        "lessthan(3)",
        "greaterthan('a')",
        "sameas(1)",
        "test",
        "nosuch",
        "escaped",
    ),
)
_MEMBERS = (
    *(".a", ".b", "['a']", "[0]", "[1]", "[-1]", "[1:]", "[:2]", "[::-1]", "[-2:]", "[::2]", "[5:1:-1]", "[none]", "[true]", "['length']"),
    *(".strip()", ".upper()", ".lower()", ".title()", ".split(',')", ".split()", ".split('a', 1)", ".rsplit(',', 1)", ".startswith('a')"),
    *(".endswith('c')", ".replace('a', 'b')", ".strip('a')", ".lstrip()", ".rstrip('\\n ')", ".get('a')", ".get('q', 5)", ".keys()", ".values()"),
    *(".items()", ".append(9)", ".pop()", ".pop(0)", ".length", ".nosuch", ".nosuch()", ".index", ".format(1)", ".n", ".k", ".capitalize()", ".join(['a'])"),
)  # fmt: skip
_STATEMENTS = (
    "{{% for x in {a} %}}<{{{{ x }}}}{{{{ loop.index }}}}{{{{ loop.last }}}}>{{% else %}}none{{% endfor %}}",
    "{{% for k, v in {a} %}}{{{{ k }}}}={{{{ v }}}};{{% endfor %}}",
    "{{% for x in {a} if x %}}{{{{ loop.previtem }}}}{{{{ x }}}}{{{{ loop.revindex0 }}}}{{% endfor %}}",
    "{{% for x in {a} %}}{{% if loop.first %}}F{{% continue %}}{{% endif %}}{{{{ x }}}}{{% if x == {b} %}}{{% break %}}{{% endif %}}{{% endfor %}}",
    "{{% if {a} %}}yes{{% elif {b} %}}other{{% else %}}no{{% endif %}}",
    "{{% set q = {a} %}}{{{{ q }}}}|{{{{ q is defined }}}}",
    "{{% set q, r = {a} %}}{{{{ q }}}}{{{{ r }}}}",
    "{{% set q %}}[{{{{ {a} }}}}]{{% endset %}}{{{{ q|title }}}}{{{{ q|length }}}}",
    "{{% set ns.v = {a} %}}{{{{ ns.v }}}}{{{{ ns }}}}{{{{ ns.v is none }}}}",
    "{{% set t.w = {a} %}}{{{{ t|tojson }}}}",
    "{{% macro m(p, q={a}) %}}({{{{ p }}}}{{{{ q }}}}{{{{ caller() if caller else '' }}}}){{% endmacro %}}{{{{ m({b}) }}}}{{{{ m(1, q=2) }}}}{{% call m(3) %}}in{{% endcall %}}",
    "{{% filter upper %}}a{{{{ {a} }}}}{{% endfilter %}}",
    "{{{{ {a} if {b} }}}}|{{{{ ({a}) if ({b}) else 'E' }}}}",
    "{{% for i in range(2) %}}{{% set ns.c = ns.c + i %}}{{% set z = {a} %}}{{% endfor %}}{{{{ ns.c }}}}{{{{ z }}}}",
)
VALUES: dict[str, Any] = {
    "rows": [{"n": 2, "k": "x"}, {"n": 1, "k": "y", "items": 3}, {"k": "x"}],
    "t": {"u": "Ünï", "l": [1, "two", None], "o": {"p": [True, 1.5]}},
}
"""The variables that the expressions use, besides a namespace and the messages."""


def expression(random: Random, depth: int = 3) -> str:
    """Return an expression."""
    kind = random.randrange(10) if depth > 0 else 0
    if kind < 3:
        return random.choice(_ATOMS)
    inner = expression(random, depth - 1)
    if kind < 5:
        return f"({inner} {random.choice(_BINARY)} {expression(random, depth - 1)})"
    if kind < 7:
        return f"({inner})|{random.choice(_FILTERS)}"
    if kind == 7:
        return f"({inner}){random.choice(_MEMBERS)}"
    if kind == 8:
        return f"({inner} is {random.choice(('', 'not '))}{random.choice(_TESTS)})"
    return random.choice((f"(not {inner})", f"[{inner}, {expression(random, depth - 1)}]", f"{{'a': {inner}}}"))


def piece(random: Random) -> str:
    """Return a piece of a template that prints an expression, or a statement around one."""
    if random.random() < 0.65:
        return f"{{{{ {expression(random)} }}}}"
    return random.choice(_STATEMENTS).format(a=expression(random, 2), b=expression(random, 1))


def cases_template(pieces: list[str]) -> str:
    """Return a template that runs the piece whose number is the variable ``case``; without it, it is a plain one."""
    branches = "".join(
        f"{{%{'if' if not number else 'elif'} case == {number} %}}{text}" for number, text in enumerate(pieces)
    )
    loop = "{% for message in messages %}<{{ message.role }}>{{ message.content }}{% endfor %}"
    start = "{%- set ns = namespace(l=[1], c=0) -%}{%- set rows = rows or [] -%}{%- set t = t or {} -%}"
    return f"{start}{branches}{{%else%}}{loop}{{% if add_generation_prompt %}}<assistant>{{% endif %}}{{%endif%}}"


_OPENINGS = ("<|im_start|>", "[INST]", "<|", "### ", "<start>")
_ENDS = ("<|im_end|>\n", "[/INST]", "|>\n", "\n\n", "</s>")


def chat_template(random: Random) -> str:
    """Return a chat template: how it writes messages, calls, tools, reasoning and the prompt for an answer is drawn by lot."""
    draw = random.choice
    opening, end = draw(_OPENINGS), draw(_ENDS)
    content = draw(
        (
            "message.content",
            "message['content']|trim",
            "message.content if message.content is string else message.content[0].text",
            "(message.content or '')",
            "message.content.split('</think>')[-1]",
            "(message.content|selectattr('type', 'equalto', 'text')|map(attribute='text')|join(' ')) if message.content is not string else message.content",
        )
    )
    parts = "{% if message.content is string %}{{ message.content }}{% else %}{% for part in message.content %}({{ part.text }}){% endfor %}{% endif %}"
    only_parts = "{% for part in message.content %}({{ part.text }}){% endfor %}"
    said = draw((f"{{{{ {content} }}}}", f"{{{{- {content} -}}}}", f"{{{{ {content} }}}}", parts, only_parts))
    thought = draw(
        (
            "",
            "",
            "{% if message.reasoning_content %}<think>\n{{ message.reasoning_content }}\n</think>\n\n{% endif %}",
            "{%- if message.reasoning_content is defined and message.reasoning_content %}[THINK]{{ message.reasoning_content }}[/THINK]{%- endif %}",
        )
    )
    arguments = draw(
        ("call.function.arguments|tojson", "call.function.arguments", "call['function']['arguments']|string")
    )
    calls = draw(
        (
            "",
            f'{{% for call in message.tool_calls or [] %}}<call>{{"name": "{{{{ call.function.name }}}}", "arguments": {{{{ {arguments} }}}}}}</call>{{% endfor %}}',
            f"{{% if message.tool_calls %}}{{% for call in message.tool_calls %}}<f={{{{ call.function.name }}}}>{{{{ {arguments} }}}}</f>{{% endfor %}}{{% endif %}}",
            "{% for call in message.tool_calls or [] %}<f={{ call.function.name }}>{% for k, v in call.function.arguments|items %}<p={{ k }}>{{ v }}</p>{% endfor %}</f>{% endfor %}",
            "{% if message.tool_calls is defined %}{% if message.tool_calls|length != 1 %}{{ raise_exception('one call') }}{% endif %}{{ message.tool_calls[0]|tojson }}{% endif %}",
        )
    )
    tools = draw(("", "{% if tools %}{{ tools|tojson }}{% endif %}", "{% for tool in tools or [] %}{{ tool.function|tojson(indent=2) }}\n{% endfor %}",
                  "{%- if tools is defined and tools is not none %}{{- '# Tools' ~ (tools|map(attribute='function')|list|tojson) }}{%- endif %}"))  # fmt: skip
    system = draw(("", "", "{% if message.role == 'system' and not loop.first %}{{ raise_exception('system first') }}{% endif %}",
                   "{% if message.role == 'system' %}{% continue %}{% endif %}"))  # fmt: skip
    order = draw(
        (
            "",
            "",
            "",
            "{% if (message.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('alternate') }}{% endif %}",
        )
    )
    opened = draw(("", "", "<think>\n", "{{ '<think>\n' if enable_thinking else '<think>\n\n</think>\n\n' }}",
                   "{% if enable_thinking is defined and not enable_thinking %}<think></think>{% endif %}", "{% if enable_thinking %}[THINK]{% endif %}"))  # fmt: skip
    start = draw(
        (
            "",
            "{{ bos_token }}",
            "{%- set ns = namespace(n=0) -%}",
            "{{- bos_token }}",
            "{# a comment #}\n",
            "{{ date_string }}\n",
        )
    )
    date = draw(("", "", "", "{{ strftime_now('%Y-%m-%d') }}"))
    prompt = f"{{% if add_generation_prompt %}}{opening}assistant{opened}{{% endif %}}"
    prompt = draw(
        (
            prompt,
            prompt,
            prompt.replace("{%", "{%-"),
            f"{{{{ '{opening}assistant' if add_generation_prompt else '' }}}}",
        )
    )
    body = f"{system}{order}{opening}{{{{ message.role }}}}\n{thought}{said}{calls}{end}"
    return f"{start}{date}{tools}{{% for message in messages %}}{body}{{% endfor %}}{prompt}"
