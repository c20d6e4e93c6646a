"""llama.cpp itself, in a process of its own: it aborts on some files, and talks a lot."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

needs_llama_cpp = pytest.mark.skipif(find_spec("cyllama") is None, reason="cyllama (llama.cpp) is not installed")

_COPY = """
import sys
from cyllama.llama.llama_cpp import LlamaModelQuantizeParams, model_quantize
parameters = LlamaModelQuantizeParams()
parameters.only_copy = True
for path in sys.argv[1:]:
    try:
        model_quantize(path, path + ".copy", parameters)
    except RuntimeError:
        pass
"""
_LOAD = """
import sys
from cyllama.llama.llama_cpp import LlamaModel, LlamaModelParams
LlamaModel(sys.argv[1], LlamaModelParams())
"""


def copied(*paths: Path) -> list[bytes | None]:
    """Return what ``llama-quantize PATH … COPY`` makes of each file, None where it refuses it."""
    _run(_COPY, *paths)
    targets = [path.with_name(path.name + ".copy") for path in paths]
    return [target.read_bytes() if target.exists() else None for target in targets]


def loads(path: Path) -> bool:
    """Whether llama.cpp loads a model."""
    return _run(_LOAD, path)


def _run(code: str, *paths: Path) -> bool:
    command = [sys.executable, "-W", "ignore", "-c", code, *map(str, paths)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
