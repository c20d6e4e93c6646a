"""Recipes that start from a folder of Safetensors: converted, quantized and edited in one pass, created in a store."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from checkpoints import FAMILIES, write_checkpoint

from modelsmith.cli import run
from modelsmith.name import ModelName
from modelsmith.store.local.local import LocalStore
from modelsmith.weights.convert.convert import import_checkpoint
from modelsmith.weights.gguf.file import GGUFFile

_CHAT = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.fixture
def finetune(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return write_checkpoint(
        tmp_path / "my-finetune", replace(FAMILIES["qwen2"], files={"chat_template.jinja": _CHAT}), shards=2
    )


def weights(store: Path, name: str) -> Path:
    found = LocalStore(store).show(ModelName.parse(name)).weights
    assert found is not None
    return found


@pytest.mark.parametrize("spec", ["./my-finetune", "my-finetune"])
def test_the_bundled_recipe_makes_what_import_makes(
    finetune: Path, spec: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["plan", "import-safetensors", "--set", f"base={spec}", "--store", "models"]) == 0
    assert "bytes become" in capsys.readouterr().out
    assert not Path("models").exists()
    apply = ["apply", "import-safetensors", "--set", f"base={spec}", "--store", "models"]
    assert run(apply) == 0
    import_checkpoint(finetune, "direct.gguf", "Q4_K_M")
    assert weights(Path("models"), "my-finetune").read_bytes() == Path("direct.gguf").read_bytes()
    capsys.readouterr()
    assert run(apply) == 0
    assert "create" not in capsys.readouterr().out.splitlines()[0]


def test_a_finetune_is_quantized_made_to_think_and_created_by_one_apply(
    finetune: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("think.yaml").write_text(
        "name: finetune\nextends: force-think\nfrom: ${base}\nquantize: Q4_K_M\ncreate: ${name}\n"
    )
    assert run(["apply", "think.yaml", "--set", "base=./my-finetune", "--set", "name=mine", "--store", "models"]) == 0
    text = capsys.readouterr().out
    assert "6 of 6 kept" in text
    gguf = GGUFFile.open(weights(Path("models"), "mine"))
    assert gguf.file_type == "Q4_K_M"
    assert (
        "<think>\\n" in (gguf.chat_template or "") or LocalStore(Path("models")).show(ModelName.parse("mine")).template
    )


def test_metadata_is_edited_on_the_way_and_floats_can_be_kept(finetune: Path) -> None:
    Path("edit.yaml").write_text("name: x\nfrom: ./my-finetune\ngguf:\n  set: {general.name: Mine}\ncreate: edited\n")
    assert run(["apply", "edit.yaml", "--store", "models"]) == 0
    gguf = GGUFFile.open(weights(Path("models"), "edited"))
    assert (gguf.metadata["general.name"], gguf.file_type) == ("Mine", "BF16")


def test_a_changed_file_of_the_folder_makes_another_model(finetune: Path) -> None:
    apply = ["apply", "import-safetensors", "--set", "base=./my-finetune", "--store", "models"]
    assert run(apply) == 0
    before = weights(Path("models"), "my-finetune")
    (finetune / "generation_config.json").write_text(json.dumps({"temperature": 0.5}))
    assert run(apply) == 0
    assert weights(Path("models"), "my-finetune") != before


@pytest.mark.parametrize(("name", "message"), [("empty", "without a config.json"), ("broken", "is missing")])
def test_a_folder_that_cannot_be_converted(
    finetune: Path, name: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(name).mkdir()
    if name == "broken":
        for path in finetune.glob("*.json"):
            Path(name, path.name).write_bytes(path.read_bytes())
    assert run(["plan", "import-safetensors", "--set", f"base=./{name}", "--store", "models"]) == 3
    error = capsys.readouterr().err
    assert message in error or "are missing" in error
    assert "hint" in error
