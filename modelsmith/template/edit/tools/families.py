"""How families of models write tools, calls and results: the tokens and words that they were trained on.

A family is known by the turn markers that its template prints. Its code sees ``$`` as the root and, inside the range over
the messages, the message as the dot. ``FIRST`` and ``LAST`` stand for expressions about the neighbours (see
``tools_code.py``). No code begins or ends with white space: a trim marker beside it would take that away. In ``calls`` the
tag stands as text right behind ``if .ToolCalls``: there Ollama looks for what opens a call in the model's answer.

Source of the formats: the chat templates of DeepSeek R1 and V3, Qwen 2.5 and 3, Llama 3.1; mistral-common (tokenizers v3 and v7)
and what Ollama's library has for Mistral; of the tag, Ollama tools/template.go (parseTag).
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Family:
    """The tool format of one family.

    ``user`` is what opens a user's turn, ``assistant`` what opens an answer. ``system`` are the texts around a system text.
    ``result_role`` is the role that shows results ("" where they have tokens of their own), ``result`` what stands around
    a result, and ``result_turn`` what opens and closes a turn around that. ``tag`` is what Ollama has to find in an answer,
    ``signs`` what every chat template of this format prints for a call, ``others`` what one of another format prints for a
    call of ``NAME``. Where ``goes_on`` is set, the model answers a result
    without a new turn of its own; ``user_end`` is what closes a user's turn where nothing opens an answer. Where ``before_last_user`` is set, the tools stand right before the last user's turn and not
    in the system turn. A template with one of ``strangers`` is of another family that opens turns alike.
    """

    name: str
    user: str
    assistant: str
    system: tuple[str, str]
    tools: str
    calls: str
    result: tuple[str, str]
    result_turn: tuple[str, str]
    result_role: str
    tag: str
    signs: tuple[str, ...]
    others: tuple[str, ...]
    tokens: tuple[str, ...]
    goes_on: bool = False
    user_end: str = ""
    before_last_user: bool = False
    strangers: tuple[str, ...] = ()


DEEPSEEK = Family(
    name="DeepSeek R1 and V3",
    user="<｜User｜>",
    assistant="<｜Assistant｜>",
    system=("", ""),
    tools="""## Tools

### Function

You have the following functions available:
{{ range $.Tools }}
```json
{{ json .Function }}
```
{{ end }}
To call functions, answer in exactly this format, with one call or several:
<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>FUNCTION_NAME
```json
ARGUMENTS_AS_JSON
```<｜tool▁call▁end｜><｜tool▁calls▁end｜>""",
    calls="""{{ if .ToolCalls }}<｜tool▁calls▁begin｜>\
{{ range $number, $_ := .ToolCalls }}{{ if $number }}
{{ end }}<｜tool▁call▁begin｜>function<｜tool▁sep｜>{{ .Function.Name }}
```json
{{ .Function.Arguments }}
```<｜tool▁call▁end｜>{{ end }}<｜tool▁calls▁end｜>{{ end }}""",
    result=(
        '{{ if FIRST }}<｜tool▁outputs▁begin｜>{{ else }}{{ "\\n" }}{{ end }}<｜tool▁output▁begin｜>',
        "<｜tool▁output▁end｜>{{ if LAST }}<｜tool▁outputs▁end｜>{{ end }}",
    ),
    result_turn=("", ""),
    result_role="",
    tag="<｜tool▁calls▁begin｜>",
    signs=("<｜tool▁call▁begin｜>",),
    others=("<｜tool▁call▁begin｜>NAME<｜tool▁sep｜>",),
    tokens=(
        *("<｜User｜>", "<｜Assistant｜>", "<｜end▁of▁sentence｜>", "<｜tool▁sep｜>"),
        *("<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>", "<｜tool▁calls▁end｜>"),
        *("<｜tool▁outputs▁begin｜>", "<｜tool▁output▁begin｜>", "<｜tool▁output▁end｜>", "<｜tool▁outputs▁end｜>"),
    ),
    goes_on=True,
)

CHATML = Family(
    name="ChatML (Qwen, Hermes)",
    user="<|im_start|>user\n",
    assistant="<|im_start|>assistant\n",
    system=("<|im_start|>system\n", "<|im_end|>\n"),
    tools="""# Tools

