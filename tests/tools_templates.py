"""Templates without tools in the styles of the families whose tool format is known, and chat templates that have tools."""

from __future__ import annotations

from example_templates import CHATML, R1_NEW, R1_OLD

V3 = """\
{{- range $n, $_ := .Messages }}
{{- if eq .Role "user" }}<｜User｜>
{{- else if eq .Role "assistant" }}<｜Assistant｜>
{{- end }}{{ .Content }}
{{- if eq (len (slice $.Messages $n)) 1 }}
{{- if eq .Role "user" }}<｜Assistant｜>{{ end }}
{{- else if eq .Role "assistant" }}<｜end▁of▁sentence｜>
{{- end }}
{{- end }}"""

CHATML_BY_ROLE = """\
{{- if .System }}<|im_start|>system
{{ .System }}<|im_end|>
{{ end }}
{{- range $message := .Messages }}
{{- if eq .Role "user" }}<|im_start|>user
{{ .Content }}<|im_end|>
{{ else if eq .Role "assistant" }}<|im_start|>assistant
{{ if .Content }}{{ .Content }}<|im_end|>
{{ end }}
{{- end }}
{{- end }}<|im_start|>assistant
"""

CHATML_OPENED_BY_USER = """\
{{ if .System }}<|im_start|>system
{{ .System }}<|im_end|>
{{ end }}{{ range $i, $_ := .Messages }}{{ $last := eq (len (slice $.Messages $i)) 1 }}
{{- if eq .Role "user" }}<|im_start|>user
{{ .Content }}<|im_end|>
{{ if $last }}<|im_start|>assistant
{{ end }}{{ else if eq .Role "assistant" }}<|im_start|>assistant
{{ .Content }}{{ if not $last }}<|im_end|>
{{ end }}{{ end }}
{{- end }}"""

CHATML_CLOSED_LATE = """\
{{- range $i, $_ := .Messages }}
{{- $last := eq (len (slice $.Messages $i)) 1 -}}
<|im_start|>{{ .Role }}
{{ .Content }}
{{- if not $last }}<|im_end|>
{{ else if ne .Role "assistant" }}<|im_end|>
<|im_start|>assistant
{{ end }}
{{- end }}"""

LLAMA3_ALL_ALIKE = """\
{{- range .Messages }}<|start_header_id|>{{ .Role }}<|end_header_id|>

{{ .Content }}<|eot_id|>
{{- end }}<|start_header_id|>assistant<|end_header_id|>

"""

LLAMA3_BY_ROLE = """\
{{- if .System }}<|start_header_id|>system<|end_header_id|>

{{ .System }}<|eot_id|>{{ end }}
{{- range $i, $_ := .Messages }}
{{- if eq .Role "user" }}<|start_header_id|>user<|end_header_id|>

{{ .Content }}<|eot_id|>
{{- else if eq .Role "assistant" }}<|start_header_id|>assistant<|end_header_id|>

{{ .Content }}{{ if gt (len (slice $.Messages $i)) 1 }}<|eot_id|>{{ end }}
{{- end }}
{{- if and (ne .Role "assistant") (eq (len (slice $.Messages $i)) 1) }}<|start_header_id|>assistant<|end_header_id|>

{{ end }}
{{- end }}"""

MISTRAL_V3 = """\
{{- range $index, $_ := .Messages }}
{{- if eq .Role "user" }}[INST] {{ if and $.System (eq (len (slice $.Messages $index)) 1) }}{{ $.System }}

{{ end }}{{ .Content }}[/INST]
{{- else if eq .Role "assistant" }} {{ .Content }}
{{- if not (eq (len (slice $.Messages $index)) 1) }}</s>
{{- end }}
{{- end }}
{{- end }}"""

MISTRAL_V7 = """\
{{ range .Messages }}{{ if eq .Role "system" }}[SYSTEM_PROMPT]{{ .Content }}[/SYSTEM_PROMPT]
{{- else if eq .Role "user" }}[INST]{{ .Content }}[/INST]
{{- else if eq .Role "assistant" }}{{ if .Content }}{{ .Content }}</s>{{ end }}
{{- end }}{{ end }}"""

