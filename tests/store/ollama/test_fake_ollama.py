"""The fake server shows what the real one showed for the same manifests and blobs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fakes.ollama import FakeOllama
from fakes.show import shown
from shared import conformance, needs_shared

from modelsmith.name import ModelName
from modelsmith.store.local.local import LocalStore
from modelsmith.weights.gguf.sample import write_sample

SAME = ("template", "system", "license", "messages", "requires")


def recorded() -> list[dict[str, Any]]:
    try:
        return [row for row in conformance("create.jsonl") if row.get("show")]
    except FileNotFoundError:
        return []


def put(folder: Path, row: dict[str, Any]) -> ModelName:
    """Write a recorded model into a store; a small GGUF stands in for the weights."""
    name = ModelName.parse(row["case"])
    target = folder / "manifests" / name.path
    target.parent.mkdir(parents=True)
    target.write_text(row["manifest"], encoding="utf-8")
    blobs = folder / "blobs"
    blobs.mkdir()
    for digest, text in row["blobs"].items():
        (blobs / digest.replace(":", "-")).write_bytes(text.encode())
    for layer in json.loads(row["manifest"])["layers"]:
        if layer["mediaType"].endswith("image.model"):
            write_sample(blobs / layer["digest"].replace(":", "-"))
    return name


def sorted_lines(text: str | None) -> list[str]:
    return sorted((text or "").split("\n"))


@needs_shared
@pytest.mark.parametrize("row", recorded(), ids=lambda row: row["case"])
def test_the_fake_shows_what_the_real_one_shows(row: dict[str, Any], tmp_path: Path) -> None:
    name = put(tmp_path, row)
    parent = FakeOllama.parent_in(tmp_path, name)
    answer, expected = shown(LocalStore(tmp_path).show(name), parent=parent, hides_files=False), row["show"]
    assert {key: answer.get(key) for key in SAME} == {key: expected[key] for key in SAME}
    assert sorted_lines(answer.get("parameters")) == sorted_lines(expected["parameters"])
    modelfile = expected["modelfile"].replace("<store>", str(tmp_path))
    assert sorted_lines(answer["modelfile"]) == sorted_lines(modelfile)
    assert sorted(answer["capabilities"]) == sorted(expected["capabilities"])
    for key in ("parent_model", "format", "family", "families"):
        assert answer["details"][key] == expected["details"][key]