You may call one or more functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>{{ range $.Tools }}
{"type": "function", "function": {{ json .Function }}}{{ end }}
</tools>

For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
<tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call>""",
    # (len .ToolCalls): Ollama must not take this one for the place where the tag stands
    calls="""{{ if and .Content (len .ToolCalls) }}
{{ end }}{{ if .ToolCalls }}<tool_call>{{ range $number, $_ := .ToolCalls }}{{ if $number }}
</tool_call>
<tool_call>{{ end }}
{"name": {{ json .Function.Name }}, "arguments": {{ .Function.Arguments }}}{{ end }}
</tool_call>{{ end }}""",
    result=('<tool_response>{{ "\\n" }}', '{{ "\\n" }}</tool_response>'),
    result_turn=('<|im_start|>user{{ "\\n" }}', '<|im_end|>{{ "\\n" }}'),
    result_role="user",
    tag="<tool_call>",
    signs=("<tool_call>", '"arguments"'),
    others=("<function=NAME>",),
    tokens=(
        "<|im_start|>",
        "<|im_end|>",
        "<tools>",
        "</tools>",
        "<tool_call>",
        "</tool_call>",
        "<tool_response>",
        "</tool_response>",
    ),
)

LLAMA3 = Family(
    name="Llama 3",
    user="<|start_header_id|>user<|end_header_id|>\n\n",
    assistant="<|start_header_id|>assistant<|end_header_id|>\n\n",
    system=("<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>"),
    tools="""You have access to the following functions. To call a function, please respond with JSON for a function call. \
Respond in the format {"name": function name, "parameters": dictionary of argument name and its value}. Do not use variables.
{{ range $.Tools }}
{{ json . }}
{{ end }}""",
    calls="""{{ if and .Content (len .ToolCalls) }}
{{ end }}{{ if .ToolCalls }}{{ range $number, $_ := .ToolCalls }}{{ if $number }}
{{ end }}{"name": {{ json .Function.Name }}, \
"parameters": {{ .Function.Arguments }}}{{ end }}{{ end }}""",
    result=("", ""),
    result_turn=('<|start_header_id|>ipython<|end_header_id|>{{ "\\n\\n" }}', "<|eot_id|>"),
    result_role="ipython",
    tag="{",
    signs=('"parameters"',),
    others=("[NAME(",),
    tokens=("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
)

MISTRAL = Family(
    name="Mistral",
    user="[INST] ",
    assistant="",
    system=("", ""),
    tools="[AVAILABLE_TOOLS] {{ $.Tools }}[/AVAILABLE_TOOLS]",
    calls="""{{ if .ToolCalls }}[TOOL_CALLS] [{{ range $number, $_ := .ToolCalls }}{{ if $number }}, {{ end }}\
{"name": {{ json .Function.Name }}, "arguments": {{ .Function.Arguments }}}{{ end }}]{{ end }}""",
    result=('[TOOL_RESULTS] {"content": ', "}[/TOOL_RESULTS]"),
    result_turn=("", ""),
    result_role="",
    tag="[TOOL_CALLS] [",
    signs=("[TOOL_CALLS]", '"arguments"'),
    others=("[TOOL_CALLS]NAME", "[TOOL_CALLS] NAME"),
    tokens=(
        *("[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]"),
        *("[TOOL_CALLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]"),
    ),
    goes_on=True,
    user_end="[/INST]",
    before_last_user=True,
    strangers=("<<SYS>>",),
)

MISTRAL_V7 = replace(
    MISTRAL,
    name="Mistral (v7: no blanks behind its tokens)",
    user="[INST]",
    tools=MISTRAL.tools.replace("] {{", "]{{"),
    calls=MISTRAL.calls.replace("[TOOL_CALLS] [", "[TOOL_CALLS]["),
    result=('[TOOL_RESULTS]{"content": ', "}[/TOOL_RESULTS]"),
    tag="[TOOL_CALLS][",
)

FAMILIES = (DEEPSEEK, CHATML, LLAMA3, MISTRAL, MISTRAL_V7)
