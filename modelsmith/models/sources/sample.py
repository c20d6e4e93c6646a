"""A tiny DeepSeek-R1 look-alike, made in a moment: something to try a recipe on with no model at hand.

The weights are seeded noise; the tokenizer, the Go template and the Jinja template have the shape of the real thing
(the turn markers are DeepSeek's tokens, written with U+FF5C and U+2581).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from modelsmith.diagnostic import did_you_mean
from modelsmith.errors import InvalidGGUF, StoreError, UnreadableFile, UsageError
from modelsmith.files.cache import cache_folder
from modelsmith.models.sources.modelfile import base_of
from modelsmith.syntax.modelfile.modelfile import Modelfile

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.models.base import Base
    from modelsmith.store import Store

_GO = """{{ .System }}
{{- range $i, $message := .Messages }}
{{- $last := eq (len (slice $.Messages $i)) 1 }}
{{- if eq .Role "user" }}<｜User｜>{{ .Content }}
{{- else if eq .Role "assistant" }}<｜Assistant｜>{{ .Content }}{{ if not $last }}<｜end▁of▁sentence｜>{{ end }}
{{- end }}
{{- if and $last (ne .Role "assistant") }}<｜Assistant｜>{{ end }}
{{- end }}"""

_JINJA = """{%- for message in messages if message.role == 'system' %}{{ message.content }}{% endfor -%}
{%- for message in messages -%}
{%- if message.role == 'user' %}{{ '<｜User｜>' + message.content }}
{%- elif message.role == 'assistant' and message.tool_calls %}{{ '<｜Assistant｜>' }}
{%- for call in message.tool_calls %}{{ '<｜tool▁call▁begin｜>' + call.function.name + '\\n' }}{{ call.function.arguments | tojson }}{{ '<｜tool▁call▁end｜>' }}{% endfor %}{{ '<｜end▁of▁sentence｜>' }}
{%- elif message.role == 'assistant' %}{{ '<｜Assistant｜>' + message.content.split('</think>')[-1] + '<｜end▁of▁sentence｜>' }}
{%- elif message['role'] == 'tool' %}{{ '<｜tool▁output▁begin｜>' + message.content + '<｜tool▁output▁end｜>' }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<｜Assistant｜>' }}{% endif -%}"""

_SAMPLES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "deepseek-r1": (
        _GO,
        _JINJA,
        ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<think>", "</think>"),
    )
}


def base(spec: str, store: Store, folder: Path) -> Base:
    """Return the base that a sample is."""
    return base_of(spec, sample_modelfile(spec.removeprefix("sample:")), folder, store)


def samples() -> dict[str, tuple[str, str, tuple[str, ...]]]:
    """Return the samples by name: Go template, Jinja template, special tokens."""
    return dict(_SAMPLES)


_FORM = "131072 tokens"
"""Changed with ``write_sample``, so that a sample in the cache is never an older one."""


def sample_modelfile(name: str) -> Modelfile:
    """Return the Modelfile of a sample; its GGUF is made in the user's cache folder when it is not there yet.

    Raises UsageError for an unknown sample, StoreError where the cache cannot be written.
    """
    if name not in _SAMPLES:
        raise UsageError(
            f'there is no sample "{name}"{did_you_mean(name, _SAMPLES)}', hint=f"samples: {', '.join(sorted(_SAMPLES))}"
        )
    template, chat_template, tokens = _SAMPLES[name]
    key = hashlib.sha256("\0".join((_FORM, template, chat_template, *tokens)).encode()).hexdigest()[:12]
    path = cache_folder() / "samples" / f"{name}-{key}.gguf"
    if not _is_whole(path):
        from modelsmith.files.replacing import replacing  # the playground reads the samples where no file can be locked
        from modelsmith.weights.gguf.sample import write_sample

        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path, keeps=False) as (_, unfinished):
                write_sample(unfinished, chat_template=chat_template, special_tokens=tokens)
        except (OSError, UnreadableFile) as error:
            reason = error.strerror or str(error) if isinstance(error, OSError) else error.message
            raise StoreError(
                f"the sample cannot be written to {path.parent}: {reason}",
                hint="set XDG_CACHE_HOME to a folder that can be written",
            ) from error
    return Modelfile.parse(f"FROM {path}\n").set_template(template)


def _is_whole(path: Path) -> bool:
    from modelsmith.weights.gguf import GGUFFile

    try:
        return bool(GGUFFile.open(path).tensors)
    except (InvalidGGUF, UnreadableFile):
        return False
