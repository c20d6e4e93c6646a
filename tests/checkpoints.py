"""Tiny checkpoints in the layout of the Hugging Face Hub: random weights from a seed, one or several for each family.

Their vocabulary is a small one made here, or that of a real GGUF, written back as tokenizer.json, tokenizer.model or vocab.txt.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from modelsmith.weights.gguf.file import GGUFFile

Shapes = dict[str, tuple[int, ...]]
WIDTHS = {"F32": 4, "F16": 2, "BF16": 2, "U8": 1, "F8_E4M3": 1}
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")


def write_safetensors(path: Path, tensors: Mapping[str, tuple[str, tuple[int, ...], bytes]]) -> None:
    """Write a file of tensors: type, shape and bytes of each."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data for _, _, data in tensors.values()))


def numbers(shape: tuple[int, ...], dtype: str, chance: np.random.Generator) -> bytes:
    """Return random numbers of a type as bytes."""
    if dtype == "U8":
        return chance.integers(0, 256, shape, np.uint8).tobytes()
    if dtype == "F8_E4M3":
        return (
            (chance.integers(0, 2, shape, np.uint8) * 128 + chance.integers(0, 120, shape, np.uint8))
            .astype(np.uint8)
            .tobytes()
        )
    values = (chance.standard_normal(shape) * 0.05).astype("<f4")
    if dtype == "F32":
        return values.tobytes()
    if dtype == "F16":
        return values.astype("<f2").tobytes()
    return (values.view("<u4") >> 16).astype("<u2").tobytes()


@dataclass(frozen=True)
class Tiny:
    """A checkpoint to be made: its configuration, the shapes of its tensors, what tokenizer it needs, and other types of some."""

    config: dict[str, Any]
    shapes: Callable[[dict[str, Any]], Shapes]
    tokenizer: str
    dtype: str = "BF16"
    dtypes: Mapping[str, str] = field(default_factory=dict)  # by the end of a name
    files: Mapping[str, str] = field(default_factory=dict)


def write_checkpoint(
    folder: Path, tiny: Tiny, tokenizer: Tokenizer | None = None, *, seed: int = 1, shards: int = 1, dtype: str = ""
) -> Path:
    """Write the checkpoint and return its folder. ``tokenizer`` is a real one; without, a small one is made."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = tokenizer or small_tokenizer(tiny.tokenizer)
    config = {"vocab_size": tokenizer.size, "torch_dtype": "bfloat16", **tiny.config}
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    for name, text in {**tokenizer.files, **tiny.files}.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    chance = np.random.default_rng(seed)
    tensors: dict[str, tuple[str, tuple[int, ...], bytes]] = {}
    for name, shape in tiny.shapes(config).items():
        if name.endswith("_scales"):  # exponents of which none stands for "no number"
            tensors[name] = ("U8", shape, chance.integers(100, 130, shape, np.uint8).tobytes())
            continue
        kind = next((value for end, value in tiny.dtypes.items() if name.endswith(end)), dtype or tiny.dtype)
        tensors[name] = (kind, shape, numbers(shape, kind, chance))
    names = list(tensors)
    if shards == 1:
        write_safetensors(folder / "model.safetensors", tensors)
        return folder
    weight_map: dict[str, str] = {}
    for number in range(shards):
        part = names[number::shards]
        file = f"model-{number + 1:05}-of-{shards:05}.safetensors"
        write_safetensors(folder / file, {name: tensors[name] for name in part})
        weight_map |= dict.fromkeys(part, file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    return folder


# tokenizers


@dataclass(frozen=True)
class Tokenizer:
    """The files of a tokenizer, and how many tokens it has."""

    files: Mapping[str, str | bytes]
    size: int


def byte_letters() -> list[str]:
    """Return the letter that stands for each byte in a tokenizer of byte pairs."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters, extra = {}, 0
    for byte in range(256):
        letters[byte] = chr(byte) if byte in plain else chr(256 + extra)
        extra += byte not in plain
    return [letters[byte] for byte in range(256)]


def steps_of(pre: str) -> dict[str, Any]:
    """Return the ``pre_tokenizer`` of tokenizer.json that llama.cpp calls by this name."""
    by_words = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    only_bytes = {**by_words, "use_regex": False}

    def split(expression: str) -> dict[str, Any]:
        return {"type": "Split", "pattern": {"Regex": expression}, "behavior": "Isolated", "invert": False}

    if pre == "gpt-2":
        return by_words
    if pre in {"starcoder", "refact", "smollm", "command-r"}:
        return {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, by_words]}
    return {"type": "Sequence", "pretokenizers": [split(QWEN2 if pre.startswith("qwen") else LLAMA3), only_bytes]}


