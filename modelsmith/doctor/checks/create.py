"""MSD08: names, files and types that ``ollama create``, ``push`` and ``show`` do not take.

Sources: Ollama ``cmd/cmd.go`` (``CreateHandler``, ``PushHandler``, ``ShowHandler``), ``fs/ggml/type.go`` (``ParseFileType``), ``server/quantization.go``; the
types of ``--experimental`` are those of its import of Safetensors.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.doctor.findings import finding
from modelsmith.doctor.values import is_placeholder
from modelsmith.name import ModelName

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.doctor.scene import Scene
    from modelsmith.doctor.shell import Word

_OWN_QUANTIZER = "0.7.0"
"""Since then Ollama quantizes itself, to fewer types than llama.cpp did for it."""
_TYPES = frozenset({"F32", "F16", "BF16", "Q8_0", "Q4_K_S", "Q4_K_M", "Q4_K"})
_EXPERIMENTAL = frozenset({"INT4", "INT8", "NVFP4", "MXFP4", "MXFP8"})
_WEIGHTS = re.compile(r"\.(?:gguf|safetensors|bin|pth|pt|ggml)$", re.IGNORECASE)


def check_create(
    given: Sequence[Word], values: Mapping[str, Word], scene: Scene, *, experimental: bool
) -> Iterator[Diagnostic]:
    """Yield what is wrong with the arguments and the values of the flags of ``ollama create``."""
    if given and not is_placeholder(given[0].value):
        yield from _name(given[0])
    file = values.get("file")
    if file is not None and _WEIGHTS.search(file.value) and not is_placeholder(file.value):
        yield finding(
            "MSD08",
            f'-f takes a Modelfile, and "{file.value}" is a file of weights',
            file.span,
            f"write FROM {_relative(file.value)} into a file called Modelfile, and name that one: -f Modelfile",
            Severity.ERROR,
        )
    for flag in ("quantize", "draft-quantize"):
        if (word := values.get(flag)) is not None and not is_placeholder(word.value):
            yield from _type(flag, word, scene, experimental=experimental)


def _name(word: Word) -> Iterator[Diagnostic]:
    if ModelName.parse(word.value).is_valid:
        return
    yield finding(
        "MSD08",
        f'"{word.value}" is no name for a model',
        word.span,
        "the first argument is the new model's name, the Modelfile goes behind -f: ollama create NAME -f Modelfile",
        Severity.ERROR,
    )


def _relative(path: str) -> str:
    return path if path.startswith(("/", "./", "../", "~")) or re.match(r"[A-Za-z]:", path) else f"./{path}"


def _type(flag: str, word: Word, scene: Scene, *, experimental: bool) -> Iterator[Diagnostic]:
    wish = word.value.upper()
    if wish in _TYPES or (experimental and wish in _EXPERIMENTAL) or not scene.version.has(_OWN_QUANTIZER):
        return
    yield finding(
        "MSD08",
        f"Ollama quantizes to F32, F16, BF16, Q8_0, Q4_K_S and Q4_K_M only: --{flag} {word.value} is refused",
        word.span,
        "take one of those, or quantize before: `modelsmith gguf quantize` knows more types",
        Severity.ERROR,
    )


_SHOWN = ("license", "modelfile", "parameters", "system", "template")


def check_push(given: Sequence[Word]) -> Iterator[Diagnostic]:
    """Yield a name without a namespace: it means Ollama's own library, which nobody else may push to."""
    for word in given[:1]:
        if "/" not in word.value and not is_placeholder(word.value) and ModelName.parse(word.value).is_valid:
            yield finding(
                "MSD08",
                f"{word.value} is a name of Ollama's own library, which refuses a push: yours has your namespace in it",
                word.span,
                f"ollama cp {word.value} USER/{word.value}, then ollama push USER/{word.value}",
                Severity.ERROR,
            )


def check_show(flags: Mapping[str, Word]) -> Iterator[Diagnostic]:
    """Yield the second of two things that are to be shown: only one can be."""
    asked = [flag for flag in flags if flag in _SHOWN]
    if len(asked) > 1:
        yield finding(
            "MSD02",
            f"`ollama show` takes one of --{asked[0]} and --{asked[1]}",
            flags[asked[1]].span,
            "ask for one after the other; `ollama show MODEL --modelfile` holds them all",
        )
