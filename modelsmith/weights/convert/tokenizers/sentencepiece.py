"""SentencePiece: the pieces in ``tokenizer.model``, read by a reader of its own that knows the few fields that count.

Sources: sentencepiece ``src/sentencepiece_model.proto``; llama.cpp ``conversion/base.py`` (_create_vocab_sentencepiece).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from modelsmith.errors import InvalidCheckpoint
from modelsmith.weights.convert.tokenizers.special import special_keys
from modelsmith.weights.convert.tokenizers.vocabulary import (
    CONTROL,
    NORMAL,
    UNUSED,
    USER_DEFINED,
    AddedToken,
    added_tokens,
    check_size,
    configured_tokens,
)
from modelsmith.weights.gguf.types import ValueType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.weights.convert.checkpoint import Checkpoint
    from modelsmith.weights.convert.families.family import Family
    from modelsmith.weights.convert.keys import Keys

MODEL = "tokenizer.model"
_MAX_MODEL = 64 << 20
_PIECES, _TEXT, _SCORE, _TYPE = 1, 1, 2, 3
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_ADDED = -1000.0
_MISSING = -10000.0


class Piece(NamedTuple):
    """A token: its UTF-8, its score, and its type in the numbering that llama.cpp took over."""

    text: bytes
    score: float
    type: int


def add(family: Family, keys: Keys) -> None:
    """Add pieces, scores, types and special tokens."""
    pieces = all_pieces(family)
    keys.text("tokenizer.ggml.model", "llama")
    keys.text("tokenizer.ggml.pre", "default")
    keys.texts("tokenizer.ggml.tokens", [piece.text for piece in pieces])
    keys.numbers("tokenizer.ggml.scores", ValueType.FLOAT32, [piece.score for piece in pieces])
    keys.numbers("tokenizer.ggml.token_type", ValueType.INT32, [piece.type for piece in pieces])
    special_keys(family, keys, len(pieces))


def all_pieces(family: Family) -> list[Piece]:
    """Return as many tokens as the model has: the file's, those added since, and unused ones for what is left."""
    checkpoint, config = family.checkpoint, family.config
    size = config.size("vocab_size")
    found = read_pieces(checkpoint)
    check_size(len(found), config, MODEL)
    pieces = found + [Piece(f"[PAD{number}]".encode(), _MISSING, UNUSED) for number in range(len(found), size)]
    for token in _added_later(checkpoint, exact=family.architecture == "phi3"):
        if not 0 <= token.number < size:
            check_size(token.number + 1, config, "tokenizer_config.json")
        pieces[token.number] = token.piece
    return pieces


class _Later(NamedTuple):
    number: int
    piece: Piece


def _added_later(checkpoint: Checkpoint, *, exact: bool) -> Iterator[_Later]:
    """Yield the tokens that other files add. ``exact`` takes over texts and kinds as tokenizer.json says them."""
    listed = checkpoint.table("added_tokens.json")
    for text, number in listed.items():
        if type(number) is int:
            yield _Later(number, Piece(text.encode(), _ADDED, USER_DEFINED))
    for token in configured_tokens(checkpoint):
        yield _later(token, exact=exact)
    if exact:
        for token in added_tokens(checkpoint).values():
            yield _later(token, exact=exact)


def _later(token: AddedToken, *, exact: bool) -> _Later:
    text = token.text if exact else token.written
    kind = token.kind if not exact else CONTROL if token.special else USER_DEFINED
    return _Later(token.number, Piece(text.encode(), _ADDED, kind))


def read_pieces(checkpoint: Checkpoint) -> list[Piece]:
    """Return the pieces of tokenizer.model; raises InvalidCheckpoint for what is no such file."""
    data = checkpoint.data(MODEL, _MAX_MODEL) or b""
    try:
        pieces = [_piece(value) for number, value in _fields(data) if number == _PIECES and isinstance(value, bytes)]
    except (IndexError, ValueError, struct.error) as error:
        pieces = []
        reason = f": {error}" if str(error) else ""
    else:
        reason = ""
    if not pieces:
        raise InvalidCheckpoint(
            f"{checkpoint.folder / MODEL} is no SentencePiece model{reason}",
            hint="it is damaged, or a git-lfs pointer; fetch it again",
        )
    return pieces


def _piece(data: bytes) -> Piece:
    text, score, kind = b"", 0.0, NORMAL
    for number, value in _fields(data):
        if number == _TEXT and isinstance(value, bytes):
            text = value
        elif number == _SCORE and isinstance(value, bytes):
            score = struct.unpack("<f", value)[0]
        elif number == _TYPE and isinstance(value, int):
            kind = value
    # as llama.cpp's converter: what a user of SentencePiece defined is a token like others
    return Piece(text, score, NORMAL if kind == USER_DEFINED or not NORMAL <= kind <= 6 else kind)


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Yield the fields of a message: numbers of variable length as int, all else as bytes."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        kind = tag & 7
        if kind == _VARINT:
            value, position = _varint(data, position)
            yield tag >> 3, value
            continue
        if kind == _BYTES:
            length, position = _varint(data, position)
        elif kind in {_FIXED32, _FIXED64}:
            length = 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"a field of the unknown kind {kind} at byte {position}")
        if position + length > len(data):
            raise ValueError("it ends too early")
        yield tag >> 3, data[position : position + length]
        position += length


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 64:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise ValueError(f"a number that does not end at byte {position}")
