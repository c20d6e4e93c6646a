"""What every family of models has in common: a table of its tensors, and metadata from its configuration.

A row of a table says the name in the GGUF, the name in the checkpoint and the shape; ``*`` stands for the number of a block, ``#``
for that of an expert, ``?`` marks what a model may lack, and letters stand for sizes (see ``sizes``).
Source: llama.cpp ``gguf-py/gguf/tensor_mapping.py`` (names), ``conversion/base.py`` (metadata, types).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from modelsmith.errors import InvalidCheckpoint, Unsupported
from modelsmith.weights.convert.arranged import Stacked, Taken
from modelsmith.weights.convert.config import Config
from modelsmith.weights.convert.fp8 import KINDS, Scaled
from modelsmith.weights.convert.rows import STORED, Rows, Stored

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.weights.convert.checkpoint import Checkpoint
    from modelsmith.weights.convert.keys import Keys

_LEFT_OUT = re.compile(
    r".*(rotary_emb\.inv_freq|attention\.masked_bias|attention\.bias|\.(input|activation|k|v)_scale|_activation_scale)"
)
_OTHER_SENSES = re.compile(
    r".*(vision|visual|audio|multi_modal_projector|mm_projector|image_newline|patch_embed|patch_merger|merger\.|connector\.).*"
)
_SCALES = ("_scale_inv", "_scale")
_F32 = frozenset(("ffn_gate_inp.weight", "ffn_gate_inp_shexp.weight", "position_embd.weight", "token_types.weight"))
_ALL_EXPERTS = re.compile(r"(.*\.experts)\.(\w+?)(?:\.weight)?")
_BLOCK = re.compile(r"blk\.\d+\.")
_WRONG = "the checkpoint is damaged or of another kind than config.json says"


@dataclass(frozen=True, slots=True)
class Part:
    """A row of the table of tensors."""

    target: str
    source: str
    shape: tuple[str, ...]
    needed: bool

    @classmethod
    def table(cls, text: str) -> tuple[Part, ...]:
        """Read a table."""
        rows = (line.split() for line in text.strip().splitlines())
        return tuple(
            cls(target.rstrip("?"), source, tuple(shape), not target.endswith("?")) for target, source, *shape in rows
        )


class Family:
    """One checkpoint seen as a model of a family."""

    architecture: ClassVar[str]
    tokenizers: ClassVar[tuple[str, ...]] = ("sentencepiece", "bpe")
    adds_space_prefix: ClassVar[bool | None] = None
    parts: ClassVar[tuple[Part, ...]]
    merged: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "gate_up_proj": ("gate_proj", "up_proj"),
        "down_proj": ("down_proj",),
    }
    """Tensors that hold one matrix, or two behind each other, of all experts of a block: the names of those of single experts."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.config = Config(checkpoint.config, checkpoint.folder / "config.json")

    # sizes

    @cached_property
    def blocks(self) -> int:
        """How many blocks the model has."""
        count = self.config.size("num_hidden_layers", "n_layer", "num_layers")
        if count > 4096:
            raise InvalidCheckpoint(f"{self.config.path}: num_hidden_layers is {count}", hint=_WRONG)
        return count

    @cached_property
    def hidden(self) -> int:
        """The length of an embedding."""
        return self.config.size("hidden_size", "n_embd", "dim")

    @cached_property
    def heads(self) -> int:
        """How many heads attention has."""
        return self.config.size("num_attention_heads", "n_head")

    @cached_property
    def kv_heads(self) -> int:
        """How many of them have keys and values of their own."""
        return self.config.size("num_key_value_heads", default=self.heads)

    @cached_property
    def head_size(self) -> int:
        """How many numbers a head has."""
        return self.config.size("head_dim", default=self.hidden // self.heads or 1)

    @cached_property
    def experts(self) -> int:
        """How many experts a block has; 0 where it has none."""
        return self.config.optional_size("num_local_experts", "num_experts", "n_routed_experts") or 0

    def sizes(self) -> dict[str, int]:
        """Return what the letters in the shapes mean."""
        return {
            "v": self.config.size("vocab_size"),
            "e": self.hidden,
            "q": self.heads * self.head_size,
            "k": self.kv_heads * self.head_size,
            "h": self.head_size,
            "f": self.config.optional_size("intermediate_size", "n_inner") or 0,
            "x": self.experts,
        }

    # metadata

    def keys(self, keys: Keys) -> None:
        """Add the keys of the architecture."""
        config = self.config
        keys.whole("*.block_count", self.blocks)
        keys.whole("*.context_length", config.size("max_position_embeddings", "n_positions", "n_ctx", default=2048))
        keys.whole("*.embedding_length", self.hidden)
        if (feed_forward := config.optional_size("intermediate_size", "n_inner")) is not None:
            keys.whole("*.feed_forward_length", feed_forward)
        keys.whole("*.attention.head_count", self.heads)
        keys.whole("*.attention.head_count_kv", self.kv_heads)
        self.rope_keys(keys)
        if config.get("rms_norm_eps", "norm_eps") is not None:
            keys.real("*.attention.layer_norm_rms_epsilon", config.number("rms_norm_eps", "norm_eps"))
        if config.get("layer_norm_eps", "layer_norm_epsilon") is not None:
            keys.real("*.attention.layer_norm_epsilon", config.number("layer_norm_eps", "layer_norm_epsilon"))
        if self.experts:
            keys.whole("*.expert_count", self.experts)
        if (used := config.optional_size("num_experts_per_tok", "num_experts_per_token")) is not None:
            keys.whole("*.expert_used_count", used)
        if config.get("head_dim") is not None:
            keys.whole("*.attention.key_length", self.head_size)
            keys.whole("*.attention.value_length", self.head_size)

    def rope_keys(self, keys: Keys) -> None:
        """Add the keys of rotary positions; raises Unsupported for a way of scaling that llama.cpp does not have."""
        rope = self.config.rope
        whole = rope.get("full_attention") or rope
        kind, factor = str(whole.get("rope_type") or "default").lower(), whole.get("factor")
        if kind in {"linear", "yarn"} and factor is not None:
            keys.text("*.rope.scaling.type", kind)
            keys.real("*.rope.scaling.factor", factor)
            if kind == "yarn":
                keys.whole(
                    "*.rope.scaling.original_context_length",
                    whole.get("original_max_position_embeddings") or self.config.size("max_position_embeddings"),
                )
                for name, source in (
                    ("yarn_ext_factor", "extrapolation_factor"),
                    ("yarn_attn_factor", "attention_factor"),
                    ("yarn_beta_fast", "beta_fast"),
                    ("yarn_beta_slow", "beta_slow"),
                ):
                    if whole.get(source) is not None:
                        keys.real(f"*.rope.scaling.{name}", whole[source])
        elif kind in {"su", "longrope"}:
            keys.text("*.rope.scaling.type", "longrope")
        elif kind not in {"default", "llama3", "linear", "yarn"}:
            raise Unsupported(
                f"{self.config.path}: positions scaled by {kind!r:.40} have no counterpart in llama.cpp",
                hint="known are linear, yarn, llama3 and longrope",
            )
        if whole.get("rope_theta") is not None:
            keys.real("*.rope.freq_base", whole["rope_theta"])
        sliding = rope.get("sliding_attention") or {}
        if sliding.get("rope_theta") is not None:
            keys.real("*.rope.freq_base_swa", sliding["rope_theta"])

    def tokenizer_keys(self, keys: Keys) -> None:
        """Add what the family says of its tokenizer beyond the files."""

    # tensors

    def applies(self, part: Part, block: int) -> bool:
        """Say whether a block has such a tensor; the families with several kinds of blocks know."""
        del part, block
        return True

    def changed(self, target: str, rows: Rows) -> Rows:
        """Return a tensor as llama.cpp wants it."""
        del target
        return rows

    def extra(self) -> Iterator[tuple[str, Rows]]:
        """Yield tensors that the checkpoint does not hold."""
        return iter(())

    def named(self, name: str) -> str | None:
        """Return the name of a stored tensor as the table has it, None for one that is left out."""
        if _LEFT_OUT.fullmatch(name) or _OTHER_SENSES.fullmatch(name):
            return None
        name = name.replace("language_model.", "").removeprefix("model.model.")
        if name.startswith("model.lm_head"):
            return name.removeprefix("model.")
        return name if name.startswith(("model.", "lm_head.")) else f"model.{name}"

    def tensors(self) -> Iterator[tuple[str, Rows]]:
        """Yield the model's tensors by their names in the GGUF; raises where one is missing, unknown or of a wrong shape."""
        left = dict(self.sources)
        sizes = self.sizes()
        for part in self.parts:
            for block in range(self.blocks) if "*" in part.source else (0,):
                if not self.applies(part, block):
                    continue
                rows = self._taken(part, block, left, sizes)
                if rows is not None:
                    target = part.target.replace("*", str(block))
                    yield target, self.changed(_BLOCK.sub("", target), rows)
        yield from self.extra()
        if left:
            name = min(left)
            raise Unsupported(
                f'{self.checkpoint.folder}: tensor "{name}" is not part of a model of the family {self.architecture}'
                f"{f', nor are {len(left) - 1} more' if len(left) > 1 else ''}",
                hint="the model is of a newer or another kind than this family",
            )

    @cached_property
    def sources(self) -> Mapping[str, Rows]:
        """The stored tensors by their names in the table, FP8 ones with their scales applied."""
        found: dict[str, Rows] = {}
        stored = self.checkpoint.tensors
        for name, tensor in stored.items():
            known = self.named(name)
            if known is None or self._is_scale(name, stored):
                continue
            rows: Rows = Stored(tensor)
            if tensor.dtype in KINDS:
                rows = self._scaled(name, rows)
            elif tensor.dtype not in STORED:
                raise Unsupported(
                    f'tensor "{name}" holds {tensor.dtype}, which is not converted',
                    hint="F32, F16, BF16 and FP8 with its scales are; take a checkpoint in BF16",
                )
            for part_name, part in self._apart(known, rows):
                if part_name in found:
                    raise InvalidCheckpoint(
                        f'{self.checkpoint.folder}: two tensors are called "{part_name}"', hint=_WRONG
                    )
                found[part_name] = part
        return found

    def _apart(self, name: str, rows: Rows) -> Iterator[tuple[str, Rows]]:
        """Yield a tensor; of one that holds all experts (as Transformers 5 may write them) the parts that the table knows."""
        match = _ALL_EXPERTS.fullmatch(name)
        targets = self.merged.get(match[2], ()) if match and any("#" in part.source for part in self.parts) else ()
        if match is None or not targets or len(rows.shape) != 3 or rows.shape[1] % len(targets):
            yield name, rows
            return
        size = rows.shape[1] // len(targets)
        for number, target in enumerate(targets):
            taken = rows if len(targets) == 1 else Taken(rows, rows.shape[1], range(number * size, (number + 1) * size))
            yield f"{match[1]}.#.{target}.weight", taken

    def _is_scale(self, name: str, stored: Mapping[str, object]) -> bool:
        return any(name.endswith(suffix) and name.removesuffix(suffix) in stored for suffix in _SCALES)

    def _scaled(self, name: str, rows: Rows) -> Rows:
        block = _block_size(self.config.get("quantization_config"))
        scale = next(
            (
                self.checkpoint.tensors.get(name + suffix)
                for suffix in _SCALES
                if name + suffix in self.checkpoint.tensors
            ),
            None,
        )
        if scale is None or scale.dtype not in {"F32", "F16", "BF16"}:
            raise Unsupported(
                f'tensor "{name}" is FP8 without scales that could be read',
                hint="without them its numbers mean nothing; take the checkpoint in BF16",
            )
        return Scaled(name, rows, Stored(scale), block)

    def _taken(self, part: Part, block: int, left: dict[str, Rows], sizes: Mapping[str, int]) -> Rows | None:
        """Take a tensor, or the experts' tensors as one, out of ``left``."""
        source = part.source.replace("*", str(block))
        shape = tuple(sizes[letter] if letter in sizes else int(letter) for letter in part.shape)
        if "#" not in source:
            rows = left.pop(source, None)
            if rows is None and part.needed:
                self._missing(source)
            return None if rows is None else self._checked(source, rows, shape)
        if not self.experts:
            return None
        if source in left:
            return self._checked(source, left.pop(source), (self.experts, *shape))
        names = [source.replace("#", str(number)) for number in range(self.experts)]
        found = [(name, left.pop(name)) for name in names if name in left]
        if not found and not part.needed:
            return None
        if len(found) != len(names):
            self._missing(next(name for name in names if name not in dict(found)))
        return Stacked(tuple(self._checked(name, rows, shape) for name, rows in found))

    def _missing(self, name: str) -> None:
        raise InvalidCheckpoint(
            f'{self.checkpoint.folder}: tensor "{name}" is missing', hint=f"{_WRONG}, or a file was not downloaded"
        )

    def _checked(self, name: str, rows: Rows, shape: tuple[int, ...]) -> Rows:
        if rows.shape != shape:
            raise InvalidCheckpoint(
                f'{self.checkpoint.folder}: tensor "{name}" has the shape {list(rows.shape)}, and config.json means {list(shape)}',
                hint=_WRONG,
            )
        return rows


def _block_size(said: object) -> tuple[int, int] | None:
    """Return the rows and columns that share a scale, as fp8 and compressed-tensors say it; None where rows or tensors do."""
    if not isinstance(said, dict):
        return None
    block = said.get("weight_block_size")
    groups = said.get("config_groups")
    for group in groups.values() if isinstance(groups, dict) else ():
        weights = group.get("weights") if isinstance(group, dict) else None
        block = block or (weights.get("block_structure") if isinstance(weights, dict) else None)
    if isinstance(block, list) and len(block) == 2 and all(type(side) is int and side > 0 for side in block):
        return block[0], block[1]
    return None


def natural_kind(name: str, rows: Rows, wanted: str | None) -> str:
    """Return the type that a tensor gets in a file of floats: norms, biases and routers F32, all else ``wanted`` (or its own)."""
    kind = rows.kind
    if kind == "MXFP4":
        return kind
    part = _BLOCK.sub("", name)
    if len(rows.shape) <= 1 or name.endswith("_norm.weight") or part in _F32 or not name.endswith(".weight"):
        return "F32"
    return wanted or kind
