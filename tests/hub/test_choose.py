from __future__ import annotations

import pytest

from modelsmith.errors import HubError
from modelsmith.hub.choose import Choice, choose, label_of
from modelsmith.hub.reference import HubReference
from modelsmith.hub.snapshot import HubFile, Snapshot


def snapshot(*paths: str) -> Snapshot:
    files = {path: HubFile(path, 1000 + len(path), "0" * 64) for path in paths}
    return Snapshot("org/repo", "", "c" * 40, files, {})


def chosen(text: str, *paths: str) -> Choice:
    return choose(snapshot(*paths), HubReference.parse(f"hf://org/repo{text}"))


def paths_of(choice: Choice) -> list[str]:
    return [file.path for file in choice.files]


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("Qwen3-8B-Q4_K_M.gguf", "Q4_K_M"),
        ("qwen2.5-0.5b-instruct-q5_k_m.gguf", "Q5_K_M"),
        ("model.Q8_0.gguf", "Q8_0"),
        ("gemma-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("m-IQ2_XXS.gguf", "IQ2_XXS"),
        ("m-fp16.gguf", "F16"),
        ("BF16/big-00001-of-00002.gguf", "BF16"),
        ("Q6_K/big-Q6_K-00001-of-00002.gguf", "Q6_K"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("model.gguf", ""),
        ("qwen3.gguf", ""),
    ],
)
def test_labels_are_read_from_names(path: str, label: str) -> None:
    assert label_of(path) == label


def test_a_quantization_is_chosen_by_name_in_any_case() -> None:
    assert paths_of(chosen(":q4_k_m", "m-Q4_K_M.gguf", "m-Q8_0.gguf")) == ["m-Q4_K_M.gguf"]
    assert paths_of(chosen(":FP16", "m-f16.gguf", "m-Q8_0.gguf")) == ["m-f16.gguf"]


def test_without_a_name_q4_k_m_is_preferred_and_the_others_are_told() -> None:
    choice = chosen("", "m-Q8_0.gguf", "m-Q4_K_M.gguf", "m-Q2_K.gguf")
    assert choice.quantization == "Q4_K_M"
    assert "Q8_0" in choice.note
    assert chosen("", "m-Q8_0.gguf", "m-Q6_K.gguf").quantization == "Q6_K"
    assert chosen("", "model.gguf").note == ""


def test_all_shards_come_in_order() -> None:
    shards = [f"Q8_0/m-Q8_0-0000{number}-of-00003.gguf" for number in (1, 2, 3)]
    assert paths_of(chosen(":Q8_0", *reversed(shards))) == shards
    assert paths_of(chosen(f"/{shards[1]}", *shards)) == shards


def test_a_missing_shard_is_told() -> None:
    with pytest.raises(HubError, match="lacks 1 of the 2 shards"):
        chosen(":Q8_0", "m-Q8_0-00001-of-00002.gguf")


def test_a_projector_comes_along_and_is_never_the_model() -> None:
    choice = chosen("", "m-Q4_K_M.gguf", "mmproj-m-F32.gguf", "mmproj-m-F16.gguf", "other/mmproj.gguf")
    assert choice.projector is not None
    assert choice.projector.path == "mmproj-m-F16.gguf"
    assert chosen("", "m-Q4_K_M.gguf").projector is None
    assert chosen("", "a/m-Q4_0.gguf", "b/mmproj-F16.gguf").projector is None


def test_the_instructions_beside_a_gguf_come_along() -> None:
    assert [side.path for side in chosen("", "m-Q4_0.gguf", "template", "params").sides] == ["params", "template"]


def test_importance_matrices_are_no_models() -> None:
    assert paths_of(chosen("", "m-Q4_0.gguf", "imatrix.gguf")) == ["m-Q4_0.gguf"]


def test_two_models_of_one_quantization_are_not_guessed_between() -> None:
    with pytest.raises(HubError, match="2 models in Q4_0: a-Q4_0, b-Q4_0") as caught:
        chosen(":Q4_0", "a-Q4_0.gguf", "b-Q4_0.gguf")
    assert "hf://org/repo/a-Q4_0.gguf" in caught.value.hint


def test_an_unknown_quantization_names_those_that_are_there() -> None:
    with pytest.raises(HubError, match='no Q4_K_X; did you mean "Q4_K_M"') as caught:
        chosen(":Q4_K_X", "m-Q4_K_M.gguf", "m-Q8_0.gguf")
    assert "Q8_0 (0.00 GB)" in caught.value.hint


def test_an_unknown_file_names_the_closest() -> None:
    with pytest.raises(HubError, match=r'no file m-q8\.gguf; did you mean "m-Q8_0.gguf"'):
        chosen("/m-q8.gguf", "m-Q8_0.gguf")
    with pytest.raises(HubError) as caught:
        chosen("/folder", "folder/m.gguf")
    assert "folder/m.gguf" in caught.value.hint


def test_a_checkpoint_and_an_adapter_are_known() -> None:
    found = chosen("", "config.json", "tokenizer.json", "model-00001-of-00001.safetensors", "x.py", "onnx/model.onnx")
    assert (found.kind, "x.py" in paths_of(found)) == ("checkpoint", False)
    adapter = chosen("", "adapter_config.json", "adapter_model.safetensors", "optimizer.pt")
    assert (adapter.kind, len(adapter.files)) == ("adapter", 2)
    with pytest.raises(HubError, match="no GGUF, and Q4_K_M names one") as caught:
        chosen(":Q4_K_M", "config.json", "model.safetensors")
    assert "quantize: Q4_K_M" in caught.value.hint


def test_a_repository_with_nothing_of_use_says_what_it_has() -> None:
    with pytest.raises(HubError, match="nothing to make a model of") as caught:
        chosen("", "pytorch_model.bin")
    assert "pytorch_model.bin" in caught.value.hint
