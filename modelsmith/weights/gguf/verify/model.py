"""Whether a GGUF's metadata fits its tensors and has what llama.cpp needs to load it.

Sources: llama.cpp ``src/llama-model.cpp`` (required keys, shapes), ``ggml/src/gguf.cpp`` (order of the data).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.patterns import regex
from modelsmith.weights.gguf.metadata import Entry, GGUFArray, text_of
from modelsmith.weights.gguf.read.fault import Fault
from modelsmith.weights.gguf.types import ValueType, padding
from modelsmith.weights.gguf.verify.needs import needs_of

if TYPE_CHECKING:
    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.metadata import Metadata
    from modelsmith.weights.gguf.read.fault import Faults

TOKENS = "tokenizer.ggml.tokens"
EMBEDDING = "token_embd.weight"
NO_VOCABULARY = frozenset(("no_vocab", "none"))
_REQUIRED = ("block_count", "context_length", "embedding_length")
BLOCK = re.compile(r"blk\.(\d{1,6})\.")
_LENGTH = regex(rb"[\x80-\xff]\0{7}(?!\0)")
_AGAIN = "convert the model again; llama.cpp cannot load it like this"


def is_language_model(gguf: GGUFFile) -> bool:
    """Whether the file is, or is the first shard of, a model that reads and writes text."""
    return gguf.kind == "model" and (
        TOKENS in gguf.metadata or any(tensor.name == EMBEDDING for tensor in gguf.tensors)
    )


def is_shard(gguf: GGUFFile) -> bool:
    """Whether the file holds only some of a model's tensors."""
    count = gguf.metadata.get("split.count")
    return isinstance(count, int) and count > 1


def vocabulary_size(metadata: Metadata) -> int | None:
    """Return how many tokens there are; None where nothing says it. A model without a vocabulary says it by a key of its own."""
    if metadata.text("tokenizer.ggml.model") in NO_VOCABULARY:
        return metadata.uint(metadata.of_architecture("vocab_size"))
    tokens = metadata.get(TOKENS)
    return len(tokens) if isinstance(tokens, GGUFArray) else None


def check_file(gguf: GGUFFile, faults: Faults) -> None:
    """Note what is wrong with one file, whether it holds a whole model or is a shard of one."""
    _check_texts(gguf, faults)
    _check_order(gguf, faults)


def check_model(gguf: GGUFFile, faults: Faults) -> None:
    """Note what does not fit together."""
    if not gguf.metadata.text("general.architecture") and not (is_shard(gguf) and "split.no" in gguf.metadata):
        faults.add("missing-key", "general.architecture is missing or no text", None, "", _AGAIN)
    if is_language_model(gguf) and not (is_shard(gguf) and gguf.metadata.get("split.no")):
        _check_required(gguf, faults)
        _check_embedding(gguf, faults)
        if not is_shard(gguf):
            _check_blocks(gguf, faults)


def _check_texts(gguf: GGUFFile, faults: Faults) -> None:
    for entry in gguf.metadata.entries:
        name = text_of(entry.key)
        if not entry.key or b"\0" in entry.key:
            hint = "remove it (`modelsmith gguf unset`): llama.cpp ends names at their first NUL and refuses empty ones"
            faults.note(Fault("odd-key", f"{name!r} is a key that llama.cpp cannot use", entry.at, "a name", hint))
        if (place := _not_utf8(entry)) is not None:
            hint = "the text was written in another encoding; set it anew with `modelsmith gguf set`"
            what, offset = place
            severity = Severity.WARNING
            faults.note(
                Fault("not-utf-8", f'{what} of "{name}" is not UTF-8', offset, "a text in UTF-8", hint, severity)
            )


