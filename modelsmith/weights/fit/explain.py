"""Where the numbers of an estimate come from, line by line: formulas with the numbers in them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from modelsmith.weights.fit.memory import cache_of, cells_of, masks, moments, output_buffer, state_of
from modelsmith.weights.fit.settings import cache_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.weights.fit.fit import Fit
    from modelsmith.weights.fit.model import Layer
    from modelsmith.weights.fit.place import DeviceUse

_GIB, _MIB, _KIB = 1 << 30, 1 << 20, 1 << 10


def memory_text(size: int) -> str:
    """Return a size as cards and llama.cpp's log count it: ``18.2 GiB``."""
    for factor, unit in ((_GIB, "GiB"), (_MIB, "MiB"), (_KIB, "KiB")):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} B"


def explain(fit: Fit) -> tuple[str, ...]:
    """Return what each part of the memory is and why, for people."""
    return tuple(_lines(fit))


def _lines(fit: Fit) -> Iterator[str]:
    model, settings = fit.model, fit.settings
    yield (
        f"weights: {memory_text(model.weights)} in {len(model.layers)} layers, "
        f"{memory_text(model.input)} embeddings (stay in RAM), {memory_text(model.output)} output"
        + (
            f"; the embeddings are the output too: on a card {memory_text(model.duplicate)} more"
            if model.duplicate
            else ""
        )
    )
    yield (
        f"context: {settings.context:,} tokens a request, padded to {settings.cells:,}, "
        f"{settings.parallel} at a time: {settings.cells * settings.parallel:,} tokens in the cache"
    )
    yield from _cache_lines(fit)
    cards = fit.placement.gpus
    used = moments(model, model.layers, settings, card=bool(cards) and fit.placement.gpu_layers > 0)
    for name, floats in used:
        mark = " <- the widest moment" if floats == max(use for _, use in used) else ""
        yield f"compute, {name}: {settings.tokens} tokens at once, {memory_text(4 * floats)}{mark}"
    yield f"compute, masks: which token sees which, {memory_text(masks(model.layers, settings))}"
    if fit.placement.copies > 1:
        yield (
            f"compute, pipeline: {len(cards)} cards work at once, each keeps {fit.placement.copies} copies of the masks and of "
            f"what comes in, {memory_text(4 * model.embedding * settings.tokens)} each"
        )
    if not settings.flash_attention:
        yield "without flash attention all scores of a layer lie in memory at once: tokens x cells x heads x 4 bytes"
    yield (
        f"output buffer: {model.vocabulary:,} tokens of the vocabulary x {max(settings.parallel, settings.outputs or 0)} x 4 "
        f"= {memory_text(output_buffer(model, settings))} in RAM"
    )
    for device in fit.placement.devices:
        yield _device_line(device)


def _cache_lines(fit: Fit) -> Iterator[str]:
    model, settings = fit.model, fit.settings
    kinds = Counter(layer_kind(layer) for layer in model.layers)
    for layer in dict.fromkeys(map(_kept, model.layers)):
        count = kinds[layer_kind(layer)]
        if layer.keys:
            window = f" (window {layer.window:,})" if layer.window else ""
            key, value = cache_type(settings.keys), cache_type(settings.values)
            per_key, per_value = key.width / key.block, value.width / value.block
            yield (
                f"cache: {count} layers{window} x {cells_of(layer, settings) * settings.parallel:,} tokens x "
                f"({layer.keys} keys x {per_key:g} + {layer.values} values x {per_value:g} bytes) "
                f"= {memory_text(count * cache_of(model, layer, settings))}"
            )
        if layer.state:
            yield (
                f"state: {count} layers x {settings.parallel} requests x {layer.state:,} bytes "
                f"= {memory_text(count * state_of(layer, settings))}, whatever the context"
            )
    if model.latent[0]:
        yield "the cache holds compressed keys only (multi-head latent attention); values are computed from them"


def layer_kind(layer: Layer) -> tuple[int, int, int, int]:
    """Return what two layers must have in common to keep the same."""
    return layer.keys, layer.values, layer.window, layer.state


def _kept(layer: Layer) -> Layer:
    from dataclasses import replace

    return replace(layer, weights=0, experts=0, largest=0, heads=0, query=0)


def _device_line(device: DeviceUse) -> str:
    parts = (
        ("weights", device.weights),
        ("cache", device.cache),
        ("states", device.states),
        ("compute", device.compute),
        ("projector, adapters, draft", device.extras),
        ("overhead", device.overhead),
    )
    told = " + ".join(f"{name} {memory_text(size)}" for name, size in parts if size)
    of = f" of {memory_text(device.capacity)}" if device.capacity is not None else ""
    if device.reserve:
        of += f"; {memory_text(device.reserve)} more are kept free for long prompts"
    return f"{device.name}: {told or 'nothing'} = {memory_text(device.total)}{of}"