TEMPLATES = {
    "mistral-v3": MISTRAL_V3,
    "mistral7-system": MISTRAL_V7,
    "r1-old": R1_OLD,
    "r1-new": R1_NEW,
    "v3": V3,
    "chatml-all-alike": CHATML,
    "chatml-by-role": CHATML_BY_ROLE,
    "chatml-opened-by-user": CHATML_OPENED_BY_USER,
    "chatml-closed-late": CHATML_CLOSED_LATE,
    "llama3-all-alike": LLAMA3_ALL_ALIKE,
    "llama3-by-role": LLAMA3_BY_ROLE,
}

JINJA_R1 = """\
{%- set ns = namespace(tool=false, asked=false) -%}
{%- for message in messages if message['role'] == 'system' %}{{ message['content'] }}{% endfor -%}
{%- for message in messages -%}
{%- if message['role'] == 'user' %}{% set ns.tool = false %}{{ '<｜User｜>' + message['content'] }}
{%- elif message['role'] == 'assistant' -%}
{%- if not ns.tool %}{{ '<｜Assistant｜>' }}{% endif %}{% set ns.tool = false -%}
{{ (message['content'] or '').split('</think>')[-1] -}}
{%- if message['tool_calls'] %}{{ '<｜tool▁calls▁begin｜>' }}
{%- for call in message['tool_calls'] -%}
{{ '' if loop.first else '\\n' -}}
{{ '<｜tool▁call▁begin｜>function<｜tool▁sep｜>' + call['function']['name'] + '\\n```json\\n' -}}
{{ call['function']['arguments'] if call['function']['arguments'] is string else call['function']['arguments'] | tojson -}}
{{ '\\n```<｜tool▁call▁end｜>' -}}
{%- endfor %}{{ '<｜tool▁calls▁end｜>' }}{% endif %}{{ '<｜end▁of▁sentence｜>' }}
{%- elif message['role'] == 'tool' -%}
{{ '\\n' if ns.tool else '<｜tool▁outputs▁begin｜>' -}}
{%- set ns.tool = true %}{{ '<｜tool▁output▁begin｜>' + message['content'] + '<｜tool▁output▁end｜>' -}}
{%- if loop.last or loop.nextitem['role'] != 'tool' %}{{ '<｜tool▁outputs▁end｜>' }}{% endif -%}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt and not ns.tool %}{{ '<｜Assistant｜>' }}{% endif -%}
{#- it thinks: <think> -#}"""

JINJA_R1_OPENS = JINJA_R1.replace("add_generation_prompt and not ns.tool", "add_generation_prompt")

JINJA_CHATML = """\
{%- if tools %}{{ '<|im_start|>system\\n<tools>' }}{% for tool in tools %}{{ '\\n' }}{{ tool | tojson }}{% endfor %}\
{{ '\\n</tools><|im_end|>\\n' }}{% endif -%}
{%- for message in messages -%}
{%- if message.role == 'tool' -%}
{{ '<|im_start|>user' if loop.first or loop.previtem.role != 'tool' else '' }}{{ '\\n<tool_response>\\n' + message.content -}}
{{ '\\n</tool_response>' }}{{ '<|im_end|>\\n' if loop.last or loop.nextitem.role != 'tool' else '' -}}
{%- elif message.role != 'system' or not tools -%}
{{ '<|im_start|>' + message.role + '\\n' + (message.content or '') -}}
{%- for call in message.tool_calls or [] -%}
{{ '\\n<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' }}{{ call.function.arguments | tojson -}}
{{ '}\\n</tool_call>' -}}
{%- endfor %}{{ '<|im_end|>\\n' }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif -%}"""

JINJA_LLAMA3 = """\
{%- for message in messages -%}
{%- if message.tool_calls -%}
{%- if message.tool_calls | length != 1 %}{{ raise_exception('one call at once') }}{% endif -%}
{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n{"name": "' + message.tool_calls[0].function.name -}}
{{ '", "parameters": ' }}{{ message.tool_calls[0].function.arguments | tojson }}{{ '}<|eot_id|>' -}}
{%- else -%}
{{ '<|start_header_id|>' + ('ipython' if message.role == 'tool' else message.role) + '<|end_header_id|>\\n\\n' -}}
{{ message.content + '<|eot_id|>' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif -%}
{#- tools -#}"""
