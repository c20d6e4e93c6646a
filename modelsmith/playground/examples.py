"""Texts to begin with: what people really have, with what is really wrong."""

from __future__ import annotations

from typing import NamedTuple

from modelsmith.models.sources.sample import samples


class Example(NamedTuple):
    """A text of one kind, and the Jinja template in the GGUF beside it ("": not known)."""

    title: str
    kind: str
    text: str
    beside: str = ""


_MISTAKES = '''\
FROM llama3.2   # the small one
PARAMETER temprature 0.6
PARAMETER num_ctx 8192
PARAMETER num_ctx 4096
PARAMETER stop <|eot_id|>
TEMPLATE """{{ if .System }}<|start_header_id|>system<|end_header_id|>

{{ .System }}<|eot_id|>{{ end }}{{ if .Prompt }}<|start_header_id|>user<|end_header_id|>

{{ .Prompt }}<|eot_id|>{{ end }}<|start_header_id|>assistant<|end_header_id|>\\n\\n{{ .Response }}"""
SYSTEM You are a pilot. Answer in one line.
'''

_CHATML = """\
{{- if .System }}<|im_start|>system
{{ .System }}<|im_end|>
{{ end }}
{{- range .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}<|im_end|>
{{ end }}<|im_start|>assistant
"""

_CHATML_JINJA = """\
{%- for message in messages %}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\\n' }}
{%- if enable_thinking is defined and enable_thinking is false %}
{{- '<think>\\n\\n</think>\\n\\n' }}
{%- endif %}
{%- endif %}"""


def examples() -> list[dict[str, str]]:
    """Return the examples as the page takes them."""
    go, jinja, _ = samples()["deepseek-r1"]
    r1 = f'FROM ./deepseek-r1.gguf\nTEMPLATE """{go}"""\nPARAMETER stop <｜User｜>\n'
    found = (
        Example("DeepSeek-R1 that does not think", "modelfile", r1, jinja),
        Example("A Modelfile with mistakes", "modelfile", _MISTAKES),
        Example("A Go template: ChatML", "go", _CHATML),
        Example("A Jinja template: Qwen3's shape", "jinja", _CHATML_JINJA),
        Example("A Jinja template: DeepSeek-R1's shape", "jinja", jinja),
    )
    return [example._asdict() for example in found]
