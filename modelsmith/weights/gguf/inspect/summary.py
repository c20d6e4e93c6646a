"""A GGUF in a few numbers and words: what the model is, and where its bytes are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelsmith.template.effective.capabilities import chat_capabilities
from modelsmith.weights.gguf.metadata import GGUFArray

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.read.tensors import Tensor

_BLOCK = re.compile(r"(?:v\.|a\.|mm\.|enc\.|dec\.)?blk\.(\d{1,6})\.")
_SIZES = (
    "context_length",
    "embedding_length",
    "block_count",
    "feed_forward_length",
    "attention.head_count",
    "attention.head_count_kv",
    "attention.sliding_window",
    "expert_count",
    "expert_used_count",
)
_LICENCE = ("general.license.name", "general.license", "general.license.link")
_FROM = ("general.organization", "general.author", "general.quantized_by", "general.url", "general.repo_url")
# What a tensor is for, by its name; the first that fits counts.
_ROLES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("vision and audio", re.compile(r"(v|a|mm)\.")),
    ("embedding", re.compile(r"(token_embd|per_layer_token_embd|position_embd|token_types)\.")),
    ("output", re.compile(r"(output|cls\.?)(\.|_s)")),
    ("norms", re.compile(r".*norm")),
    ("experts", re.compile(r".*(_exps|_shexp|ffn_gate_inp)")),
    ("feed forward", re.compile(r".*ffn_")),
    ("attention", re.compile(r".*attn_")),
    ("state space", re.compile(r".*(ssm_|time_mix|shortconv)")),
)
OTHER = "other"
ROLES = (*(role for role, _ in _ROLES), OTHER)


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the tensors taken together."""

    name: str
    tensors: int
    elements: int
    nbytes: int

    @property
    def bits(self) -> float:
        """Bits for each number."""
        return 8 * self.nbytes / self.elements if self.elements else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "tensors": self.tensors,
            "elements": self.elements,
            "bytes": self.nbytes,
            "bits_per_weight": round(self.bits, 3),
        }


def role_of(name: str) -> str:
    """Return what a tensor is for."""
    return next((role for role, pattern in _ROLES if pattern.match(name)), OTHER)


def block_of(name: str) -> int | None:
    """Return the number of the block that a tensor belongs to, None for those of no block."""
    match = _BLOCK.match(name)
    return int(match[1]) if match else None


def parts_by(tensors: Iterable[Tensor], key: Callable[[Tensor], str]) -> tuple[Part, ...]:
    """Return the tensors taken together by a name, the largest part first."""
    sums: dict[str, list[int]] = {}
    for tensor in tensors:
        total = sums.setdefault(key(tensor), [0, 0, 0])
        for number, more in enumerate((1, tensor.elements, tensor.nbytes)):
            total[number] += more
    return tuple(sorted((Part(name, *total) for name, total in sums.items()), key=lambda part: -part.nbytes))


@dataclass(frozen=True)
class Summary:
    """What there is to say about a file; sizes in bytes, lengths in tokens and numbers."""

    gguf: GGUFFile

    @property
    def name(self) -> str:
        """The model's name, ``""`` where it has none."""
        metadata = self.gguf.metadata
        return metadata.text("general.name") or metadata.text("general.basename")

    @property
    def kind(self) -> str:
        """``model``, ``adapter``, ``projector``, ``vocabulary`` or ``shard 2 of 3``."""
        gguf = self.gguf
        count, number = gguf.metadata.get("split.count"), gguf.metadata.get("split.no")
        if isinstance(count, int) and count > 1 and isinstance(number, int):
            return f"shard {number + 1} of {count}"
        return "vocabulary" if gguf.kind == "model" and not gguf.tensors else gguf.kind

    @property
    def whole(self) -> Part:
        """All tensors together."""
        tensors = self.gguf.tensors
        total = sum(tensor.nbytes for tensor in tensors)
        return Part("all", len(tensors), self.gguf.parameter_count, total)

    @property
    def types(self) -> tuple[Part, ...]:
        """The tensors by type, the largest part first."""
        return parts_by(self.gguf.tensors, lambda tensor: tensor.type.name)

    @property
    def roles(self) -> tuple[Part, ...]:
        """The tensors by what they are for, the largest part first."""
        return parts_by(self.gguf.tensors, lambda tensor: role_of(tensor.name))

    @property
    def blocks(self) -> tuple[tuple[int, int], ...]:
        """The number of each block, and its bytes."""
        sums: dict[int, int] = {}
        for tensor in self.gguf.tensors:
            number = block_of(tensor.name)
            if number is not None:
                sums[number] = sums.get(number, 0) + tensor.nbytes
        return tuple(sorted(sums.items()))

    @property
    def sizes(self) -> Mapping[str, Any]:
        """The lengths and counts that the architecture is made with, as far as the file says them."""
        metadata = self.gguf.metadata
        found: dict[str, Any] = {}
        for key in _SIZES:
            value = metadata.get(metadata.of_architecture(key))
            if isinstance(value, GGUFArray):
                value = sorted(set(value[: 1 << 12]), reverse=True) if len(value) else None
            if value is not None:
                found[key] = value
        return found

    @property
    def vocabulary(self) -> int:
        """How many tokens there are, 0 where there is no vocabulary."""
        tokens = self.gguf.metadata.get("tokenizer.ggml.tokens")
        return len(tokens) if isinstance(tokens, GGUFArray) else 0

    @property
    def tokenizer(self) -> str:
        """The kind of tokenizer, such as ``gpt2 (qwen2)``."""
        metadata = self.gguf.metadata
        model, pre = metadata.text("tokenizer.ggml.model"), metadata.text("tokenizer.ggml.pre")
        return f"{model} ({pre})" if pre else model

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What the chat template gives the model."""
        template = self.gguf.chat_template
        return tuple(sorted(chat_capabilities(template))) if template else ()

    @property
    def licence(self) -> str:
        """What the file says about its licence, in one line."""
        texts = [self.gguf.metadata.text(key) for key in _LICENCE]
        return "; ".join(dict.fromkeys(text.strip().partition("\n")[0] for text in texts if text.strip()))

    @property
    def origin(self) -> tuple[str, ...]:
        """Who made it, and where it came from."""
        return tuple(dict.fromkeys(text for key in _FROM if (text := self.gguf.metadata.text(key))))

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        gguf = self.gguf
        return {
            "kind": self.kind,
            "name": self.name,
            "architecture": gguf.architecture,
            "size": gguf.size,
            "version": gguf.version,
            "byte_order": "big" if gguf.is_big_endian else "little",
            "alignment": gguf.alignment,
            "header_bytes": gguf.data_offset,
            "quantization": gguf.file_type,
            "parameters": gguf.parameter_count,
            "bits_per_weight": round(self.whole.bits, 4),
            "types": {part.name: part.to_dict() for part in self.types},
            "roles": {part.name: part.to_dict() for part in self.roles},
            "blocks": dict(self.blocks),
            "sizes": dict(self.sizes),
            "tokenizer": self.tokenizer,
            "vocabulary": self.vocabulary,
            "special_tokens": {
                role: {"id": token.id, "text": token.text} for role, token in gguf.special_tokens.items()
            },
            "chat_template": gguf.chat_template,
            "capabilities": list(self.capabilities),
            "licence": self.licence,
            "origin": list(self.origin),
        }
