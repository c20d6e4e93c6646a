"""A plan loads nothing that it does not need, and reads its recipe with one model: by lists and counts, not by time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

NEVER = {
    "jinja2", "rich", "httpx2", "http.client", "urllib.request", "numpy", "gguf", "safetensors", "huggingface_hub", "jsonschema",
    "asyncio", "multiprocessing", "concurrent.futures", "pygls", "html", "subprocess",
    "modelsmith.cli.recipes.many", "modelsmith.cli.recipes.plan_details", "modelsmith.cli.recipes.plan_html",
    "modelsmith.hub.client", "modelsmith.lint.rules.ms501_from_target", "modelsmith.lint.rules.ms601_secret_in_file",
    "modelsmith.recipe.lock.drift", "modelsmith.recipe.plan.apply", "modelsmith.store.local.write",
    "modelsmith.store.ollama", "modelsmith.weights.convert.checkpoint", "modelsmith.weights.quantize.mixes",
}  # fmt: skip


def test_the_plan_of_a_sample(tmp_path: Path) -> None:
    words = ["plan", "force-think", "--set", "base=sample:deepseek-r1", "--store", str(tmp_path)]
    code = f"""
import sys
from pydantic import BaseModel
validated, made = BaseModel.model_validate.__func__, []
def counting(cls, *arguments, **options):
    made.append(cls.__name__)
    return validated(cls, *arguments, **options)
BaseModel.model_validate = classmethod(counting)
from modelsmith.cli import run
assert run({words!r}) == 0
print(*made, "|", *sys.modules)
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ | {"NO_COLOR": "1"}
    )
    validations, _, modules = result.stdout.splitlines()[-1].partition("|")
    assert not NEVER & set(modules.split())
    # as it is written, what stands in it as it is, and with the values of its inputs
    assert validations.split() == ["Document", "Head", "Document"]
