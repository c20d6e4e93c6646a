"""llama.cpp's own quantization, each file in a process of its own: it ends the process on some files."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

needs_ggml = pytest.mark.skipif(
    find_spec("libggml") is None, reason='ggml (pip install "modelsmith[quantize]") is missing'
)
needs_llama_cpp = pytest.mark.skipif(find_spec("cyllama") is None, reason="cyllama (llama.cpp) is not installed")

# The binding lets nobody set imatrix and tt_overrides: they are written into the C structure inside its object.
_CODE = """
import ctypes, json, os, struct, sys
from cyllama.llama.llama_cpp import LlamaModelQuantizeParams, model_quantize

class Importance(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("data", ctypes.POINTER(ctypes.c_float)), ("size", ctypes.c_size_t)]

class Rule(ctypes.Structure):
    _fields_ = [("pattern", ctypes.c_char_p), ("type", ctypes.c_int)]

def structure(parameters):
    parameters.nthread, parameters.ftype = 0x1234567, 0x11
    size = type(parameters).__basicsize__
    return id(parameters) + ctypes.string_at(id(parameters), size).index(struct.pack("<ii", 0x1234567, 0x11))

def run(job):
    parameters = LlamaModelQuantizeParams()
    start = structure(parameters)
    parameters.nthread = job.get("threads", 2)
    parameters.ftype = job["file_type"]
    parameters.allow_requantize = True
    for key in ("dry_run", "pure", "only_copy", "quantize_output_tensor", "output_tensor_type", "token_embedding_type"):
        if key in job:
            setattr(parameters, key, job[key])
    keep = []
    if "imatrix" in job:
        entries = (Importance * (len(job["imatrix"]) + 1))()
        for entry, (name, values) in zip(entries, job["imatrix"].items()):
            data = (ctypes.c_float * len(values))(*values)
            keep.append(data)
            entry.name, entry.data, entry.size = name.encode(), data, len(values)
        ctypes.c_void_p.from_address(start + 24).value = ctypes.addressof(entries)
        keep.append(entries)
    if "rules" in job:
        rules = (Rule * (len(job["rules"]) + 1))()
        for rule, (pattern, kind) in zip(rules, job["rules"]):
            rule.pattern, rule.type = pattern.encode(), kind
        ctypes.c_void_p.from_address(start + 40).value = ctypes.addressof(rules)
        keep.append(rules)
    model_quantize(job["source"], job["target"], parameters)

for job in json.load(sys.stdin):
    os.write(2, b"\\nNEXT JOB\\n")
    child = os.fork()
    if not child:
        try:
            run(job)
        except BaseException:
            os._exit(1)
        os._exit(0)
    print(int(os.waitpid(child, 0)[1] == 0), flush=True)
"""


def oracle(jobs: Sequence[Mapping[str, Any]]) -> list[bool]:
    """Let llama.cpp do each job (``source``, ``target``, ``file_type`` …); return which of them it did."""
    return _run(jobs)[0]


def chosen_types(jobs: Sequence[Mapping[str, Any]]) -> list[dict[str, str] | None]:
    """Return the types that llama.cpp chooses for the tensors of each job, None where it refuses; writes nothing."""
    done, told = _run([{**job, "target": "nowhere", "dry_run": True} for job in jobs])
    found = [{name: (new or old).upper() for name, old, new in _TOLD.findall(text)} for text in told]
    return [types if success else None for types, success in zip(found, done, strict=True)]


_TOLD = re.compile(r"\[ *\d+/ *\d+\] +(\S+) +- \[.*?\], type = +(\w+), size = .*?MiB(?: -> .*?\((\w+)\))?\n")


def _run(jobs: Sequence[Mapping[str, Any]]) -> tuple[list[bool], list[str]]:
    command = [sys.executable, "-W", "ignore", "-c", _CODE]
    found = subprocess.run(command, input=json.dumps(jobs), capture_output=True, text=True, check=True)
    done = [line == "1" for line in found.stdout.split() if line in {"0", "1"}]
    return done, found.stderr.split("NEXT JOB\n")[1:]


def quantized(source: Path, target: Path, file_type: int, **more: Any) -> bytes | None:
    """Return what llama.cpp makes of a file, None where it refuses."""
    done = oracle([{"source": str(source), "target": str(target), "file_type": file_type, **more}])
    return target.read_bytes() if done == [True] else None
