"""What a model's memory depends on: the real size of every layer and its share of the cache, read from a GGUF's header.

Sources: llama.cpp ``src/llama-model.cpp`` (load_hparams), ``src/llama-hparams.cpp`` (n_embd_k_gqa, n_embd_v_gqa),
``src/llama-kv-cache.cpp`` (which layers have keys and values; compressed attention keeps no values).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from modelsmith.errors import InvalidGGUF, UsageError
from modelsmith.weights.fit.architectures import Memory, facts_of
from modelsmith.weights.fit.keys import MAX_CONTEXT, MAX_EXPERTS, MAX_HEADS, MAX_LAYERS, Keys
from modelsmith.weights.fit.recurrent import recurrent_layers, state_size
from modelsmith.weights.fit.sizes import Sizes
from modelsmith.weights.fit.window import windows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.metadata import Metadata
    from modelsmith.weights.gguf.read.tensors import Tensor
    from modelsmith.weights.quantize.plan import QuantizePlan


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer. ``keys`` and ``values`` are numbers kept of each token, ``state`` bytes kept of each conversation.

    ``window`` is how far it looks back (0: all the way). ``weights`` are all its bytes, ``experts`` those of them that are
    stacks of experts, ``largest`` its largest tensor.
    """

    keys: int = 0
    values: int = 0
    window: int = 0
    state: int = 0
    heads: int = 0
    query: int = 0
    weights: int = 0
    experts: int = 0
    largest: int = 0


@dataclass(frozen=True, slots=True)
class FitModel:
    """A model as far as its memory goes. Sizes are bytes, widths are numbers a token.

    ``feed_forward`` is what lives
    in the widest moment of it. ``input`` are the token embeddings, which stay in main memory; ``output`` is what turns the last layer into scores;
    where those are the embeddings, a card has them once more: ``duplicate``. ``pictures`` are a vision or audio part inside the same file.
    """

    name: str
    architecture: str
    context: int
    embedding: int
    vocabulary: int
    feed_forward: int
    experts_used: int
    expert_width: int
    latent: tuple[int, int]
    mixer: tuple[int, int]
    head_sizes: tuple[int, int]
    layers: tuple[Layer, ...] = field(repr=False)
    input: int = 0
    output: int = 0
    duplicate: int = 0
    pictures: int = 0
    file_type: str = ""

    @property
    def weights(self) -> int:
        """The bytes of all tensors, each once."""
        return self.input + self.output + self.pictures + sum(layer.weights for layer in self.layers)

    @property
    def on_card(self) -> int:
        """The bytes of the weights that a card has when it has all that it can have."""
        return self.weights - self.input + self.duplicate

    @classmethod
    def of_parts(cls, parts: Sequence[GGUFFile]) -> FitModel:
        """Read a GGUF, or all shards of one. Raises UsageError for what is no model, InvalidGGUF for numbers that lie."""
        first = parts[0]
        if first.kind != "model":
            raise UsageError(
                f"{first.path} is no model but {'an' if first.kind == 'adapter' else 'a'} {first.kind}",
                hint=f"name the model, and this file with --{'mmproj' if first.kind == 'projector' else 'adapter'}",
            )
        return cls.of(first.metadata, [tensor for part in parts for tensor in part.tensors], str(first.path))

    @classmethod
    def of_plan(cls, plan: QuantizePlan, name: str) -> FitModel:
        """Read what a plan to quantize will make; nothing needs to be made for it."""
        return cls.of(plan.metadata, [tensor.tensor for tensor in plan.tensors], name, plan.mix.name)

    @classmethod
    def of(cls, metadata: Metadata, tensors: Iterable[Tensor], name: str, file_type: str = "") -> FitModel:
        """Read a model from its metadata and tensors."""
        keys = Keys(metadata, name)
        layers = keys.number("block_count", least=1, most=MAX_LAYERS)
        embedding = keys.number("embedding_length", least=1)
        sizes = Sizes(layers, name)
        for tensor in tensors:
            sizes.add(tensor)
        if sizes.empty:
            raise InvalidGGUF(
                f"{name}: no tensor belongs to one of its {layers} layers",
                hint="is this a file of the vocabulary only, or one shard of several? Name the first shard",
            )
        vocabulary = sizes.vocabulary or keys.number("vocab_size", 0, most=1 << 28)
        experts = keys.number("expert_count", 0, most=MAX_EXPERTS)
        used = keys.number("expert_used_count", 0, most=max(experts, 1)) if experts else 0
        wide = keys.number("feed_forward_length", 0, most=1 << 24)
        compressed = keys.has("attention.key_length_mla") and keys.has("attention.value_length_mla")
        latent = (
            (keys.number("attention.key_length_mla"), keys.number("attention.value_length_mla"))
            if compressed
            else (0, 0)
        )
        return cls(
            name=name,
            architecture=metadata.architecture,
            context=keys.number("context_length", 0, most=MAX_CONTEXT),
            embedding=embedding,
            vocabulary=vocabulary,
            feed_forward=sizes.feed_forward,
            experts_used=used,
            expert_width=sizes.expert_width or keys.number("expert_feed_forward_length", wide, most=1 << 24),
            latent=latent,
            mixer=sizes.mixer,
            head_sizes=_head_sizes(keys, embedding),
            layers=tuple(
                replace(layer, weights=weights, experts=experts, largest=largest)
                for layer, weights, experts, largest in zip(
                    _geometry(keys, layers, embedding, compressed=compressed),
                    sizes.weights,
                    sizes.experts,
                    sizes.largest,
                    strict=True,
                )
            ),
            input=sizes.input,
            output=sizes.output,
            duplicate=0 if sizes.has_output else sizes.embeddings,
            pictures=sizes.pictures,
            file_type=file_type or str(metadata.get("general.file_type", "")),
        )


