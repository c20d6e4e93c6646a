"""A real llama-server (the wheel xllamacpp) that answers for one chat template, in a process of its own: a bad template ends it.

As a program it is that process: it reads a job from its standard input and prints one line of JSON a request.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from modelsmith.weights.gguf.sample import SampleShape, write_sample

PEER = "2026.8.10566"
"""The wheel whose answers are recorded: the llama.cpp nearest to that of Ollama 0.33."""
MISSING = f"needs the wheel xllamacpp=={PEER} (pip install --no-deps)"
TOKENS = {"bos_token": "<｜begin▁of▁sentence｜>", "eos_token": "<｜end▁of▁sentence｜>"}
"""The tokens of the model that is served: modelsmith's small sample."""
PATIENCE = 600
"""Seconds that the answers to one template may take."""
_LOADED = {"loaded": True}
Answer = dict[str, Any]


def is_here() -> bool:
    """Say whether the server can be run."""
    try:
        return importlib.metadata.version("xllamacpp") == PEER
    except importlib.metadata.PackageNotFoundError:
        return False


def forced(body: dict[str, Any], answer: str) -> dict[str, Any]:
    """Return the request for a chat's answer, where the model can say nothing but this one."""
    grammar = f"root ::= {json.dumps(answer, ensure_ascii=False)}"
    return {**body, "grammar": grammar, "max_tokens": 4 * len(answer) + 50, "temperature": 0}


def answers(
    text: str | None, bodies: list[dict[str, Any]], *, model: Path | None = None, patience: float = PATIENCE
) -> list[Answer] | None:
    """Return what llama-server answers to each request; None where it does not load the template.

    A plain body goes to ``/apply-template``: ``prompt``, or ``error``. One of :func:`forced` goes to ``/v1/chat/completions``:
    ``reasoning`` and ``content`` (None where it leaves one out), or ``error``. A request that the server does not survive has
    ``died``; the next ones are asked of a new server. Without ``text`` the template is the one of ``model``.
    """
    rows: list[Answer] = []
    with tempfile.TemporaryDirectory() as folder:
        if model is None:
            model = write_sample(Path(folder, "model.gguf"), shape=SampleShape(blocks=1, heads=1))
        while True:
            job = {"text": text, "model": str(model), "bodies": bodies[len(rows) :]}
            found, ending = _run(job, patience)
            if found and "refused" in found[0]:
                return None
            if not found:
                if not ending.startswith("signal"):
                    raise RuntimeError(f"llama-server did not start: {ending}")
                return None
            rows += found[1:]
            if len(rows) == len(bodies):
                return rows
            rows.append({"died": ending})
            if len(rows) == len(bodies):
                return rows


def _run(job: dict[str, Any], patience: float) -> tuple[list[Answer], str]:
    """Return the lines that a child printed before it ended, and how it ended."""
    command = [sys.executable, __file__]
    try:
        done = subprocess.run(
            command, input=json.dumps(job), capture_output=True, text=True, timeout=patience, check=False
        )
    except subprocess.TimeoutExpired as late:
        printed, ending = (late.stdout or b"").decode("utf-8", "replace"), f"no end after {patience:.0f} s"
    else:
        printed = done.stdout
        ending = f"signal {-done.returncode}" if done.returncode < 0 else done.stderr[-2000:]
    lines = printed.splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.startswith('{"') and line.endswith("\n")], ending


def _serve(job: dict[str, Any]) -> None:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path, params.n_ctx, params.warmup, params.n_parallel = job["model"], 16384, False, 1
    params.cpuparams.n_threads, params.use_jinja = 1, True
    if job["text"] is not None:
        params.chat_template = job["text"]
    try:
        server = xllamacpp.Server(params)
    except Exception as error:  # noqa: BLE001 - whatever it raises is the answer
        print(json.dumps({"refused": str(error)}), flush=True)
        os._exit(0)
    print(json.dumps(_LOADED), flush=True)
    for body in job["bodies"]:
        print(json.dumps(_asked(server.listening_address, body)), flush=True)
    os._exit(0)  # the server's threads do not end by themselves


def _asked(address: str, body: dict[str, Any]) -> Answer:
    path = "/v1/chat/completions" if "grammar" in body else "/apply-template"
    request = urllib.request.Request(address + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
            found = json.load(reply)
    except urllib.error.HTTPError as error:
        return {"error": error.read().decode("utf-8", "replace")}
    if "prompt" in found:
        return {"prompt": found["prompt"]}
    message = found["choices"][0]["message"]
    return {"reasoning": message.get("reasoning_content"), "content": message.get("content")}


if __name__ == "__main__":
    _serve(json.load(sys.stdin))
