"""Templates in the styles that are about in the world, written for the tests."""

from __future__ import annotations

R1_OLD = """\
{{- if .System }}{{ .System }}{{ end }}
{{- range $i, $_ := .Messages }}
{{- $last := eq (len (slice $.Messages $i)) 1 }}
{{- if eq .Role "user" }}<｜User｜>{{ .Content }}
{{- else if eq .Role "assistant" }}<｜Assistant｜>{{ .Content }}{{ if not $last }}<｜end▁of▁sentence｜>{{ end }}
{{- end }}
{{- if and $last (ne .Role "assistant") }}<｜Assistant｜>{{ end }}
{{- end }}"""

R1_NEW = """\
{{- if .System }}{{ .System }}{{ end }}
{{- range $i, $_ := .Messages }}
{{- $last := eq (len (slice $.Messages $i)) 1 }}
{{- if eq .Role "user" }}<｜User｜>{{ .Content }}
{{- else if eq .Role "assistant" }}<｜Assistant｜>
{{- if and $last .Thinking -}}
<think>
{{ .Thinking }}
</think>
{{ end }}{{ .Content }}{{ if not $last }}<｜end▁of▁sentence｜>{{ end }}
{{- end }}
{{- if and $last (ne .Role "assistant") }}<｜Assistant｜>
{{- if and $.IsThinkSet (not $.Think) -}}
<think>

</think>

{{ end }}
{{- end -}}
{{- end }}"""

QWEN = """\
{{- if or .System .Tools }}<|im_start|>system
{{- if .System }}
{{ .System }}
{{- end }}
{{- if .Tools }}

# Tools
{{- range .Tools }}
{{ json .Function }}
{{- end }}
{{- end }}<|im_end|>
{{ end }}
{{- range $i, $_ := .Messages }}
{{- $last := eq (len (slice $.Messages $i)) 1 -}}
{{- if eq .Role "user" }}<|im_start|>user
{{ .Content }}<|im_end|>
{{ else if eq .Role "assistant" }}<|im_start|>assistant
{{ if .Content }}{{ .Content }}
{{- else if .ToolCalls }}<tool_call>
{{ range .ToolCalls }}{"name": "{{ .Function.Name }}", "arguments": {{ .Function.Arguments }}}
{{ end }}</tool_call>
{{- end }}{{ if not $last }}<|im_end|>
{{ end }}
{{- else if eq .Role "tool" }}<|im_start|>user
<tool_response>
{{ .Content }}
</tool_response><|im_end|>
{{ end }}
{{- if and (ne .Role "assistant") $last }}<|im_start|>assistant
{{ end }}
{{- end }}"""

QWQ = QWEN.replace(
    "<|im_start|>assistant\n{{ end }}\n{{- end }}", "<|im_start|>assistant\n<think>\n{{ end }}\n{{- end }}"
)

CHATML = """\
{{- range .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}<|im_end|>
{{ end }}<|im_start|>assistant
"""

LLAMA3 = """\
{{- if .System }}<|start_header_id|>system<|end_header_id|>

{{ .System }}<|eot_id|>
{{- end }}
{{- range $i, $_ := .Messages }}
{{- $last := eq (len (slice $.Messages $i)) 1 }}
{{- if eq .Role "user" }}<|start_header_id|>user<|end_header_id|>
{{- if and $.Tools $last }}

Tools: {{ $.Tools }}
{{- end }}

{{ .Content }}<|eot_id|>{{ if $last }}<|start_header_id|>assistant<|end_header_id|>

{{ end }}
{{- else if eq .Role "assistant" }}<|start_header_id|>assistant<|end_header_id|>
{{- if .ToolCalls }}
{{ range .ToolCalls }}{"name": "{{ .Function.Name }}", "parameters": {{ .Function.Arguments }}}{{ end }}
{{- else }}

{{ .Content }}
{{- end }}{{ if not $last }}<|eot_id|>{{ end }}
{{- else if eq .Role "tool" }}<|start_header_id|>ipython<|end_header_id|>

{{ .Content }}<|eot_id|>{{ if $last }}<|start_header_id|>assistant<|end_header_id|>

{{ end }}
{{- end }}
{{- end }}"""

