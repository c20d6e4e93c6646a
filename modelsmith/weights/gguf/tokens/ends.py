"""The tokens that begin and end a text by a GGUF's vocabulary, and whether llama.cpp puts them around every prompt.

Source: llama.cpp, src/llama-vocab.cpp (``llama_vocab::impl::load``): each kind of vocabulary and of pre-tokenizer has defaults,
which the keys of the file replace; a number that no token has does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.template.jinja.ends import TextEnds
from modelsmith.weights.gguf.tokens.vocabulary import Vocabulary

if TYPE_CHECKING:
    from modelsmith.weights.gguf.file import GGUFFile

_DEFAULT_IDS = {
    "llama": (1, 2),
    "plamo2": (1, 2),
    "bert": (101, None),
    "t5": (None, 1),
    **dict.fromkeys(("gpt2", "hybriddna", "whitespace"), (11, 11)),
}
"""The numbers of BOS and EOS where the file names none, by ``tokenizer.ggml.model``."""
_ADDING_KINDS = frozenset({"llama", "bert"})
_ADDING_PRE = frozenset(
    {
        *("llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano"),
        *("tekken", "chameleon"),
    }
)
_BYTE_PAIRS = frozenset({"gpt2", "hybriddna", "whitespace"})
_ALWAYS = frozenset({"gemma4", "granite-embed-multi-311m"})
"""Pre-tokenizers whose vocabularies get a BOS whatever the file says."""


def text_ends(gguf: GGUFFile) -> TextEnds:
    """Return the tokens around a text as llama-server knows them for this file."""
    metadata = gguf.metadata
    kind = metadata.text("tokenizer.ggml.model")
    pre = "gemma4" if kind == "gemma4" else metadata.text("tokenizer.ggml.pre") if kind in _BYTE_PAIRS else ""
    bos, eos = _DEFAULT_IDS.get(kind, (None, None))
    adds = {
        "bos": kind in _ADDING_KINDS or pre in _ADDING_PRE,
        "eos": kind == "t5",
    }
    for role in adds:
        said = metadata.get(f"tokenizer.ggml.add_{role}_token")
        if isinstance(said, bool):
            adds[role] = said
    return TextEnds(
        bos_token=_text(gguf, "bos", bos),
        eos_token=_text(gguf, "eos", eos),
        add_bos=adds["bos"] or pre in _ALWAYS,
        add_eos=adds["eos"],
    )


def _text(gguf: GGUFFile, role: str, default: int | None) -> str:
    vocabulary = Vocabulary.of(gguf)
    if vocabulary is None:
        return ""
    for number in (gguf.metadata.get(f"tokenizer.ggml.{role}_token_id"), default):
        if isinstance(number, int) and 0 <= number < len(vocabulary.tokens):
            text = str(vocabulary.tokens[number])
            is_plain = gguf.metadata.text("tokenizer.ggml.model") in _BYTE_PAIRS and not vocabulary.is_control(number)
            return _spelt_out(text) if is_plain else text
    return ""


def _spelt_out(token: str) -> str:
    """Return the text of a token of a byte-level vocabulary, which has a letter for each byte."""
    from modelsmith.weights.gguf.tokens.bpe import byte_letters

    bytes_of = {letter: byte for byte, letter in byte_letters().items()}
    return bytes(bytes_of[letter] for letter in token if letter in bytes_of).decode("utf-8", "replace")