def _head_sizes(keys: Keys, embedding: int) -> tuple[int, int]:
    heads = keys.number("attention.head_count", 0, most=MAX_HEADS)
    usual = embedding // heads if heads else 0
    return keys.number("attention.key_length", usual), keys.number("attention.value_length", usual)


def _geometry(keys: Keys, layers: int, embedding: int, *, compressed: bool) -> list[Layer]:
    """Return what each layer keeps; weights are not filled in."""
    facts = facts_of(keys.metadata.architecture)
    heads = keys.per_layer("attention.head_count", layers, 0, most=MAX_HEADS)
    has_own = keys.has("attention.head_count_kv")
    kv_heads = keys.per_layer("attention.head_count_kv", layers, most=MAX_HEADS) if has_own else heads
    if not max(heads) and facts.memory is not Memory.STATE:
        keys.fail("attention.head_count", max(heads), "and without heads there is no attention")
    if not max(kv_heads) and facts.memory not in {Memory.STATE, Memory.BY_HEADS}:
        keys.fail("attention.head_count_kv", max(kv_heads), "and without heads there is no attention")
    wide = keys.per_layer("feed_forward_length", layers, 0, most=1 << 24)
    recurrent = recurrent_layers(keys, kv_heads, wide)
    state = state_size(keys, embedding, max(heads)).nbytes if any(recurrent) else 0
    windows = windows_of(keys, layers)
    full = _head_sizes(keys, embedding)
    near = keys.number("attention.key_length_swa", full[0]), keys.number("attention.value_length_swa", full[1])
    cached = _cached_layers(keys, layers)
    found = []
    for index in range(layers):
        key, value = near if windows[index] else full
        keeps = cached[index] and kv_heads[index] and (facts.memory is Memory.BOTH or not recurrent[index])
        if facts.one_part_a_layer and wide[index]:
            keeps = False
        found.append(
            Layer(
                keys=key * kv_heads[index] if keeps else 0,
                values=value * kv_heads[index] if keeps and not compressed else 0,
                window=windows[index],
                state=state if recurrent[index] else 0,
                heads=heads[index],
                query=heads[index] * key,
            )
        )
    return found


def _cached_layers(keys: Keys, layers: int) -> list[bool]:
    """Return which layers have a cache of their own; the others use an earlier layer's, or the model keeps nothing."""
    facts = facts_of(keys.metadata.architecture)
    if facts.memory is Memory.NOTHING:
        return [False] * layers
    first = layers
    if facts.predicts_without_cache:
        first -= keys.number("nextn_predict_layers", 0, most=layers)
    if facts.own_caches:
        first = facts.own_caches
    if keys.has("attention.shared_kv_layers"):
        first = layers - keys.number("attention.shared_kv_layers", most=layers)
    return [layer < first for layer in range(layers)]