def bpe(pre: str, tokens: list[str], merges: list[Any], special: Mapping[str, int], **roles: str) -> Tokenizer:
    """Return a tokenizer of byte pairs as its files."""
    added = [
        {
            "id": number,
            "content": text,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for text, number in special.items()
    ]
    vocab = {
        text: number
        for number, text in enumerate(tokens)
        if not text.startswith("[PAD") and (text not in special or number < len(special))
    }
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": steps_of(pre),
        "post_processor": around(roles["bos"], special[roles["bos"]]) if pre == "llama-bpe" else None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": pre == "llama-bpe",
            "vocab": vocab,
            "merges": merges,
        },
    }
    config = {"tokenizer_class": "PreTrainedTokenizerFast", **{f"{role}_token": text for role, text in roles.items()}}
    return Tokenizer(
        {"tokenizer.json": json.dumps(tokenizer, ensure_ascii=False), "tokenizer_config.json": json.dumps(config)},
        len(tokens),
    )


def around(text: str, number: int) -> dict[str, Any]:
    """Return the ``post_processor`` that puts a token before a text."""
    token, first, second = (
        {"SpecialToken": {"id": text, "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
        {"Sequence": {"id": "B", "type_id": 1}},
    )
    return {
        "type": "TemplateProcessing", "single": [token, first], "pair": [token, first, {**token, "SpecialToken": {"id": text, "type_id": 1}}, second],
        "special_tokens": {text: {"id": text, "ids": [number], "tokens": [text]}},
    }  # fmt: skip


def _varint(number: int) -> bytes:
    parts = []
    while number >= 0x80:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*parts, number))


def sentencepiece(pieces: list[tuple[bytes, float, int]], **roles: str) -> Tokenizer:
    """Return a tokenizer of SentencePiece as its files."""
    parts: list[bytes] = []
    for text, score, kind in pieces:
        piece = b"\x0a" + _varint(len(text)) + text + b"\x15" + struct.pack("<f", score)
        piece += b"" if kind == 1 else b"\x18" + _varint(kind)
        parts.append(b"\x0a" + _varint(len(piece)) + piece)
    trainer = b"\x18\x02\x98\x02\x01"  # byte pairs, and bytes for what has no token
    parts.append(b"\x12" + _varint(len(trainer)) + trainer)
    config = {"tokenizer_class": "LlamaTokenizer", **{f"{role}_token": text for role, text in roles.items()}}
    return Tokenizer({"tokenizer.model": b"".join(parts), "tokenizer_config.json": json.dumps(config)}, len(pieces))


def wordpiece(tokens: list[str]) -> Tokenizer:
    """Return a tokenizer of word pieces as its files."""
    special = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    added = [
        {
            "id": tokens.index(text),
            "content": text,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for text in special
    ]

    def token(text: str) -> dict[str, Any]:
        return {"SpecialToken": {"id": text, "type_id": 0}}

    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [token("[CLS]"), {"Sequence": {"id": "A", "type_id": 0}}, token("[SEP]")],
            "pair": [
                token("[CLS]"),
                {"Sequence": {"id": "A", "type_id": 0}},
                token("[SEP]"),
                {"Sequence": {"id": "B", "type_id": 1}},
                token("[SEP]"),
            ],
            "special_tokens": {
                text: {"id": text, "ids": [tokens.index(text)], "tokens": [text]} for text in ("[CLS]", "[SEP]")
            },
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {text: number for number, text in enumerate(tokens)},
        },
    }
    config = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": True,
        "unk_token": "[UNK]",
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "cls_token": "[CLS]",
        "mask_token": "[MASK]",
    }
    return Tokenizer(
        {
            "tokenizer.json": json.dumps(tokenizer, ensure_ascii=False),
            "tokenizer_config.json": json.dumps(config),
            "vocab.txt": "\n".join(tokens) + "\n",
        },
        len(tokens),
    )


def small_tokenizer(name: str) -> Tokenizer:
    """Return a small tokenizer of a kind: every byte or letter, and a few special tokens."""
    if name == "spm":
        pieces = [
            (b"<unk>", 0.0, 2),
            (b"<s>", 0.0, 3),
            (b"</s>", 0.0, 3),
            *((f"<0x{byte:02X}>".encode(), 0.0, 6) for byte in range(256)),
        ]
        pieces += [
            (text.encode(), -float(number), 1) for number, text in enumerate(("▁", "e", "t", "▁t", "h", "▁th", "▁the"))
        ]
        pieces += [(b"[PAD%d]" % number, -10000.0, 5) for number in range(len(pieces), 320)]
        return sentencepiece(pieces, bos="<s>", eos="</s>", unk="<unk>")
    if name == "wordpiece":
        letters = [chr(97 + number) for number in range(26)]
        return wordpiece(
            ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters), "the"]
        )
    special = {"<|endoftext|>": 258, "<|im_end|>": 259, "<|user|>": 260, "[gMASK]": 261}
    if name == "llama-bpe":
        special = {"<|begin_of_text|>": 258, "<|eot_id|>": 259}
    tokens = [*byte_letters(), "th", "the", *special, *(f"[PAD{number}]" for number in range(258 + len(special), 272))]
    return bpe(name, tokens, ["t h", "th e"], special, bos=next(iter(special)), eos=list(special)[1])


