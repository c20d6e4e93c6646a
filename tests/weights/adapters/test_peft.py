from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lora_models import matrices, write_adapter, write_base

from modelsmith.errors import InvalidAdapter, InvalidCheckpoint, Unsupported
from modelsmith.weights.adapters.gguf_adapter import read_gguf_adapter
from modelsmith.weights.adapters.peft import is_peft, read_peft

ONE = {"model.layers.0.mlp.up_proj": (16, 8)}


def test_a_folder_is_read_with_its_scale(tmp_path: Path) -> None:
    write_adapter(tmp_path / "a", ONE, rank=2, lora_alpha=3)
    found = read_peft(tmp_path / "a")
    (pair,) = found.pairs.values()
    assert (pair.a.shape, pair.b.shape, pair.scale) == ((2, 8), (16, 2), 1.5)
    assert (found.base, found.alpha, found.rank_stabilized) == ("modelsmith/sample", 3.0, False)
    assert is_peft(tmp_path / "a")
    assert is_peft(tmp_path / "a" / "adapter_model.safetensors")
    assert not is_peft(tmp_path)


def test_the_name_of_an_adapter_among_the_tensors_is_no_part_of_the_module(tmp_path: Path) -> None:
    made = matrices(ONE, 2, 0)
    named = {key.replace(".weight", ".default.weight"): value for key, value in made.items()}
    write_adapter(tmp_path / "a", rank=2, tensors=named)
    assert list(read_peft(tmp_path / "a").pairs) == list(ONE)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"peft_type": "LOHA"}, "only LORA is known"),
        ({"use_dora": True}, "DoRA"),
        ({"fan_in_fan_out": True}, "fan_in_fan_out"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"bias": "all"}, "biases"),
        ({"layer_replication": [[0, 4]]}, "layer_replication"),
    ],
)
def test_what_is_more_than_lora_is_refused(config: dict[str, Any], message: str, tmp_path: Path) -> None:
    write_adapter(tmp_path / "a", ONE, **config)
    with pytest.raises(Unsupported, match=message) as caught:
        read_peft(tmp_path / "a")
    assert "merge_and_unload" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("base_model.model.lm_head.weight", (4, 4), "whole tensor"),
        ("base_model.model.model.layers.0.mlp.up_proj.lora_magnitude_vector.weight", (4,), "DoRA"),
        ("base_model.model.model.layers.1.mlp.up_proj.lora_A.weight", (2, 8), "only the A matrix"),
    ],
)
def test_what_would_be_lost_is_refused(name: str, shape: tuple[int, ...], message: str, tmp_path: Path) -> None:
    write_adapter(tmp_path / "a", rank=2, tensors=matrices(ONE, 2, 0) | {name: np.zeros(shape, "<f4")})
    with pytest.raises((Unsupported, InvalidAdapter), match=message):
        read_peft(tmp_path / "a")


def test_matrices_that_do_not_fit_each_other_are_refused(tmp_path: Path) -> None:
    made = matrices(ONE, 2, 0)
    made["base_model.model.model.layers.0.mlp.up_proj.lora_B.weight"] = np.zeros((16, 3), "<f4")
    write_adapter(tmp_path / "a", tensors=made)
    with pytest.raises(InvalidAdapter, match="A has 2 rows and B 3 columns"):
        read_peft(tmp_path / "a")
    made = {key: value.reshape(1, *value.shape) for key, value in matrices(ONE, 2, 0).items()}
    write_adapter(tmp_path / "b", tensors=made)
    with pytest.raises(Unsupported, match=r"has the shape \[1, 2, 8\]"):
        read_peft(tmp_path / "b")


def test_pickles_are_never_opened(tmp_path: Path) -> None:
    write_adapter(tmp_path / "a", ONE)
    (tmp_path / "a" / "adapter_model.safetensors").unlink()
    with pytest.raises(InvalidAdapter, match=r"has no adapter_model\.safetensors"):
        read_peft(tmp_path / "a")
    (tmp_path / "a" / "adapter_model.bin").write_bytes(b"\x80\x04")
    with pytest.raises(Unsupported, match="is a pickle") as caught:
        read_peft(tmp_path / "a")
    assert "safe_serialization" in caught.value.hint


@pytest.mark.parametrize("text", ["", "[]", "{", '{"lora_alpha": "x"}', '{"lora_alpha": NaN}', '{"lora_alpha": true}'])
def test_a_broken_configuration_is_told(text: str, tmp_path: Path) -> None:
    write_adapter(tmp_path / "a", ONE)
    (tmp_path / "a" / "adapter_config.json").write_text(text)
    with pytest.raises(InvalidAdapter, match=r"adapter_config\.json"):
        read_peft(tmp_path / "a")


def test_damaged_weights_are_told(tmp_path: Path) -> None:
    write_adapter(tmp_path / "a", ONE)
    weights = tmp_path / "a" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-3])
    with pytest.raises(InvalidCheckpoint):
        read_peft(tmp_path / "a")


def test_a_model_is_no_adapter(tmp_path: Path) -> None:
    with pytest.raises(InvalidAdapter, match="is a model, not an adapter"):
        read_gguf_adapter(write_base(tmp_path / "m.gguf"))
