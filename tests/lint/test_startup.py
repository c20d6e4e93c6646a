"""Lint of one file imports nothing that it does not need: by the list of modules, not by time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

NEVER = {
    "jinja2", "pydantic", "ruamel", "httpx2", "numpy", "gguf", "rich", "asyncio", "pygls", "huggingface_hub",
    "concurrent.futures", "multiprocessing", "tomllib", "difflib", "fractions", "html",
    "modelsmith.doctor", "modelsmith.lint.editor", "modelsmith.lint.run.fixes", "modelsmith.lint.run.baseline",
    "modelsmith.lint.formats.json", "modelsmith.lint.formats.sarif", "modelsmith.recipe", "modelsmith.weights",
}  # fmt: skip
TEXT = (
    'FROM llama3.2:3b\nPARAMETER temperature 0.7\nTEMPLATE """{{- range .Messages }}<|im_start|>{{ .Role }}\n'
    '{{ .Content }}<|im_end|>\n{{ end }}<|im_start|>assistant\n"""\n'
)


def loaded(folder: Path, *arguments: str) -> set[str]:
    (folder / ".git").mkdir(exist_ok=True)
    (folder / "Modelfile").write_text(TEXT, encoding="utf-8")
    code = (
        f"import sys; from modelsmith.cli import run; run(['lint', 'Modelfile', *{arguments!r}]); print(*sys.modules)"
    )
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
    for _ in range(2):  # the first run lets lark compute the parsers
        result = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=folder, env=environment
        )
    return set(result.stdout.splitlines()[-1].split())


def test_one_file_with_a_template(tmp_path: Path) -> None:
    assert not NEVER & loaded(tmp_path)


def test_configuration_and_fixes_load_what_they_need(tmp_path: Path) -> None:
    (tmp_path / "modelsmith.toml").write_text("[lint]\n", encoding="utf-8")
    assert {"tomllib", "modelsmith.lint.run.fixes"} == NEVER & loaded(tmp_path, "--fix")
