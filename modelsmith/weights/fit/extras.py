"""What is loaded beside a model: a projector for pictures, adapters, a draft model.

Sources: llama.cpp ``tools/mtmd/clip.cpp`` (what a projector computes), ``src/llama-adapter.cpp`` (adapters lie beside the
layers that they change), ``common/speculative.cpp`` (a draft has a cache of its own, as long as the model's).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from modelsmith.errors import UsageError
from modelsmith.weights.fit.keys import Keys
from modelsmith.weights.fit.memory import cache_of, compute, state_of

if TYPE_CHECKING:
    from modelsmith.weights.fit.model import FitModel
    from modelsmith.weights.fit.settings import FitSettings
    from modelsmith.weights.gguf.file import GGUFFile

_FLOAT = 4


@dataclass(frozen=True, slots=True)
class Extras:
    """The bytes that they take, on the first card where there is one."""

    projector: int = 0
    pictures: int = 0
    adapters: int = 0
    draft: int = 0

    @property
    def on_gpu(self) -> int:
        """All of them."""
        return self.projector + self.pictures + self.adapters + self.draft


def with_projector(extras: Extras, gguf: GGUFFile, settings: FitSettings) -> Extras:
    """Add a projector: its weights and the room to look at a picture in; raises UsageError where it is none."""
    if gguf.kind != "projector":
        raise UsageError(
            f"{gguf.path} is no projector but {'an' if gguf.kind == 'adapter' else 'a'} {gguf.kind}",
            hint="--mmproj takes a file such as mmproj-model-f16.gguf",
        )
    weights = sum(tensor.nbytes for tensor in gguf.tensors)
    return replace(
        extras, projector=extras.projector + weights, pictures=max(extras.pictures, picture_room(gguf, settings))
    )


def picture_room(gguf: GGUFFile, settings: FitSettings) -> int:
    """Return the room to compute one picture in; 0 where the file does not say how large pictures are."""
    keys = Keys(gguf.metadata, str(gguf.path))
    size, patch = keys.number("vision.image_size", 0, most=1 << 14), keys.number("vision.patch_size", 0, most=1 << 12)
    if not size or not patch:
        return 0
    patches = (size // patch) ** 2
    width = keys.number("vision.embedding_length", 0)
    wide = keys.number("vision.feed_forward_length", 4 * width, most=1 << 24)
    heads = keys.number("vision.attention.head_count", 1, most=1 << 12)
    live = (wide + 6 * width) * patches
    return _FLOAT * (live if settings.flash_attention else max(live, 4 * width * patches + heads * patches * patches))


def with_adapter(extras: Extras, gguf: GGUFFile) -> Extras:
    """Add an adapter; raises UsageError where it is none."""
    if gguf.kind != "adapter":
        raise UsageError(f"{gguf.path} is no adapter but a {gguf.kind}", hint="--adapter takes a LoRA adapter in GGUF")
    return replace(extras, adapters=extras.adapters + sum(tensor.nbytes for tensor in gguf.tensors))


def with_draft(extras: Extras, draft: FitModel, settings: FitSettings) -> Extras:
    """Add a draft model, wholly on a card: weights, cache and room to compute in."""
    kept = sum(cache_of(draft, layer, settings) + state_of(layer, settings) for layer in draft.layers)
    room = compute(draft, draft.layers, settings, output=True, card=True)
    return replace(extras, draft=extras.draft + draft.on_card + kept + room)
