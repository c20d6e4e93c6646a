"""PARAMETERs as arguments of llama-server.

Sources: llama.cpp ``common/arg.cpp`` (names, values that are refused), ``common/common.h`` (defaults); Ollama ``api/types.go``
(its defaults, which it sends with every request, and which differ from llama.cpp's in two places).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelsmith.parameters import PARAMETERS
from modelsmith.recipe.emit.subject import Unsaid

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES = {
    "num_ctx": "ctx-size",
    "num_batch": "batch-size",
    "num_gpu": "n-gpu-layers",
    "main_gpu": "main-gpu",
    "num_thread": "threads",
    "num_keep": "keep",
    "seed": "seed",
    "num_predict": "predict",
    "top_k": "top-k",
    "top_p": "top-p",
    "min_p": "min-p",
    "typical_p": "typical",
    "repeat_last_n": "repeat-last-n",
    "temperature": "temp",
    "repeat_penalty": "repeat-penalty",
    "presence_penalty": "presence-penalty",
    "frequency_penalty": "frequency-penalty",
}
OTHER_DEFAULTS = ("top_p", "min_p")
"""PARAMETERs whose default is another in llama.cpp: 0.95 and 0.05 there."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """Arguments without their dashes, with their values ("" for a flag), and what has none."""

    values: Mapping[str, str]
    defaults: Mapping[str, str]
    unsaid: tuple[Unsaid, ...]


def llama_arguments(parameters: Mapping[str, Any]) -> Arguments:
    """Return what the model's PARAMETERs are called by llama-server; ``stop`` is the caller's.

    ``defaults`` are those that Ollama would send although the model does not set them, where llama.cpp's own are others.
    """
    values: dict[str, str] = {}
    unsaid = []
    for name, value in parameters.items():
        if name == "use_mmap":
            values["mmap" if value else "no-mmap"] = ""
        elif name == "num_gpu" and value < 0:
            values[_NAMES[name]] = "auto"
        elif name == "num_thread" and value <= 0:
            continue  # both decide themselves
        elif name == "repeat_last_n" and value < 0:
            if (context := parameters.get("num_ctx")) is None:
                unsaid.append(
                    Unsaid("PARAMETER repeat_last_n -1", "llama.cpp has no word for the whole context; set num_ctx too")
                )
            else:
                values[_NAMES[name]] = shown(context)
        elif name in _NAMES:
            values[_NAMES[name]] = shown(value)
        elif name == "draft_num_predict":
            unsaid.append(Unsaid("PARAMETER draft_num_predict", "it is about a draft model, which is not named here"))
        elif name != "stop":
            unsaid.append(Unsaid(f"PARAMETER {name}", "llama.cpp has no such argument"))
    defaults = {_NAMES[name]: shown(PARAMETERS[name].default) for name in OTHER_DEFAULTS if name not in parameters}
    return Arguments(values, defaults, tuple(unsaid))


def shown(value: Any) -> str:
    """Return a number as it is written: no 32-bit noise, no exponent."""
    if isinstance(value, float):
        text = f"{value:.7g}"
        return f"{value:.10f}".rstrip("0").rstrip(".") if "e" in text else text
    return str(value)