def _not_utf8(entry: Entry) -> tuple[str, int] | None:
    if entry.type == ValueType.STRING:
        raw = entry.raw()[8:]
        bad = _bad(raw)
        return None if bad is None else ("the text", entry.value_at + 8 + bad)
    if entry.type != ValueType.ARRAY or entry.item_type != ValueType.STRING:
        return None
    # lengths below 128 are ASCII and part the texts from each other, so that all are sound where the whole is; those
    # from 128 to 255 are put aside (a text that ends in such a byte before an empty one is followed by eight NULs)
    if _bad(_LENGTH.sub(bytes(8), entry.raw())) is None:
        return None
    position = entry.value_at
    for number, raw in enumerate(GGUFArray(entry).raw_texts()):
        if not raw.isascii() and (bad := _bad(raw)) is not None:
            return f"item {number}", position + 8 + bad
        position += 8 + len(raw)
    return None


def _bad(raw: bytes) -> int | None:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return error.start
    return None


def _check_order(gguf: GGUFFile, faults: Faults) -> None:
    expected = 0
    for tensor in gguf.tensors:
        if 0 in tensor.dims:
            message = f'tensor "{tensor.name}" has no elements: its shape is {" x ".join(map(str, tensor.dims))}'
            faults.note(Fault("empty-tensor", message, tensor.at, "sizes above 0", _AGAIN, Severity.WARNING))
        if tensor.offset != expected:
            faults.add(
                "out-of-order",
                f'the data of tensor "{tensor.name}" is at offset {tensor.offset}, not right behind the one before it',
                tensor.at,
                f"offset {expected}",
                "llama.cpp refuses gaps and other orders; convert the model again",
            )
            return
        expected += tensor.nbytes + padding(tensor.nbytes, gguf.alignment)


def _check_required(gguf: GGUFFile, faults: Faults) -> None:
    for key in map(gguf.metadata.of_architecture, _REQUIRED):
        if key not in gguf.metadata:
            faults.add("missing-key", f"{key} is missing", None, "", _AGAIN)
        elif gguf.metadata.type_of(key) != ValueType.UINT32 and needs_of(gguf.architecture) is None:
            message = f"{key} is of type {gguf.metadata.type_of(key).name}; Ollama reads it as 0"
            hint = "set it as UINT32"
            faults.note(
                Fault("wrong-type", message, gguf.metadata.entry(key).value_at, "UINT32", hint, Severity.WARNING)
            )


def _check_embedding(gguf: GGUFFile, faults: Faults) -> None:
    embedding = next((tensor for tensor in gguf.tensors if tensor.name == EMBEDDING and len(tensor.dims) > 1), None)
    if embedding is None:
        return
    width = gguf.metadata.uint(gguf.metadata.of_architecture("embedding_length"))
    if width and embedding.dims[0] != width:
        message = f'tensor "{EMBEDDING}" has rows of {embedding.dims[0]}, but embedding_length is {width}'
        faults.add("wrong-shape", message, embedding.at, f"rows of {width}", _AGAIN)
    tokens = vocabulary_size(gguf.metadata)
    if tokens is not None and embedding.dims[1] != tokens:
        message = f'tensor "{EMBEDDING}" has {embedding.dims[1]} rows for {tokens} tokens'
        faults.add("wrong-shape", message, embedding.at, f"{tokens} rows", _AGAIN)


def _check_blocks(gguf: GGUFFile, faults: Faults) -> None:
    count = gguf.metadata.uint(gguf.metadata.of_architecture("block_count"))
    found = {int(match[1]) for tensor in gguf.tensors if (match := BLOCK.match(tensor.name))}
    if not found or not count:
        return
    missing = [number for number in range(min(count, 1 << 16)) if number not in found]
    beyond = sorted(number for number in found if number >= count)
    entry = gguf.metadata.entry(gguf.metadata.of_architecture("block_count"))
    if missing:
        message = f"block_count is {count}, but {len(missing)} blocks have no tensors, the first is blk.{missing[0]}"
        faults.add("missing-block", message, entry.value_at, f"tensors blk.0 to blk.{count - 1}", _AGAIN)
    if beyond:
        message = f"block_count is {count}, but there are tensors of blk.{beyond[-1]}"
        faults.add("extra-block", message, entry.value_at, f"{beyond[-1] + 1}", _AGAIN)
