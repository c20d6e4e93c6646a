"""Count the tokens of a text as llama.cpp does, for vocabularies of the kind gpt2 (byte-level BPE) whose rules are known here.

Source of the rules: llama.cpp ``src/llama-vocab.cpp`` (llm_tokenizer_bpe) and ``src/unicode.cpp``.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from modelsmith.records import dataclass
from modelsmith.weights.gguf.metadata import GGUFArray
from modelsmith.weights.gguf.tokens.special import SpecialTokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.weights.gguf.file import GGUFFile

_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?{L}+| ?{N}+| ?{O}+|{S}+(?!{s})"
_WORDS = (
    r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|{X}?{L}+|%s| ?{O}+[\r\n]*|{S}*[\r\n]+|{S}+(?!{s})|{S}+"
)
_RULES: Mapping[str, tuple[str, ...]] = {
    "gpt-2": (_GPT2,),
    "smollm": ("{N}", _GPT2),
    "qwen2": (_WORDS % "{N}",),
    "deepseek-r1-qwen": (_WORDS % "{N}",),
    "llama-bpe": (_WORDS % "{N}{{1,3}}",),
}
"""By the name in ``tokenizer.ggml.pre``: how a text is cut into words, one cut after the other."""

_MOST_WORK = 20_000_000
_WHOLE_WORDS = frozenset(("llama-bpe",))
_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"


def byte_letters() -> dict[int, str]:
    """Return the letter that stands for each byte in such a vocabulary."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = (byte for byte in range(256) if byte not in plain)
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + number) for number, byte in enumerate(others)}


@dataclass(frozen=True)
class BytePairs:
    """The words and merges of a vocabulary."""

    special: SpecialTokens
    words: frozenset[str]
    ranks: Mapping[tuple[str, str], int]
    rules: tuple[str, ...]
    keeps_words: bool

    @classmethod
    def of(cls, file: GGUFFile) -> BytePairs | None:
        """Return those of a file; None where its text is cut in a way that is not known here."""
        metadata = file.metadata
        rules = _RULES.get(metadata.text("tokenizer.ggml.pre"))
        merges, tokens = metadata.get("tokenizer.ggml.merges"), metadata.get("tokenizer.ggml.tokens")
        special = SpecialTokens.of(file)
        if rules is None or special is None or metadata.text("tokenizer.ggml.model") != "gpt2":
            return None
        if not isinstance(merges, GGUFArray) or not isinstance(tokens, GGUFArray):
            return None
        ranks: dict[tuple[str, str], int] = {}
        for rank, merge in enumerate(merges):
            left, _, right = str(merge).partition(" ")
            ranks.setdefault((left, right), rank)
        keeps = metadata.text("tokenizer.ggml.pre") in _WHOLE_WORDS
        return cls(special, frozenset(map(str, tokens)), ranks, rules, keeps)

    def count(self, text: str) -> int | None:
        """Return how many tokens a text is, special tokens as one each; None where its words are so long that it takes ages."""
        total = work = 0
        for piece, special in self.special.cut(text):
            if special:
                total += 1
                continue
            for word in self._cut(piece):
                work += len(word) ** 2
                if work > _MOST_WORK:
                    return None
                total += self._count_word(word)
        return total

    @cached_property
    def _letters(self) -> dict[int, str]:
        return byte_letters()

    @cached_property
    def _counts(self) -> dict[str, int]:
        return {}

    def _cut(self, text: str) -> Iterator[str]:
        parts = [text]
        for rule in self.rules:
            pattern = _compiled(rule, text)
            parts = [word for part in parts for word in _between(pattern, part)]
        yield from parts

    def _count_word(self, word: str) -> int:
        if word not in self._counts:
            self._counts[word] = self._merged("".join(self._letters[byte] for byte in word.encode("utf-8", "replace")))
        return self._counts[word]

    def _merged(self, word: str) -> int:
        if self.keeps_words and word in self.words:
            return 1
        parts = list(word)
        while len(parts) > 1:
            pairs = [(self.ranks.get(pair), place) for place, pair in enumerate(pairwise(parts))]
            known = [(rank, place) for rank, place in pairs if rank is not None]
            if not known:
                break
            _, place = min(known)
            parts[place : place + 2] = [parts[place] + parts[place + 1]]
        # what is no token counts as its bytes, those that are tokens themselves
        return sum(
            1 if part in self.words else sum(char in self.words for char in part if char.isascii()) for part in parts
        )


def _between(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    """Yield the matches and what stands between them."""
    position = 0
    for match in pattern.finditer(text):
        if match.start() > position:
            yield text[position : match.start()]
        if match.end() > match.start():
            yield match[0]
        position = match.end()
    if position < len(text):
        yield text[position:]


def _compiled(rule: str, text: str) -> re.Pattern[str]:
    r"""Return a rule for this text: ``re`` knows no \p{L} and \p{N}, so its letters and numbers are written out."""
    others = [char for char in set(text) if not char.isascii()]
    letters = "A-Za-z" + "".join(re.escape(char) for char in others if unicodedata.category(char)[0] == "L")
    numbers = "0-9" + "".join(re.escape(char) for char in others if unicodedata.category(char)[0] == "N")
    return re.compile(
        rule.format(
            L=f"[{letters}]",
            N=f"[{numbers}]",
            O=f"[^{_SPACE}{letters}{numbers}]",
            X=f"[^\r\n{letters}{numbers}]",
            S=f"[{_SPACE}]",
            s=f"[^{_SPACE}]",
        )
    )
