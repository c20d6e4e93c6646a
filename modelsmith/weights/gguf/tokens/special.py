"""The tokens of a vocabulary that stand for themselves wherever they occur."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from modelsmith.records import dataclass
from modelsmith.weights.gguf.metadata import GGUFArray

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.weights.gguf.file import GGUFFile


CONTROL, USER_DEFINED = 3, 4


@dataclass(frozen=True)
class SpecialTokens:
    """The texts of the tokens that stand for themselves wherever they occur, the longest first."""

    texts: tuple[str, ...]

    @classmethod
    def of(cls, file: GGUFFile) -> SpecialTokens | None:
        """Return those of a file's vocabulary; None where it has none, or does not say what kinds its tokens are of."""
        tokens, kinds = file.metadata.get("tokenizer.ggml.tokens"), file.metadata.get("tokenizer.ggml.token_type")
        if not isinstance(tokens, GGUFArray) or not isinstance(kinds, GGUFArray) or len(tokens) != len(kinds):
            return None
        numbers = [number for number, kind in enumerate(kinds) if kind in (CONTROL, USER_DEFINED)]
        texts = {str(tokens[number]) for number in numbers} - {""}
        return cls(tuple(sorted(texts, key=lambda text: (-len(text), text))))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(map(re.escape, self.texts)) or r"(?!)")

    def cut(self, prompt: str) -> Iterator[tuple[str, bool]]:
        """Yield the prompt in pieces, and whether each is a special token."""
        position = 0
        for match in self._pattern.finditer(prompt):
            if match.start() > position:
                yield prompt[position : match.start()], False
            yield match[0], True
            position = match.end()
        if position < len(prompt):
            yield prompt[position:], False
