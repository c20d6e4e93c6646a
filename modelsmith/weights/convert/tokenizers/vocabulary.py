"""The tokens of a checkpoint by number: what ``tokenizer.json`` says, with the tokens that were added to it.

Source: llama.cpp ``conversion/base.py`` (get_vocab_base, does_token_look_special).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelsmith.errors import InvalidCheckpoint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.weights.convert.checkpoint import Checkpoint
    from modelsmith.weights.convert.config import Config

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
_LOOKS_SPECIAL = re.compile(r"<pad>|<mask>|<2mass>|\[@BOS@\]|<\|.*\|>|<｜.*｜>|<unused.*>", re.DOTALL)
_AGAIN = "fetch the file again"


@dataclass(frozen=True, slots=True)
class AddedToken:
    """A token that stands for itself wherever it occurs in a text."""

    number: int
    text: str
    special: bool

    @property
    def kind(self) -> int:
        """CONTROL for special ones, and for those that look so though their files do not say it; else USER_DEFINED."""
        return CONTROL if self.special or looks_special(self.text) else USER_DEFINED

    @property
    def written(self) -> str:
        """The text as a GGUF holds it: in a token of the user's a space is a space."""
        return self.text if self.kind == CONTROL else self.text.replace("▁", " ")


def looks_special(text: str) -> bool:
    """Say whether a token is one of those that ought to be special."""
    return _LOOKS_SPECIAL.fullmatch(text) is not None


def added_tokens(checkpoint: Checkpoint) -> dict[int, AddedToken]:
    """Return the added tokens by number: those of tokenizer.json, then those of tokenizer_config.json that it lacks."""
    found: dict[int, AddedToken] = {}
    listed = checkpoint.table("tokenizer.json").get("added_tokens")
    for entry in listed if isinstance(listed, list) else ():
        token = _added(entry.get("id") if isinstance(entry, dict) else None, entry)
        if token is not None:
            found[token.number] = token
    for token in configured_tokens(checkpoint):
        found.setdefault(token.number, token)
    return found


def configured_tokens(checkpoint: Checkpoint) -> Iterator[AddedToken]:
    """Yield the added tokens that tokenizer_config.json lists."""
    listed = checkpoint.table("tokenizer_config.json").get("added_tokens_decoder")
    for number, entry in listed.items() if isinstance(listed, dict) else ():
        token = _added(int(number) if str(number).isdecimal() else None, entry)
        if token is not None:
            yield token


def _added(number: Any, entry: Any) -> AddedToken | None:
    text = entry.get("content") if isinstance(entry, dict) else None
    if type(number) is not int or not isinstance(text, str):
        return None
    return AddedToken(number, text, bool(entry.get("special")))


def by_number(checkpoint: Checkpoint, config: Config) -> dict[int, str]:
    """Return the texts of all tokens; raises where two have one number, or one is beyond the model's vocabulary."""
    path = checkpoint.folder / "tokenizer.json"
    model = checkpoint.table("tokenizer.json").get("model")
    vocab = model.get("vocab") if isinstance(model, dict) else None
    if model is None:
        path = checkpoint.folder / "vocab.json"
        vocab = checkpoint.json("vocab.json")
    if not isinstance(vocab, dict) or not all(type(number) is int and number >= 0 for number in vocab.values()):
        raise InvalidCheckpoint(f"{path} has no table of tokens and their numbers", hint=_AGAIN)
    texts = {number: text for text, number in vocab.items()}
    if len(texts) != len(vocab):
        raise InvalidCheckpoint(f"{path} gives one number to two tokens", hint=_AGAIN)
    texts |= {number: token.text for number, token in added_tokens(checkpoint).items()}
    check_size(max(texts, default=0) + 1, config, path.name)
    return texts


def check_size(count: int, config: Config, name: str) -> None:
    """Raise InvalidCheckpoint where a tokenizer has more tokens than the model."""
    size = config.size("vocab_size")
    if count > size:
        raise InvalidCheckpoint(
            f"{config.path.parent / name} has tokens up to number {count - 1}, and the model has {size} (vocab_size)",
            hint="tokenizer and weights are not of one model; resize the embeddings where tokens were added, or fetch both again",
        )


def typed(texts: Mapping[int, str], added: Mapping[int, AddedToken], size: int) -> tuple[list[str], list[int]]:
    """Return the tokens and their types as a GGUF has them; numbers without a token become unused ones."""
    tokens: list[str] = []
    types: list[int] = []
    for number in range(size):
        if number in added:
            tokens.append(added[number].written)
            types.append(added[number].kind)
        elif number in texts:
            tokens.append(texts[number])
            types.append(NORMAL)
        else:
            tokens.append(f"[PAD{number}]")
            types.append(UNUSED)
    return tokens, types
