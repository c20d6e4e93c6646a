"""Projectors: recognised, measured by their last tensor, paired by width and by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fit_models import Value, header, write_header

from modelsmith.errors import UsageError
from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.pair import Projector, TextModel, pair, pair_files, projector_of, text_model_of

Tensors = list[tuple[str, tuple[int, ...]]]


def clip(kind: str, tensors: Tensors, **keys: Value) -> GGUFFile:
    others: dict[str, Value] = {"clip.projector_type": kind, "clip.has_vision_encoder": True}
    return header("clip", {key.replace("__", "."): value for key, value in keys.items()}, tensors, others=others)


def text(width: int, architecture: str = "llama", **keys: Value) -> GGUFFile:
    return header(architecture, {"block_count": 1, "embedding_length": width, **keys}, [])


def width(gguf: GGUFFile) -> int:
    found = projector_of(gguf)
    assert found is not None
    return found.width


@pytest.mark.parametrize(
    ("kind", "tensors", "expected"),
    [
        ("mlp", [("mm.0.weight", (1024, 4096)), ("mm.2.weight", (4096, 5120))], 5120),
        ("gemma3", [("mm.input_projection.weight", (2560, 1152))], 2560),
        ("qwen2.5vl_merger", [("mm.0.weight", (5120, 5120)), ("mm.2.weight", (5120, 3584)), ("mm.2.bias", (3584,))], 3584),
        ("qwen3vl_merger", [("mm.2.bias", (4096,)), ("v.deepstack.8.fc1.weight", (4, 4)), ("v.deepstack.16.fc1.weight", (4, 4))], 4096),
        ("idefics3", [("mm.model.fc.weight", (9216, 960))], 960),
        ("internvl", [("mm.model.mlp.1.weight", (4096, 896)), ("mm.model.mlp.3.weight", (896, 896))], 896),
        ("resampler", [("resampler.proj.weight", (3584, 3584))], 3584),
        ("ldpv2", [("mm.model.peg.0.bias", (2048,))], 2048),
        ("something new", [("mm.2.weight", (64, 128))], 128),
        ("something new", [("v.patch_embd.weight", (14, 14, 3, 64))], 768),
    ],
)  # fmt: skip
def test_the_width_is_that_of_the_last_tensor(kind: str, tensors: Tensors, expected: int) -> None:
    # LLaVA's projection_dim, 768, is the width of CLIP's own embeddings and not the text model's
    assert width(clip(kind, tensors, vision__projection_dim=768)) == expected


def test_what_is_a_projector() -> None:
    assert projector_of(text(8)) is None
    assert text_model_of(clip("mlp", [])) is None
    found = projector_of(clip("ultravox", [("mm.a.mlp.2.weight", (16, 2048))], has_audio_encoder=True))
    assert found is not None
    assert (found.kind, found.width, found.audio) == ("ultravox", 2048, True)


def test_text_models() -> None:
    assert text_model_of(text(4096)) == TextModel(Path("model.gguf"), "llama", 4096)
    assert text_model_of(text(0)) is None
    second = replace(text(8), stamp=replace(text(8).stamp, path=Path("m-00002-of-00003.gguf")))
    assert text_model_of(second) is None


def named(name: str, size: int, architecture: str = "gemma3") -> TextModel:
    return TextModel(Path("models") / name, architecture, size)


def test_a_projector_goes_with_models_of_its_kind_only() -> None:
    tensors: Tensors = [
        ("mm.2.bias", (2048,)),
        ("v.deepstack.8.fc2.weight", (4, 4)),
        ("v.deepstack.16.fc2.weight", (4, 4)),
    ]
    projector = projector_of(clip("qwen3vl_merger", tensors))
    assert projector is not None
    assert projector.deeper == 2
    plain, fitting = named("Qwen3-30B-A3B.gguf", 2048, "qwen3moe"), named("Qwen3-VL.gguf", 2048, "qwen3vlmoe")
    assert (
        projector.refuses(plain)
        == "qwen3vl_merger is made for qwen35 and qwen35moe and qwen3vl and qwen3vlmoe, not for qwen3moe"
    )
    assert "feeds 2 layers besides the first, qwen3vlmoe takes 0" in projector.refuses(fitting)
    assert projector.refuses(replace(fitting, deeper=2)) == ""
    assert pair([plain, replace(fitting, deeper=2)], [projector]).pairs[0].certain
    assert pair([plain], [projector]).alone == (projector,)
    read = text_model_of(header("qwen3vl", {"block_count": 1, "embedding_length": 2048, "n_deepstack_layers": 3}, []))
    assert read is not None
    assert read.deeper == 3


def test_among_several_the_most_alike_name_wins() -> None:
    projector = Projector(Path("models/mmproj-gemma-3-4b-it-f16.gguf"), "gemma3", 2560, vision=True, audio=False)
    models = [named("other-4b.gguf", 2560), named("gemma-3-4b-it-Q4_K_M.gguf", 2560), named("gemma-3-12b.gguf", 3840)]
    (found,) = pair(models, [projector]).pairs
    assert found.model.path.name == "gemma-3-4b-it-Q4_K_M.gguf"
    assert found.certain
    twice = pair([named("a.gguf", 2560), named("b.gguf", 2560)], [projector]).pairs[0]
    assert not twice.certain
    assert pair([named("a.gguf", 8)], [projector]).alone == (projector,)
    assert pair([named("a.gguf", 0)], [replace(projector, width=0)]).alone


def test_folders(tmp_path: Path) -> None:
    model = write_header(tmp_path / "gemma-Q4.gguf", text(2560, "gemma3"))
    projector = write_header(tmp_path / "mmproj.gguf", clip("gemma3", [("mm.input_projection.weight", (2560, 16))]))
    (tmp_path / "broken.gguf").write_bytes(b"<html>")
    found = pair_files([tmp_path, model])
    assert [(each.model.path, each.projector.path) for each in found.pairs] == [(model, projector)]
    assert found.pairs[0].from_lines() == ("FROM ./gemma-Q4.gguf", "FROM ./mmproj.gguf")
    assert found.pairs[0].from_lines(tmp_path / "deeper") == (f"FROM {model}", f"FROM {projector}")
    assert [path.name for path, _ in found.unreadable] == ["broken.gguf"]
    (tmp_path / "deeper").mkdir()
    with pytest.raises(UsageError, match=r"no \.gguf"):
        pair_files([tmp_path / "deeper"])
