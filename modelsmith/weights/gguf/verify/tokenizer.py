"""Whether a GGUF's vocabulary is whole: as many kinds and scores as tokens, special tokens among them, merges that are merges.

Source: llama.cpp ``src/llama-vocab.cpp`` (it reads kinds and scores by the number of tokens, whatever their own length).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.diagnostic import Severity, did_you_mean
from modelsmith.weights.gguf.metadata import GGUFArray
from modelsmith.weights.gguf.read.fault import Fault
from modelsmith.weights.gguf.types import ValueType
from modelsmith.weights.gguf.verify.model import EMBEDDING, NO_VOCABULARY, TOKENS, is_language_model, is_shard
from modelsmith.weights.gguf.verify.needs import known_pretokenizers, known_tokenizers
from modelsmith.weights.gguf.verify.special import check_special

if TYPE_CHECKING:
    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.read.fault import Faults

_MODEL = "tokenizer.ggml.model"
_PRE = "tokenizer.ggml.pre"
_PRETOKENIZED = frozenset(("gpt2", "hybriddna", "whitespace"))
_MERGES = "tokenizer.ggml.merges"
_LISTS = {"tokenizer.ggml.scores": ValueType.FLOAT32, "tokenizer.ggml.token_type": ValueType.INT32}
_ENCODERS = frozenset(("bert", "t5", "rwkv", "no_vocab", "none"))
_CONVERT = "convert the model again"


def check_tokenizer(gguf: GGUFFile, faults: Faults) -> None:
    """Note what is wrong with the vocabulary."""
    metadata = gguf.metadata
    if not is_language_model(gguf) or (is_shard(gguf) and metadata.get("split.no")):
        return
    model = metadata.text(_MODEL)
    if not model:
        has_embedding = any(tensor.name == EMBEDDING for tensor in gguf.tensors)
        if TOKENS in metadata or has_embedding:
            faults.add("missing-key", f"{_MODEL} is missing: nothing says how text is cut", None, "", _CONVERT)
        return
    tokens = metadata.get(TOKENS)
    if not isinstance(tokens, GGUFArray) or tokens.item_type != ValueType.STRING:
        if model not in NO_VOCABULARY:
            faults.add("missing-key", f"{TOKENS} is missing or no array of texts", None, "", _CONVERT)
        return
    _check_kind(gguf, model, faults)
    _check_lists(gguf, len(tokens), faults)
    _check_ids(gguf, tokens, faults)
    _check_ends(gguf, model, faults)
    if model == "gpt2":
        _check_merges(gguf, faults)
    check_special(gguf, tokens, faults)


def check_kinds(gguf: GGUFFile, faults: Faults) -> None:
    """Note what llama.cpp does not know or refuses of the vocabulary, and marks of the template that are no special tokens."""
    model, tokens = gguf.metadata.text(_MODEL), gguf.metadata.get(TOKENS)
    if model and is_language_model(gguf) and isinstance(tokens, GGUFArray) and tokens.item_type == ValueType.STRING:
        _check_kind(gguf, model, faults)
        _check_ids(gguf, tokens, faults)
        check_special(gguf, tokens, faults)


def _check_kind(gguf: GGUFFile, model: str, faults: Faults) -> None:
    """Note a kind of vocabulary, or a way to cut text before it is looked up there, that llama.cpp does not know."""
    if model not in known_tokenizers():
        _note_unknown(gguf, _MODEL, model, known_tokenizers(), faults)
    elif model in _PRETOKENIZED and (pre := gguf.metadata.text(_PRE)) and pre not in known_pretokenizers():
        _note_unknown(gguf, _PRE, pre, known_pretokenizers(), faults)


def _note_unknown(gguf: GGUFFile, key: str, value: str, known: frozenset[str], faults: Faults) -> None:
    message = f'{key} is "{value:.60}", which llama.cpp does not know{did_you_mean(value, known)}'
    hint = f"take a newer llama.cpp, or set the kind of the model that it was made from: modelsmith gguf set FILE {key} NAME"
    faults.add("unknown-tokenizer", message, gguf.metadata.entry(key).value_at, "a kind that is known", hint)


def _check_lists(gguf: GGUFFile, count: int, faults: Faults) -> None:
    for key, kind in _LISTS.items():
        if key not in gguf.metadata:
            continue
        entry, items = gguf.metadata.entry(key), gguf.metadata[key]
        if not isinstance(items, GGUFArray) or items.item_type != kind:
            faults.add(
                "wrong-type", f"{key} is no array of {kind.name}", entry.at, f"an array of {kind.name}", _CONVERT
            )
        elif len(items) != count:
            message = f"{key} has {len(items)} items for {count} tokens; llama.cpp would read behind its end"
            faults.add("wrong-length", message, entry.value_at - 8, f"{count} items", _CONVERT)


def _check_ids(gguf: GGUFFile, tokens: GGUFArray, faults: Faults) -> None:
    for key in gguf.metadata:
        if not key.startswith("tokenizer.ggml.") or not key.endswith(("_token_id", "_token_ids")):
            continue
        entry, value = gguf.metadata.entry(key), gguf.metadata[key]
        if key.endswith("_token_id") and gguf.metadata.type_of(key) != ValueType.UINT32:
            numbers: list[Any] = list(value) if isinstance(value, GGUFArray) else [value]
            number = next((number for number in numbers if _is_token(number, tokens)), "NUMBER")
            hint = f"set it as one number: modelsmith gguf set FILE {key} {number} --type u32"
            shown = f"an array of {len(value)}" if isinstance(value, GGUFArray) else f"{value!r:.40}"
            message = f"{key} is {shown}, of type {gguf.metadata.type_of(key).name}, which llama.cpp refuses"
            faults.add("wrong-type", message, entry.value_at, "the number of a token, UINT32", hint)
            continue
        numbers = list(value) if isinstance(value, GGUFArray) else [value]
        wrong = [number for number in numbers if isinstance(number, bool) or not isinstance(number, int)]
        outside = [number for number in numbers if number not in wrong and not 0 <= number < len(tokens)]
        if wrong:
            faults.add("wrong-type", f"{key} is {wrong[0]!r:.40}", entry.value_at, "the number of a token", _CONVERT)
        elif outside:
            message = f"{key} is {outside[0]}, but the vocabulary has {len(tokens)} tokens"
            hint = f"set the right one: modelsmith gguf set FILE {key} NUMBER; llama.cpp takes one that it guesses"
            expected = f"a number from 0 to {len(tokens) - 1}"
            faults.note(Fault("token-outside", message, entry.value_at, expected, hint, Severity.WARNING))


def _is_token(value: object, tokens: GGUFArray) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(tokens)


def _check_ends(gguf: GGUFFile, model: str, faults: Faults) -> None:
    special = gguf.special_tokens
    if model in _ENCODERS:
        return
    if "eos" not in special and "eot" not in special and "tokenizer.ggml.eos_token_id" not in gguf.metadata:
        message = "no token ends an answer: neither eos_token_id nor eot_token_id is set; llama.cpp guesses"
        hint = "set it: modelsmith gguf set FILE tokenizer.ggml.eos_token_id NUMBER"
        faults.note(Fault("no-eos", message, None, "", hint, Severity.WARNING))
    if "bos" not in special and gguf.metadata.flag("tokenizer.ggml.add_bos_token"):
        message = "add_bos_token is set, but bos_token_id is not; llama.cpp guesses"
        hint = "set it: modelsmith gguf set FILE tokenizer.ggml.bos_token_id NUMBER"
        faults.note(Fault("no-bos", message, None, "", hint, Severity.WARNING))


def _check_merges(gguf: GGUFFile, faults: Faults) -> None:
    merges = gguf.metadata.get(_MERGES)
    if not isinstance(merges, GGUFArray) or merges.item_type != ValueType.STRING:
        faults.add("missing-key", f"{_MERGES} is missing; a vocabulary of this kind needs them", None, "", _CONVERT)
        return
    position, wrong, first = gguf.metadata.entry(_MERGES).value_at, 0, (0, 0, b"")
    for number, raw in enumerate(merges.raw_texts()):
        # the space that parts the two pieces is never the first character: a piece may begin with one, none is empty
        if raw.find(b" ", 1) in {-1, len(raw) - 1}:
            wrong += 1
            first = first if wrong > 1 else (number, position, raw)
        position += 8 + len(raw)
    if wrong:
        number, offset, raw = first
        shown = raw[:40].decode("utf-8", "replace")
        message = f"{wrong} of {len(merges)} merges are none; the first is number {number}, {shown!r}"
        faults.add("broken-merge", message, offset, "two pieces with a space between", _CONVERT)
