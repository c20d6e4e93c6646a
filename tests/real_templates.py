"""Real Jinja chat templates by name: those whose answers are recorded, those of the corpus, and those that llama.cpp comes with."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

from shared import conformance, corpus

SDIST = "llama-cpp-python==0.3.36"
"""The source distribution whose templates are meant."""
_INSIDE = "/vendor/llama.cpp/models/templates/"


def recorded() -> dict[str, str]:
    """Return the templates of ``jinja.jsonl.gz``."""
    return {row["name"]: row["jinja"] for row in conformance("jinja.jsonl.gz")}


def library() -> dict[str, str]:
    """Return the Jinja templates of the models of the library and of Ollama's named templates, each text once."""
    named: dict[str, str] = {}
    for file in ("library.jsonl", "builtin.jsonl"):
        for line in corpus("templates", file).read_text("utf-8").splitlines():
            row = json.loads(line)
            texts = [row["jinja"]] if isinstance(row["jinja"], str) else row["jinja"] or []
            for number, text in enumerate(texts):
                name = row.get("model") or f"{row['name']}:{number}"
                named.setdefault(text, name)
    return {name: text for text, name in named.items()}


def shipped(place: Path) -> dict[str, str]:
    """Return the templates that llama.cpp comes with: of a folder, or of the source distribution as it was downloaded."""
    if place.is_dir():
        return {path.stem: path.read_text("utf-8") for path in sorted(place.rglob("*.jinja"))}
    with tarfile.open(place) as archive:
        members = [each for each in archive if _INSIDE in each.name and each.name.endswith(".jinja")]
        files = {Path(each.name).stem: archive.extractfile(each) for each in members}
        return {name: file.read().decode() for name, file in sorted(files.items()) if file}
