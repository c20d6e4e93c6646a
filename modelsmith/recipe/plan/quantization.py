"""The recipe key ``quantize``: from what it says to the GGUF that is made, and what the plan tells about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.files.cache import cache_folder
from modelsmith.store.local.known import KnownDigests
from modelsmith.weights.blobs.blob import FileBlob

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.models.draft import Draft
    from modelsmith.recipe.format.schema import Quantize
    from modelsmith.store.model import CreateRequest
    from modelsmith.weights.blobs.quantized import QuantizedGGUF
    from modelsmith.weights.quantize.wishes import Wishes


def wishes_of(quantize: Quantize | str | None) -> Wishes | None:
    """Return what is asked for, None where nothing is."""
    if quantize is None:
        return None
    from modelsmith.weights.quantize.wishes import Wishes

    if isinstance(quantize, str):
        return Wishes.of(quantize)
    return Wishes.of(quantize.type, rules=quantize.tensors, allow_requantize=quantize.allow_requantize)


def quantized(path: Path, draft: Draft) -> QuantizedGGUF:
    """Return the weights of a draft, quantized or with adapters merged; their digest is known where they were made before."""
    from modelsmith.weights.blobs.quantized import QuantizedGGUF
    from modelsmith.weights.quantize.wishes import Wishes

    blob = QuantizedGGUF(path, draft.quantize or Wishes.of("COPY"), draft.gguf, cache_folder(), draft.adapters)
    _known().find(blob)
    return blob


def remember(request: CreateRequest, written: Path | None) -> None:
    """Note the digests of what was quantized, in a file ``written`` or on its way into the store, for later plans."""
    from modelsmith.weights.blobs.quantized import QuantizedGGUF

    for source in request.files.values():
        if not isinstance(source, QuantizedGGUF):
            continue
        digest = FileBlob(written).digest() if written is not None else source.known_digest()
        if digest is not None:
            _known().add(source, digest)


def with_quantization_note(draft: Draft, request: CreateRequest) -> Draft:
    """Return the draft with a sentence about what quantizing does: which types, how many bits, how large."""
    from modelsmith.weights.blobs.quantized import QuantizedGGUF

    for source in request.files.values():
        if isinstance(source, QuantizedGGUF):
            plan = source.plan
            for lora, weight in source.adapters:
                draft = draft.with_note(
                    f"adapters: {lora.path.name} changes {len(lora.pairs)} tensors, rank {'/'.join(map(str, lora.ranks))}"
                    f"{f', weight {weight:g}' if weight != 1 else ''}"
                )
                for note in lora.notes:
                    draft = draft.with_note(f"adapters: {lora.path.name}: {note}")
            if draft.quantize is None:
                continue
            types = ", ".join(f"{count} {name}" for name, (count, _) in plan.by_type.items())
            draft = draft.with_note(
                f"quantize: {len(plan.changed)} of {len(plan.tensors)} tensors change, {plan.source_size:,} bytes become "
                f"{plan.size:,} ({plan.source_bits_per_weight:.2f} -> {plan.bits_per_weight:.2f} bits per weight: {types})"
            )
            if plan.fell_back:
                draft = draft.with_note(
                    f"quantize: {len(plan.fell_back)} tensors have rows that do not fit the blocks of {plan.mix.name} "
                    "and get other types"
                )
    return draft


def _known() -> KnownDigests:
    return KnownDigests(cache_folder() / "quantized.json")