def real_tokenizer(path: Path, extra: tuple[str, ...] = ()) -> Tokenizer:
    """Return the tokenizer of a GGUF as the files that it was converted from, with ``extra`` special tokens in unused places."""
    metadata = GGUFFile.open(path).metadata
    tokens, kinds = list(metadata["tokenizer.ggml.tokens"]), list(metadata["tokenizer.ggml.token_type"])
    model = metadata["tokenizer.ggml.model"]

    def role(name: str) -> str | None:
        number = metadata.get(f"tokenizer.ggml.{name}_token_id")
        return None if number is None else tokens[number]

    roles = {"bos": role("bos"), "eos": role("eos"), "unk": role("unknown"), "pad": role("padding")}
    known = {name: text for name, text in roles.items() if text is not None}
    if model == "llama":
        scores = list(metadata["tokenizer.ggml.scores"])
        kinds = [1 if kind == 2 and number else kind for number, kind in enumerate(kinds)]  # there is one unknown token
        return sentencepiece(
            [(text.encode(), score, kind) for text, score, kind in zip(tokens, scores, kinds, strict=True)], **known
        )
    if model == "bert":
        return wordpiece(
            [
                text if kind == 3 else text[1:] if text.startswith("▁") else f"##{text}"
                for text, kind in zip(tokens, kinds, strict=True)
            ]
        )
    for text in extra:
        number = next(
            number for number in range(len(tokens)) if tokens[number].startswith("[PAD") or kinds[number] == 5
        )
        tokens[number], kinds[number] = text, 3
    special = {text: number for number, (text, kind) in enumerate(zip(tokens, kinds, strict=True)) if kind == 3}
    known.setdefault("eos", known.get("bos", ""))
    return bpe(metadata["tokenizer.ggml.pre"], tokens, list(metadata["tokenizer.ggml.merges"]), special, **known)


# families


