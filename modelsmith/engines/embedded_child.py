"""The process of the embedded engine: a llama-server (xllamacpp) that lives as long as its standard input is open.

It is run as a file, reads a job (one line of JSON) and answers with a line of JSON, ``{"url": …}`` or ``{"error": …}``. It
imports nothing of modelsmith, so that what goes wrong in here stays in here.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from importlib import import_module
from typing import Any


def _serve(job: dict[str, Any]) -> str:
    xllamacpp: Any = import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = job["weights"]
    params.hostname = "127.0.0.1"
    params.port = 0
    params.api_keys = [job["key"]]
    params.n_ctx = job["context"]
    params.n_parallel = 1
    params.use_jinja = True
    params.warmup = False
    params.verbosity = -1
    if job["template"] is not None:
        params.chat_template = job["template"]
    if job["threads"]:
        params.cpuparams.n_threads = job["threads"]
    if job["gpu_layers"] is not None:
        params.n_gpu_layers = job["gpu_layers"]
    server = xllamacpp.Server(params)
    _KEPT.append(server)
    return str(server.listening_address)


_KEPT: list[object] = []


def _main() -> None:
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what llama.cpp prints is no answer
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        answer = {"url": _serve(job)}
    except Exception as error:  # noqa: BLE001 - whatever the library raises is the answer
        answer = {"error": f"{type(error).__name__}: {error}"}
    out.write(json.dumps(answer) + "\n")
    out.flush()
    if "url" in answer:
        threading.Event().wait()
    os._exit(1)


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)  # the server's threads do not end by themselves


if __name__ == "__main__":
    _main()
