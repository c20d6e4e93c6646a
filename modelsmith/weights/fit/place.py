"""Putting a model's layers on devices, and adding up what each of them then holds.

Sources: llama.cpp ``src/llama-model.cpp`` (load_tensors: the last layers go to cards first, the scores with the last; layers
are dealt to cards by their memory, or by --tensor-split), ``ggml/src/ggml-backend.cpp`` (weights in main memory are copied to
a card for large batches).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING

from modelsmith.weights.fit.machine import overhead_of
from modelsmith.weights.fit.memory import (
    PIPELINE_COPIES,
    cache_of,
    cells_of,
    compute,
    inputs,
    output_buffer,
    places,
    state_of,
)
from modelsmith.weights.fit.pool import growth, pool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.weights.fit.extras import Extras
    from modelsmith.weights.fit.machine import Machine
    from modelsmith.weights.fit.model import FitModel, Layer
    from modelsmith.weights.fit.settings import FitSettings

# measured: what llama.cpp takes besides the buffers that it logs, more for each token of the vocabulary, and without flash
# attention for each score of the widest layer, which the processor turns into another type
_PROGRAM = 23 << 20
_PER_SCORE = 1
_PER_TOKEN_OF_VOCABULARY = 180
_LARGE_BATCH = 32


@dataclass(frozen=True, slots=True)
class DeviceUse:
    """What one device holds, in bytes. ``capacity`` None: it was not said how much there is.

    ``overhead`` is what the driver and its kernels take. ``reserve`` is not part of ``total``: what may be taken besides
    when a prompt fills the context, so that it must stay free.
    """

    name: str
    capacity: int | None
    layers: int = 0
    weights: int = 0
    cache: int = 0
    states: int = 0
    compute: int = 0
    extras: int = 0
    overhead: int = 0
    reserve: int = 0

    @property
    def total(self) -> int:
        """All that is held once a prompt was read; the reserve aside."""
        return self.weights + self.cache + self.states + self.compute + self.extras + self.overhead

    @property
    def fits(self) -> bool:
        """Whether the device has as much; True where that is not known."""
        return self.capacity is None or self.total + self.reserve <= self.capacity


@dataclass(frozen=True, slots=True)
class Placement:
    """Where everything is: ``gpu_layers`` counts the scores as one more layer, as llama.cpp does with -ngl."""

    gpu_layers: int
    all_layers: int
    cpu_experts: int
    gpus: tuple[DeviceUse, ...]
    ram: DeviceUse
    copies: int = 1

    @property
    def devices(self) -> tuple[DeviceUse, ...]:
        """The cards, then main memory."""
        return (*self.gpus, self.ram)

    @property
    def fits(self) -> bool:
        """Whether every device has enough."""
        return all(device.fits for device in self.devices)

    @property
    def whole(self) -> bool:
        """Whether all layers are on cards, experts too."""
        return bool(self.gpus) and self.gpu_layers == self.all_layers and not self.cpu_experts


def place(
    model: FitModel,
    settings: FitSettings,
    machine: Machine,
    extras: Extras,
    gpu_layers: int,
    shares: Sequence[float] = (),
) -> Placement:
    """Put the last ``gpu_layers`` layers (one more than the model has: all, and the scores) on the cards.

    ``shares`` says how to deal them; empty: by the memory of the cards.
    """
    count = len(model.layers)
    gpu_layers = min(gpu_layers, count + 1) if machine.gpus else 0
    homes = _homes(count, gpu_layers, shares or [gpu.memory for gpu in machine.gpus])
    in_ram = tuple(range(min(settings.cpu_experts, count)))
    pipeline = len(machine.gpus) > 1 and gpu_layers > count and not in_ram
    copies = PIPELINE_COPIES if pipeline else 1
    gpus = [_use_of_gpu(model, settings, machine, homes, index, in_ram, copies) for index in range(len(machine.gpus))]
    if gpus and gpu_layers:
        gpus[0] = replace(gpus[0], extras=extras.on_gpu + (model.pictures if gpu_layers else 0))
    at_home = [layer for layer, home in zip(model.layers, homes, strict=False) if home < 0]
    moved = sum(model.layers[index].experts for index in in_ram if homes[index] >= 0)
    output = homes[count] < 0
    ram = DeviceUse(
        "RAM",
        machine.ram,
        layers=len(at_home),
        weights=model.input
        + sum(layer.weights for layer in at_home)
        + moved
        + (model.output if output else 0)
        + (0 if gpu_layers else model.pictures),
        cache=sum(cache_of(model, layer, settings) for layer in at_home),
        states=sum(state_of(layer, settings) for layer in at_home),
        compute=_compute_in_ram(model, settings, at_home, output=output, copies=copies),
        extras=0 if gpu_layers else extras.on_gpu,
        overhead=_PROGRAM + _PER_TOKEN_OF_VOCABULARY * model.vocabulary + _PER_SCORE * _scores(at_home, settings),
    )
    return Placement(gpu_layers, count + 1, len(in_ram) if moved else 0, tuple(gpus), ram, copies)


def _scores(layers: Sequence[Layer], settings: FitSettings) -> int:
    """Return how many scores of attention the widest layer has in a batch; with flash attention they are never all there."""
    if settings.flash_attention:
        return 0
    return max((cells_of(layer, settings) * layer.heads for layer in layers), default=0) * settings.tokens


def _homes(count: int, gpu_layers: int, shares: Sequence[float]) -> list[int]:
    """Return the card of each layer and, last, of the scores; -1 for main memory."""
    start = count + 1 - gpu_layers
    if not gpu_layers:
        return [-1] * (count + 1)
    total = sum(shares) or 1
    bounds = [share / total for share in accumulate(shares)]
    last = len(shares) - 1
    return [
        -1 if layer < start else min(last, bisect_right(bounds, (layer - start) / gpu_layers))
        for layer in range(count + 1)
    ]


def _use_of_gpu(
    model: FitModel,
    settings: FitSettings,
    machine: Machine,
    homes: Sequence[int],
    index: int,
    in_ram: Sequence[int],
    copies: int,
) -> DeviceUse:
    gpu = machine.gpus[index]
    numbers = [number for number, home in enumerate(homes[:-1]) if home == index]
    layers = [model.layers[number] for number in numbers]
    output = homes[-1] == index
    use = DeviceUse(gpu.name, gpu.memory)
    if not layers and not output:
        return use
    away = [model.layers[number].experts for number in in_ram if homes[number] == index]
    copied = max((layer.largest for layer, home in zip(model.layers, homes, strict=False) if home < 0), default=0)
    copied = max(copied, max((model.layers[number].largest for number in in_ram if homes[number] == index), default=0))
    return replace(
        use,
        layers=len(layers),
        weights=sum(layer.weights for layer in layers) - sum(away) + (model.output + model.duplicate if output else 0),
        cache=sum(cache_of(model, layer, settings) for layer in layers),
        states=sum(state_of(layer, settings) for layer in layers),
        compute=compute(model, layers, settings, output=output, card=True, copies=copies)
        + (copied if settings.tokens >= _LARGE_BATCH else 0),
        overhead=overhead_of(gpu.name) + pool(model, layers, settings)
        if machine.overhead is None
        else machine.overhead,
        reserve=growth(layers, settings),
    )


def _compute_in_ram(
    model: FitModel, settings: FitSettings, layers: Sequence[Layer], *, output: bool, copies: int
) -> int:
    """Return the room in main memory: for the layers there, and for what is handed to the cards; with the scores."""
    brought = inputs(model.layers, settings) + places(model.layers, settings)
    handed = 2 * 4 * model.embedding * settings.tokens + copies * brought
    if not layers and not output:
        return handed + output_buffer(model, settings)
    return max(handed, compute(model, layers, settings, output=output)) + output_buffer(model, settings)
