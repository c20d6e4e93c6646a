from __future__ import annotations

import json
from pathlib import Path

import pytest
from lora_models import INNER, WIDTH, read_gguf, write_adapter, write_base

from modelsmith.cli import run


def test_inspect_says_what_is_changed_and_whether_it_fits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = write_base(tmp_path / "base.gguf")
    write_adapter(tmp_path / "a", rank=4, lora_alpha=8, use_rslora=True)
    assert run(["lora", "inspect", str(tmp_path / "a"), "--base", str(base)]) == 0
    out = capsys.readouterr().out
    assert "14 tensors: model.layers.mlp.down_proj (2)" in out
    assert "scale    4 (alpha 8 by the root of the rank: rslora)" in out
    assert "fits     yes" in out
    write_adapter(tmp_path / "b", {"model.layers.7.mlp.up_proj": (INNER, WIDTH)})
    assert run(["lora", "inspect", str(tmp_path / "b"), "--base", str(base), "--json"]) == 1
    facts = json.loads(capsys.readouterr().out)
    assert (facts["fits"], facts["ranks"], facts["pairs"]) == (False, [4], 1)
    assert "no such tensor" in facts["problem"]


def test_convert_merge_and_inspect_go_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = write_base(tmp_path / "base.gguf")
    write_adapter(tmp_path / "a")
    adapter, out = tmp_path / "a.gguf", tmp_path / "out.gguf"
    assert run(["lora", "convert", str(tmp_path / "a"), "--base", str(base), "-o", str(adapter)]) == 0
    assert run(["lora", "inspect", str(adapter), "--base", str(base), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out.partition("\n")[2])
    assert facts["kind"] == "gguf"
    assert facts["fingerprint"].startswith("norms:")
    assert run(["lora", "merge", str(base), f"{adapter}=0.5", str(tmp_path / "a"), "-o", str(out), "--dry-run"]) == 0
    assert "would be" in capsys.readouterr().out
    assert not out.exists()
    assert run(["lora", "merge", str(base), f"{adapter}=0.5", str(tmp_path / "a"), "-o", str(out), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["changed"], facts["written"]) == (14, True)
    assert [each["weight"] for each in facts["adapters"]] == [0.5, 1.0]
    assert read_gguf(out).keys() == read_gguf(base).keys()
    assert run(["lora", "merge", str(base), str(adapter), "-o", str(out)]) == 2
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["merge", "{base}", "{none}", "-o", "{out}"], 3, "does not exist"),
        (["merge", "{base}", "{none}=x", "-o", "{out}"], 2, "is no weight"),
        (["merge", "{base}", "{none}=nan", "-o", "{out}"], 2, "is no weight"),
        (["merge", "{base}", "{base}", "-o", "{out}"], 3, "is a model, not an adapter"),
        (["merge", "{folder}", "{adapter}", "-o", "{out}"], 2, "becomes another folder"),
        (["merge", "{folder}", "{adapter}", "-o", "{none}"], 3, "holds no .safetensors"),
        (["convert", "{none}", "--base", "{base}", "-o", "{out}"], 3, "does not exist"),
        (["inspect", "{folder}"], 3, "is a directory"),
    ],
)
def test_what_cannot_be_done_is_told(
    arguments: list[str], code: int, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_base(tmp_path / "base.gguf")
    write_adapter(tmp_path / "adapter")
    (tmp_path / "folder").mkdir()
    places = {"base": "base.gguf", "adapter": "adapter", "folder": "folder", "none": "none", "out": "out.gguf"}
    made = {name: str(tmp_path / place) for name, place in places.items()}
    assert run(["lora", *(each.format_map(made) for each in arguments)]) == code
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out.gguf").exists()
