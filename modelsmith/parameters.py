"""The parameters that a Modelfile may set: their names, types and defaults, and how Ollama reads their values.

Sources: Ollama ``api/types.go`` (``Options``, ``FormatParams``), ``parser/parser.go``; the versions are the first release
tags in which a name appears or is gone.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from modelsmith.errors import InvalidParameter
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Value = int | float | bool | list[str]


class ParameterKind(StrEnum):
    """How a value is read."""

    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    STRINGS = "strings"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One row of the table; ``default`` None means that the runtime decides, ``since`` is the first Ollama that has it."""

    name: str
    kind: ParameterKind
    default: int | float | None
    meaning: str
    since: str = ""

    @property
    def is_list(self) -> bool:
        """Whether several PARAMETER lines add up instead of the last one winning."""
        return self.kind is ParameterKind.STRINGS


_ROWS = (
    Parameter("num_ctx", ParameterKind.INT, None, "context window in tokens"),
    Parameter("num_batch", ParameterKind.INT, 512, "tokens of the prompt evaluated at once"),
    Parameter("num_gpu", ParameterKind.INT, -1, "layers on the GPU, -1 decides itself"),
    Parameter("main_gpu", ParameterKind.INT, None, "the GPU to use, without splitting"),
    Parameter("use_mmap", ParameterKind.BOOL, None, "map the weights into memory"),
    Parameter("num_thread", ParameterKind.INT, 0, "CPU threads, 0 decides itself"),
    Parameter("draft_num_predict", ParameterKind.INT, 4, "tokens drafted a step, 0 disables the draft model", "0.30.0"),
    Parameter("num_keep", ParameterKind.INT, 4, "tokens of the prompt kept when the context is full"),
    Parameter("seed", ParameterKind.INT, -1, "seed of the random numbers, -1 is random"),
    Parameter("num_predict", ParameterKind.INT, -1, "most tokens to generate, -1 has no limit"),
    Parameter("top_k", ParameterKind.INT, 40, "choose among the k likeliest tokens"),
    Parameter(
        "top_p", ParameterKind.FLOAT, 0.9, "choose among the likeliest tokens that reach this probability together"
    ),
    Parameter("min_p", ParameterKind.FLOAT, 0.0, "least probability relative to the likeliest token", "0.3.1"),
    Parameter("typical_p", ParameterKind.FLOAT, 1.0, "locally typical sampling, 1 disables it"),
    Parameter("repeat_last_n", ParameterKind.INT, 64, "tokens looked back for repetition, 0 disables, -1 is num_ctx"),
    Parameter("temperature", ParameterKind.FLOAT, 0.8, "randomness, 0 always takes the likeliest token"),
    Parameter("repeat_penalty", ParameterKind.FLOAT, 1.0, "penalty for repetition, 1 disables it"),
    Parameter("presence_penalty", ParameterKind.FLOAT, 0.0, "penalty for tokens that occurred"),
    Parameter("frequency_penalty", ParameterKind.FLOAT, 0.0, "penalty for tokens by how often they occurred"),
    Parameter("stop", ParameterKind.STRINGS, None, "texts that end the answer"),
)
PARAMETERS: Mapping[str, Parameter] = {row.name: row for row in _ROWS}
"""Every parameter that Ollama accepts, by name. Names are case-sensitive."""

DEPRECATED_SINCE: Mapping[str, str] = {
    "penalize_newline": "0.5.5",
    "low_vram": "0.6.9",
    "f16_kv": "0.6.9",
    "logits_all": "0.6.9",
    "vocab_only": "0.6.9",
    "use_mlock": "0.6.9",
    "mirostat": "0.6.9",
    "mirostat_tau": "0.6.9",
    "mirostat_eta": "0.6.9",
}
"""The first Ollama that ignores a name which did something before."""

DEPRECATED = frozenset(DEPRECATED_SINCE)
"""Names that a Modelfile may still set: ``ollama create`` warns and ignores them, whatever the value."""

REMOVED_SINCE: Mapping[str, str] = {
    "embedding_only": "0.1.28",
    "num_gqa": "0.1.35",
    "rope_frequency_base": "0.1.35",
    "rope_frequency_scale": "0.1.35",
    "numa": "0.3.4",
    "tfs_z": "0.5.2",
}
"""The first Ollama that refuses a name which was a parameter before."""


_EXPECTED: Mapping[ParameterKind, str] = {
    ParameterKind.INT: "a whole number such as 4096 or -1",
    ParameterKind.FLOAT: "a number such as 0.7",
    ParameterKind.BOOL: "true or false",
}


def typed_parameters(values: Mapping[str, Sequence[str]]) -> dict[str, Value]:
    """Return the values that Ollama makes of PARAMETER texts; of scalars the first text counts, lists keep all.

    Floats are rounded to 32 bits, as Ollama keeps them. Raises InvalidParameter with Ollama's words; for deprecated
    names too, which is what Ollama's own conversion does (its Modelfile reader skips them before).
    """
    return {name: _typed(name, texts) for name, texts in values.items()}


def _typed(name: str, texts: Sequence[str]) -> Value:
    row = PARAMETERS.get(name)
    if row is None:
        from modelsmith.diagnostic import did_you_mean  # only here: it loads difflib

        hint = (
            f'"{name}" was removed from Ollama' if name in DEPRECATED else did_you_mean(name, PARAMETERS).lstrip("; ")
        )
        raise InvalidParameter(f"unknown parameter '{name}'", hint=hint)
    if row.kind is ParameterKind.STRINGS:
        return list(texts)
    if not texts:
        raise InvalidParameter(f'parameter "{name}" has no value', hint=_EXPECTED[row.kind])
    from modelsmith import gonumber  # only here: most Modelfiles are read without looking at a number

    read = {
        ParameterKind.INT: gonumber.read_int,
        ParameterKind.FLOAT: gonumber.read_float,
        ParameterKind.BOOL: gonumber.read_bool,
    }
    value: Value | None = read[row.kind](texts[0])
    if value is None:
        raise InvalidParameter(
            f"invalid {row.kind} value [{' '.join(texts)}]", hint=f"{name} takes {_EXPECTED[row.kind]}"
        )
    return value