MISTRAL = """\
{{- range $index, $_ := .Messages }}
{{- if eq .Role "user" }}[INST] {{ .Content }}[/INST]
{{- else if eq .Role "assistant" }} {{ .Content }}</s>
{{- end }}
{{- end }}"""

MISTRAL_PLAIN = """\
[INST] {{ range .Messages }}
{{- if eq .Role "system" }}{{ .Content }}

{{ else if eq .Role "user" }}{{ .Content }}[/INST]
{{- else if eq .Role "assistant" }} {{ .Content }}</s>[INST] {{ end }}
{{- end }}"""

GEMMA = """\
{{- range $i, $_ := .Messages }}
{{- $last := eq (len (slice $.Messages $i)) 1 }}
{{- if or (eq .Role "user") (eq .Role "system") }}<start_of_turn>user
{{ .Content }}<end_of_turn>
{{ if $last }}<start_of_turn>model
{{ end }}
{{- else if eq .Role "assistant" }}<start_of_turn>model
{{ .Content }}{{ if not $last }}<end_of_turn>
{{ end }}
{{- end }}
{{- end }}"""

BY_VARIABLE = """\
{{- $role := "" }}
{{- range $number, $message := .Messages }}
{{- with $message }}<{{ .Role }}>{{ .Content }}</{{ .Role }}>{{ end }}
{{- $role = $message.Role }}
{{- end }}
{{- if ne $role "assistant" }}<assistant>{{ end -}}
"""

FILL_IN = """\
{{- if .Suffix }}<PRE>{{ .Prompt }}<SUF>{{ .Suffix }}<MID>
{{- else if .Messages }}
{{- range $i, $_ := .Messages }}
{{- if eq .Role "user" }}User: {{ .Content }}

{{ if eq (len (slice $.Messages $i)) 1 }}Assistant:
{{- end }}
{{- else if eq .Role "assistant" }}Assistant: {{ .Content }}<end>
{{- end }}
{{- end }}
{{- else }}
{{- if .Prompt }}User: {{ .Prompt }}
{{- end }}Assistant:{{ .Response }}
{{- end }}"""

LEGACY_CHATML = """\
{{ if .System }}<|im_start|>system
{{ .System }}<|im_end|>
{{ end }}{{ if .Prompt }}<|im_start|>user
{{ .Prompt }}<|im_end|>
{{ end }}<|im_start|>assistant
{{ .Response }}<|im_end|>
"""
LEGACY_ALPACA = """\
{{- if .System }}
{{ .System }}
{{- end }}

### Instruction:
{{ .Prompt }}

### Response:
"""
LEGACY_INST = "[INST] {{ if .System }}{{ .System }} {{ end }}{{ .Prompt }} [/INST] {{- .Response -}} \n"
LEGACY_GUARDED = "Q: {{ .Prompt }}\nA:{{ if .Response }} {{ .Response }}</s>\n{{ end }}"
LEGACY_PRINTED = 'Q: {{ .Prompt }}\nA: {{ .Response | printf "%s" }}\n'
LEGACY_UNCUT = "{{ .System }}|{{ .Prompt }}|{{ $.Response }}|"

MESSAGES = {
    "r1-old": R1_OLD,
    "r1-new": R1_NEW,
    "qwen": QWEN,
    "qwq": QWQ,
    "chatml": CHATML,
    "llama3": LLAMA3,
    "mistral": MISTRAL,
    "mistral-plain": MISTRAL_PLAIN,
    "gemma": GEMMA,
    "by-variable": BY_VARIABLE,
    "fill-in": FILL_IN,
}
LEGACY = {
    "legacy-chatml": LEGACY_CHATML,
    "legacy-alpaca": LEGACY_ALPACA,
    "legacy-inst": LEGACY_INST,
    "legacy-guarded": LEGACY_GUARDED,
    "legacy-uncut": LEGACY_UNCUT,
    "legacy-printed": LEGACY_PRINTED,
}
ALL = MESSAGES | LEGACY