def llama(config: Mapping[str, Any], *, bias: bool = False, norms: bool = False, feed_forward: bool = True) -> Shapes:
    """Return the tensors of Llama, with biases on queries, keys and values or norms on queries and keys."""
    e, f = config["hidden_size"], config["intermediate_size"]
    heads, kv = config["num_attention_heads"], config.get("num_key_value_heads", config["num_attention_heads"])
    h = config.get("head_dim", e // heads)
    shapes: Shapes = {"model.embed_tokens.weight": (config["vocab_size"], e), "model.norm.weight": (e,)}
    for block in range(config["num_hidden_layers"]):
        start = f"model.layers.{block}."
        shapes |= {
            f"{start}input_layernorm.weight": (e,),
            f"{start}self_attn.q_proj.weight": (heads * h, e),
            f"{start}self_attn.k_proj.weight": (kv * h, e),
            f"{start}self_attn.v_proj.weight": (kv * h, e),
            f"{start}self_attn.o_proj.weight": (e, heads * h),
            f"{start}post_attention_layernorm.weight": (e,),
        }
        if feed_forward:
            shapes |= {
                f"{start}mlp.{name}_proj.weight": shape
                for name, shape in (("gate", (f, e)), ("up", (f, e)), ("down", (e, f)))
            }
        if bias:
            shapes |= {
                f"{start}self_attn.{name}_proj.bias": (size * h,) for name, size in (("q", heads), ("k", kv), ("v", kv))
            }
        if norms:
            shapes |= {f"{start}self_attn.{name}_norm.weight": (h,) for name in ("q", "k")}
    if not config.get("tie_word_embeddings", False):
        shapes["lm_head.weight"] = (config["vocab_size"], e)
    return shapes


def with_experts(
    config: Mapping[str, Any], place: str, names: tuple[str, str, str], router: str, **attention: bool
) -> Shapes:
    """Return the tensors of a model with experts: ``names`` of gate, up and down under ``place``."""
    shapes = llama(config, feed_forward=False, **attention)
    e, f = config["hidden_size"], config.get("moe_intermediate_size", config["intermediate_size"])
    count = config.get("num_local_experts") or config.get("num_experts")
    for block in range(config["num_hidden_layers"]):
        start = f"model.layers.{block}.{place}."
        shapes[start + router] = (count, e)
        for number in range(count):
            for name, shape in zip(names, ((f, e), (f, e), (e, f)), strict=True):
                shapes[f"{start}experts.{number}.{name}.weight"] = shape
    return shapes


def qwen2_moe(config: Mapping[str, Any]) -> Shapes:
    shapes = with_experts(config, "mlp", ("gate_proj", "up_proj", "down_proj"), "gate.weight", bias=True)
    e, s = config["hidden_size"], config["shared_expert_intermediate_size"]
    for block in range(config["num_hidden_layers"]):
        start = f"model.layers.{block}.mlp.shared_expert"
        shapes[f"{start}_gate.weight"] = (1, e)
        shapes |= {
            f"{start}.{name}_proj.weight": shape for name, shape in (("gate", (s, e)), ("up", (s, e)), ("down", (e, s)))
        }
    return shapes


def gemma(config: Mapping[str, Any], *, norms: bool = False, four: bool = False) -> Shapes:
    shapes = llama({**config, "tie_word_embeddings": True}, norms=norms)
    if four:
        for block in range(config["num_hidden_layers"]):
            for name in ("pre", "post"):
                shapes[f"model.layers.{block}.{name}_feedforward_layernorm.weight"] = (config["hidden_size"],)
    return shapes


def phi3(config: Mapping[str, Any]) -> Shapes:
    e, f, heads, kv = (
        config["hidden_size"],
        config["intermediate_size"],
        config["num_attention_heads"],
        config["num_key_value_heads"],
    )
    shapes: Shapes = {
        "model.embed_tokens.weight": (config["vocab_size"], e),
        "model.norm.weight": (e,),
        "lm_head.weight": (config["vocab_size"], e),
    }
    for block in range(config["num_hidden_layers"]):
        start = f"model.layers.{block}."
        shapes |= {
            f"{start}input_layernorm.weight": (e,),
            f"{start}self_attn.qkv_proj.weight": ((heads + 2 * kv) * (e // heads), e),
            f"{start}self_attn.o_proj.weight": (e, e),
            f"{start}post_attention_layernorm.weight": (e,),
            f"{start}mlp.gate_up_proj.weight": (2 * f, e),
            f"{start}mlp.down_proj.weight": (e, f),
        }
    return shapes


def deepseek(config: Mapping[str, Any]) -> Shapes:
    e, f, m, heads = (
        config["hidden_size"],
        config["intermediate_size"],
        config["moe_intermediate_size"],
        config["num_attention_heads"],
    )
    nope, rope, v, rank, q_rank = (
        config[name] for name in ("qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim", "kv_lora_rank", "q_lora_rank")
    )
    shapes: Shapes = {
        "model.embed_tokens.weight": (config["vocab_size"], e),
        "model.norm.weight": (e,),
        "lm_head.weight": (config["vocab_size"], e),
    }
    for block in range(config["num_hidden_layers"] + config.get("num_nextn_predict_layers", 0)):
        start = f"model.layers.{block}."
        attention = f"{start}self_attn."
        shapes |= {f"{start}input_layernorm.weight": (e,), f"{start}post_attention_layernorm.weight": (e,)}
        if q_rank:
            shapes |= {
                f"{attention}q_a_proj.weight": (q_rank, e),
                f"{attention}q_a_layernorm.weight": (q_rank,),
                f"{attention}q_b_proj.weight": (heads * (nope + rope), q_rank),
            }
        else:
            shapes[f"{attention}q_proj.weight"] = (heads * (nope + rope), e)
        shapes |= {
            f"{attention}kv_a_proj_with_mqa.weight": (rank + rope, e),
            f"{attention}kv_a_layernorm.weight": (rank,),
            f"{attention}kv_b_proj.weight": (heads * (nope + v), rank),
            f"{attention}o_proj.weight": (e, heads * v),
        }
        if block < config["first_k_dense_replace"]:
            shapes |= {
                f"{start}mlp.{name}_proj.weight": shape
                for name, shape in (("gate", (f, e)), ("up", (f, e)), ("down", (e, f)))
            }
            continue
        shapes[f"{start}mlp.gate.weight"] = (config["n_routed_experts"], e)
        if config.get("topk_method") == "noaux_tc":
            shapes[f"{start}mlp.gate.e_score_correction_bias"] = (config["n_routed_experts"],)
        for place, size in (
            *((f"experts.{number}", m) for number in range(config["n_routed_experts"])),
            ("shared_experts", m * config["n_shared_experts"]),
        ):
            shapes |= {
                f"{start}mlp.{place}.{name}_proj.weight": shape
                for name, shape in (("gate", (size, e)), ("up", (size, e)), ("down", (e, size)))
            }
    return shapes


def scaled(shapes: Shapes, block: int = 0, *, ending: str = "_scale_inv", rows: bool = False) -> Shapes:
    """Return the tensors with scales for all matrices of attention and feed forward, one for each square of ``block``, or row."""
    found = dict(shapes)
    for name, shape in shapes.items():
        if "_proj" in name and name.endswith(".weight"):
            whole = (shape[0], 1) if rows else ()
            found[f"{name}{ending}"] = tuple(-(-size // block) for size in shape) if block else whole
    return found


def compressed(strategy: str, **weights: Any) -> dict[str, Any]:
    """Return how compressed-tensors says that weights are FP8."""
    group = {"weights": {"num_bits": 8, "type": "float", "strategy": strategy, **weights}, "targets": ["Linear"]}
    return {"quant_method": "compressed-tensors", "format": "float-quantized", "config_groups": {"group_0": group}}


def with_all_experts_in_one(config: Mapping[str, Any], place: str, router: str, **attention: bool) -> Shapes:
    """Return the tensors of a model with experts as Transformers 5 may write them: gate and up of all experts in one, down in one."""
    shapes = llama(config, feed_forward=False, **attention)
    e, f = config["hidden_size"], config.get("moe_intermediate_size", config["intermediate_size"])
    count = config.get("num_local_experts") or config.get("num_experts")
    for block in range(config["num_hidden_layers"]):
        start = f"model.layers.{block}.{place}."
        shapes[start + router] = (count, e)
        shapes |= {f"{start}experts.gate_up_proj": (count, 2 * f, e), f"{start}experts.down_proj": (count, e, f)}
    return shapes


def granite_moe(config: Mapping[str, Any]) -> Shapes:
    shapes = llama(config, feed_forward=False)
    e, f, x, s = (
        config["hidden_size"],
        config["intermediate_size"],
        config["num_local_experts"],
        config.get("shared_intermediate_size"),
    )
    for block in range(config["num_hidden_layers"]):
        start = f"model.layers.{block}."
        shapes |= {
            f"{start}block_sparse_moe.router.layer.weight": (x, e),
            f"{start}block_sparse_moe.input_linear.weight": (x, 2 * f, e),
            f"{start}block_sparse_moe.output_linear.weight": (x, e, f),
        }
        if s:
            shapes |= {
                f"{start}shared_mlp.input_linear.weight": (2 * s, e),
                f"{start}shared_mlp.output_linear.weight": (e, s),
            }
    return shapes


def glm4(config: Mapping[str, Any]) -> Shapes:
    shapes = llama(config, bias=True, feed_forward=False)
    e, f = config["hidden_size"], config["intermediate_size"]
    for block in range(config["num_hidden_layers"]):
        start = f"model.layers.{block}."
        shapes |= {
            f"{start}post_self_attn_layernorm.weight": (e,),
            f"{start}post_mlp_layernorm.weight": (e,),
            f"{start}mlp.gate_up_proj.weight": (2 * f, e),
            f"{start}mlp.down_proj.weight": (e, f),
        }
    return shapes


def gpt_oss(config: Mapping[str, Any], *, packed: bool = True) -> Shapes:
    e, f, heads, x = (
        config[name] for name in ("hidden_size", "intermediate_size", "num_attention_heads", "num_local_experts")
    )
    shapes = llama(config, bias=True, feed_forward=False)
    for block in range(config["num_hidden_layers"]):
        start = f"model.layers.{block}."
        shapes |= {
            f"{start}self_attn.o_proj.bias": (e,),
            f"{start}self_attn.sinks": (heads,),
            f"{start}mlp.router.weight": (x, e),
            f"{start}mlp.router.bias": (x,),
            f"{start}mlp.experts.gate_up_proj_bias": (x, 2 * f),
            f"{start}mlp.experts.down_proj_bias": (x, e),
        }
        experts = f"{start}mlp.experts."
        if packed:
            shapes |= {
                f"{experts}gate_up_proj_blocks": (x, 2 * f, e // 32, 16),
                f"{experts}gate_up_proj_scales": (x, 2 * f, e // 32),
            }
            shapes |= {f"{experts}down_proj_blocks": (x, e, f // 32, 16), f"{experts}down_proj_scales": (x, e, f // 32)}
        else:
            shapes |= {f"{experts}gate_up_proj": (x, e, 2 * f), f"{experts}down_proj": (x, f, e)}
    return shapes


def bert(config: Mapping[str, Any]) -> Shapes:
    e, f = config["hidden_size"], config["intermediate_size"]
    shapes: Shapes = {
        "embeddings.word_embeddings.weight": (config["vocab_size"], e),
        "embeddings.position_embeddings.weight": (config["max_position_embeddings"], e),
        "embeddings.token_type_embeddings.weight": (2, e),
        "embeddings.LayerNorm.weight": (e,),
        "embeddings.LayerNorm.bias": (e,),
        "pooler.dense.weight": (e, e),
        "pooler.dense.bias": (e,),
    }
    for block in range(config["num_hidden_layers"]):
        start = f"encoder.layer.{block}."
        for name, shape in (
            ("attention.self.query", (e, e)),
            ("attention.self.key", (e, e)),
            ("attention.self.value", (e, e)),
            ("attention.output.dense", (e, e)),
            ("intermediate.dense", (f, e)),
            ("output.dense", (e, f)),
        ):
            shapes |= {f"{start}{name}.weight": shape, f"{start}{name}.bias": shape[:1]}
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes |= {f"{start}{name}.weight": (e,), f"{start}{name}.bias": (e,)}
    return shapes


def _config(architecture: str, model_type: str, **values: Any) -> dict[str, Any]:
    return {
        "architectures": [architecture],
        "model_type": model_type,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        **values,
    }


_LLAMA31 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}
_GENERATION = json.dumps(
    {"bos_token_id": 1, "eos_token_id": [2, 3], "temperature": 0.6, "top_p": 0.9, "top_k": 40, "do_sample": True}
)
_CARD = """---
license: apache-2.0
language:
- en
- "de"
tags: [chat, tiny]
pipeline_tag: text-generation
base_model: someone/Tiny-Base-1B
datasets:
- someone/some-data
model_name: Tiny Test
---
# Tiny
"""
_MLA = {
    "hidden_size": 64, "moe_intermediate_size": 32, "num_key_value_heads": 4, "kv_lora_rank": 32, "qk_nope_head_dim": 16, "qk_rope_head_dim": 8,
    "v_head_dim": 16, "n_routed_experts": 4, "n_shared_experts": 1, "num_experts_per_tok": 2, "first_k_dense_replace": 1, "moe_layer_freq": 1,
    "routed_scaling_factor": 1.5,
}  # fmt: skip
_MOE = {
    "num_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 32,
    "decoder_sparse_step": 1,
    "mlp_only_layers": [],
}

FAMILIES: dict[str, Tiny] = {
    "llama-2": Tiny(
        _config("LlamaForCausalLM", "llama", bos_token_id=1, eos_token_id=2),
        llama,
        "spm",
        "F16",
        files={"generation_config.json": _GENERATION, "README.md": _CARD},
    ),
    "llama-3": Tiny(_config("LlamaForCausalLM", "llama", rope_theta=500000.0), llama, "llama-bpe"),
    "llama-3.1": Tiny(
        _config(
            "LlamaForCausalLM", "llama", rope_theta=500000.0, rope_scaling=_LLAMA31, max_position_embeddings=131072
        ),
        llama,
        "llama-bpe",
    ),
    "llama-3.2": Tiny(
        _config(
            "LlamaForCausalLM",
            "llama",
            rope_theta=500000.0,
            rope_scaling={**_LLAMA31, "factor": 32.0},
            tie_word_embeddings=True,
            head_dim=32,
        ),
        llama,
        "llama-bpe",
        files={"chat_template.jinja": "{{ messages[0]['content'] }}"},
    ),
    "llama-linear": Tiny(
        _config("LlamaForCausalLM", "llama", rope_scaling={"type": "linear", "factor": 2.0}), llama, "spm"
    ),
    "llama-fp8": Tiny(
        _config(
            "LlamaForCausalLM", "llama", quantization_config={"quant_method": "fp8", "weight_block_size": [32, 32]}
        ),
        lambda config: scaled(llama(config), 32),
        "spm",
        dtypes={"_scale_inv": "F32", "_proj.weight": "F8_E4M3"},
    ),
    "llama-fp8-rows": Tiny(
        _config("LlamaForCausalLM", "llama", quantization_config=compressed("channel")),
        lambda config: scaled(llama(config), ending="_scale", rows=True),
        "spm",
        dtypes={"_scale": "BF16", "_proj.weight": "F8_E4M3"},
    ),
    "llama-fp8-compressed": Tiny(
        _config("LlamaForCausalLM", "llama", quantization_config=compressed("block", block_structure=[32, 32])),
        lambda config: scaled(llama(config), 32, ending="_scale"),
        "spm",
        dtypes={"_scale": "F32", "_proj.weight": "F8_E4M3"},
    ),
    "llama-fp8-tensors": Tiny(
        _config("LlamaForCausalLM", "llama", quantization_config={"quant_method": "modelopt", "quant_algo": "FP8"}),
        lambda config: scaled(llama(config), ending="_scale"),
        "spm",
        dtypes={"_scale": "F32", "_proj.weight": "F8_E4M3"},
    ),
    "mistral": Tiny(_config("MistralForCausalLM", "mistral", sliding_window=256), llama, "spm"),
    "mixtral": Tiny(
        _config("MixtralForCausalLM", "mixtral", num_local_experts=4, num_experts_per_tok=2),
        lambda config: with_experts(config, "block_sparse_moe", ("w1", "w3", "w2"), "gate.weight"),
        "spm",
    ),
    "mixtral-merged": Tiny(
        _config("MixtralForCausalLM", "mixtral", num_local_experts=4, num_experts_per_tok=2),
        lambda config: with_all_experts_in_one(config, "mlp", "gate.weight"),
        "spm",
    ),
    "smollm3": Tiny(
        _config(
            "SmolLM3ForCausalLM",
            "smollm3",
            no_rope_layers=[1, 1],
            no_rope_layer_interval=4,
            tie_word_embeddings=True,
            pad_token_id=0,
        ),
        llama,
        "llama-bpe",
    ),
    "qwen2": Tiny(
        _config("Qwen2ForCausalLM", "qwen2", rope_theta=1000000.0, tie_word_embeddings=True),
        lambda config: llama(config, bias=True),
        "qwen2",
    ),
    "qwen2-yarn": Tiny(
        _config(
            "Qwen2ForCausalLM",
            "qwen2",
            rope_theta=1000000.0,
            rope_scaling={"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 128},
        ),
        lambda config: llama(config, bias=True),
        "qwen2",
    ),
    "qwen2-moe": Tiny(
        _config("Qwen2MoeForCausalLM", "qwen2_moe", **_MOE, shared_expert_intermediate_size=48), qwen2_moe, "qwen2"
    ),
    "qwen3": Tiny(
        _config("Qwen3ForCausalLM", "qwen3", rope_theta=1000000.0, head_dim=32),
        lambda config: llama(config, norms=True),
        "qwen2",
    ),
    "qwen3-moe": Tiny(
        _config("Qwen3MoeForCausalLM", "qwen3_moe", **_MOE, head_dim=32, norm_topk_prob=True),
        lambda config: with_experts(config, "mlp", ("gate_proj", "up_proj", "down_proj"), "gate.weight", norms=True),
        "qwen2",
    ),
    "qwen3-moe-merged": Tiny(
        _config("Qwen3MoeForCausalLM", "qwen3_moe", **_MOE, head_dim=32, norm_topk_prob=True),
        lambda config: with_all_experts_in_one(config, "mlp", "gate.weight", norms=True),
        "qwen2",
    ),
    "gemma": Tiny(_config("GemmaForCausalLM", "gemma", head_dim=32, num_key_value_heads=1), gemma, "spm"),
    "gemma-2": Tiny(
        _config(
            "Gemma2ForCausalLM",
            "gemma2",
            head_dim=32,
            sliding_window=128,
            attn_logit_softcapping=50.0,
            final_logit_softcapping=30.0,
            query_pre_attn_scalar=32,
        ),
        lambda config: gemma(config, four=True),
        "spm",
    ),
    "gemma-3": Tiny(
        _config(
            "Gemma3ForCausalLM",
            "gemma3_text",
            head_dim=32,
            sliding_window=128,
            rope_theta=1000000.0,
            rope_local_base_freq=10000.0,
        ),
        lambda config: gemma(config, four=True, norms=True),
        "spm",
    ),
    "phi-3": Tiny(
        _config(
            "Phi3ForCausalLM",
            "phi3",
            num_key_value_heads=4,
            sliding_window=256,
            original_max_position_embeddings=512,
            pad_token_id=0,
        ),
        phi3,
        "spm",
    ),
    "phi-3-long": Tiny(
        _config(
            "Phi3ForCausalLM",
            "phi3",
            num_key_value_heads=4,
            max_position_embeddings=4096,
            original_max_position_embeddings=512,
            pad_token_id=0,
            rope_scaling={
                "type": "longrope",
                "long_factor": [1.0 + number / 4 for number in range(8)],
                "short_factor": [1.0] * 8,
            },
        ),
        phi3,
        "spm",
    ),
    "deepseek-v2": Tiny(
        _config(
            "DeepseekV2ForCausalLM",
            "deepseek_v2",
            **_MLA,
            q_lora_rank=24,
            topk_method="greedy",
            n_group=1,
            topk_group=1,
            norm_topk_prob=False,
            scoring_func="softmax",
        ),
        deepseek,
        "gpt-2",
    ),
    "deepseek-v2-lite": Tiny(
        _config(
            "DeepseekV2ForCausalLM",
            "deepseek_v2",
            **_MLA,
            q_lora_rank=None,
            num_hidden_layers=27,
            topk_method="greedy",
            n_group=1,
            topk_group=1,
            norm_topk_prob=False,
            scoring_func="softmax",
        ),
        deepseek,
        "gpt-2",
    ),
    "deepseek-v3": Tiny(
        _config(
            "DeepseekV3ForCausalLM",
            "deepseek_v3",
            **_MLA,
            q_lora_rank=24,
            topk_method="noaux_tc",
            n_group=2,
            topk_group=1,
            norm_topk_prob=True,
            scoring_func="sigmoid",
            num_nextn_predict_layers=1,
            quantization_config={"quant_method": "fp8", "weight_block_size": [32, 32]},
            rope_scaling={
                "type": "yarn",
                "factor": 40,
                "beta_fast": 32,
                "beta_slow": 1,
                "mscale": 1.0,
                "mscale_all_dim": 1.0,
                "original_max_position_embeddings": 128,
            },
        ),
        lambda config: scaled(deepseek(config), 32),
        "gpt-2",
        dtypes={
            "_scale_inv": "F32",
            "_proj.weight": "F8_E4M3",
            "_mqa.weight": "F8_E4M3",
            "e_score_correction_bias": "F32",
        },
    ),
    "granite": Tiny(
        _config(
            "GraniteForCausalLM",
            "granite",
            attention_multiplier=0.0078125,
            embedding_multiplier=12.0,
            residual_multiplier=0.22,
            logits_scaling=8.0,
            tie_word_embeddings=True,
        ),
        llama,
        "refact",
    ),
    "granite-moe": Tiny(
        _config(
            "GraniteMoeForCausalLM",
            "granitemoe",
            num_local_experts=4,
            num_experts_per_tok=2,
            attention_multiplier=0.015,
            embedding_multiplier=12.0,
            residual_multiplier=0.22,
            logits_scaling=6.0,
            tie_word_embeddings=True,
        ),
        granite_moe,
        "refact",
    ),
    "granite-moe-shared": Tiny(
        _config(
            "GraniteMoeSharedForCausalLM",
            "granitemoeshared",
            shared_intermediate_size=48,
            num_local_experts=4,
            num_experts_per_tok=2,
            attention_multiplier=0.015,
            embedding_multiplier=12.0,
            residual_multiplier=0.22,
            logits_scaling=6.0,
            tie_word_embeddings=True,
        ),
        granite_moe,
        "refact",
    ),
    "glm-4": Tiny(
        _config(
            "Glm4ForCausalLM",
            "glm4",
            head_dim=16,
            partial_rotary_factor=0.5,
            attention_bias=True,
            eos_token_id=[1, 2],
            pad_token_id=0,
        ),
        glm4,
        "qwen2",
    ),
    "gpt-oss": Tiny(
        _config(
            "GptOssForCausalLM",
            "gpt_oss",
            head_dim=16,
            num_local_experts=4,
            num_experts_per_tok=2,
            sliding_window=128,
            quantization_config={"quant_method": "mxfp4"},
            rope_theta=150000.0,
            rope_scaling={
                "rope_type": "yarn",
                "factor": 32.0,
                "beta_fast": 32.0,
                "beta_slow": 1.0,
                "original_max_position_embeddings": 4096,
                "truncate": False,
            },
        ),
        gpt_oss,
        "gpt-2",
        dtypes={"_blocks": "U8", "_scales": "U8"},
    ),
    "gpt-oss-bf16": Tiny(
        _config(
            "GptOssForCausalLM",
            "gpt_oss",
            head_dim=16,
            num_local_experts=4,
            num_experts_per_tok=2,
            sliding_window=128,
            rope_scaling={"rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": 256},
        ),
        lambda config: gpt_oss(config, packed=False),
        "gpt-2",
    ),
    "bert": Tiny(
        _config("BertModel", "bert", num_key_value_heads=4, layer_norm_eps=1e-12, type_vocab_size=2),
        bert,
        "wordpiece",
        "F32",
        files={
            "modules.json": json.dumps([{"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"}]),
            "1_Pooling/config.json": json.dumps({"pooling_mode_mean_tokens": True}),
        },
    ),
}
"""A checkpoint for each family, and for what a family has several kinds of."""
