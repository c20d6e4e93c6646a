"""The special tokens of a vocabulary."""

from __future__ import annotations

from pathlib import Path

import gguf

from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.tokens.special import SpecialTokens


def written(path: Path, kinds: list[int] | None) -> GGUFFile:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_token_list(["a", "<s>", "<s>x", "b", "<tool>"])
    if kinds is not None:
        writer.add_token_types(kinds)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return GGUFFile.open(path)


def test_control_and_user_defined_tokens_the_longest_first(tmp_path: Path) -> None:
    found = SpecialTokens.of(written(tmp_path / "a.gguf", [1, 3, 3, 1, 4]))
    assert found is not None
    assert found.texts == ("<tool>", "<s>x", "<s>")
    assert list(found.cut("a<s>xb<s><s><tool>b")) == [
        ("a", False),
        ("<s>x", True),
        ("b", False),
        ("<s>", True),
        ("<s>", True),
        ("<tool>", True),
        ("b", False),
    ]


def test_without_kinds_nothing_is_known(tmp_path: Path) -> None:
    assert SpecialTokens.of(written(tmp_path / "a.gguf", None)) is None


def test_no_special_tokens() -> None:
    assert list(SpecialTokens(()).cut("a<s>")) == [("a<s>", False)]
    assert list(SpecialTokens(()).cut("")) == []
