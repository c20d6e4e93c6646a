"""The special tokens of a GGUF's vocabulary, found in a prompt as llama.cpp finds them: before anything else is cut.

Source of the rules: llama.cpp ``src/llama-vocab.cpp`` (tokenizer_st_partition: control and user-defined tokens, longest first).
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from modelsmith.records import dataclass
from modelsmith.weights.gguf.metadata import GGUFArray
from modelsmith.weights.gguf.tokens.special import CONTROL, USER_DEFINED, SpecialTokens

if TYPE_CHECKING:
    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.tokens.bpe import BytePairs


@dataclass(frozen=True)
class Vocabulary:
    """The tokens of a file, looked up by their text."""

    file: GGUFFile
    kinds: GGUFArray | None
    tokens: GGUFArray

    @classmethod
    def of(cls, file: GGUFFile) -> Vocabulary | None:
        """Return the vocabulary of a file; None where it has none."""
        tokens, kinds = file.metadata.get("tokenizer.ggml.tokens"), file.metadata.get("tokenizer.ggml.token_type")
        if not isinstance(tokens, GGUFArray):
            return None
        return cls(file, kinds if isinstance(kinds, GGUFArray) and len(kinds) == len(tokens) else None, tokens)

    def id_of(self, text: str) -> int | None:
        """Return the number of the token with exactly this text, None where there is none."""
        return self._numbers.get(text)

    def is_control(self, token: int) -> bool:
        """Say whether a token is a control or user-defined one, which stands for itself wherever it occurs."""
        return self.kinds is not None and self.kinds[token] in (CONTROL, USER_DEFINED)

    def controls(self) -> tuple[str, ...]:
        """Return the texts of all control and user-defined tokens, the longest first."""
        special = SpecialTokens.of(self.file)
        return special.texts if special else ()

    def count(self, text: str) -> int | None:
        """Return how many tokens a text has; None where this kind of tokenizer is not known."""
        return self._pairs.count(text) if self._pairs else None

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {str(text): number for number, text in enumerate(self.tokens)}

    @cached_property
    def _pairs(self) -> BytePairs | None:
        from modelsmith.weights.gguf.tokens.bpe import BytePairs

        return BytePairs.of(self.file)
