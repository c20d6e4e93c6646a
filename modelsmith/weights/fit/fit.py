"""Will it fit? How much memory a model takes with a context, where it goes, and how long the context can be.

Everything is known from the header: nothing is loaded, nothing measured. What the estimate is compared with is in the
project's ``docs/fit.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from modelsmith.weights.fit.extras import Extras
from modelsmith.weights.fit.machine import Machine
from modelsmith.weights.fit.model import FitModel
from modelsmith.weights.fit.place import Placement, place
from modelsmith.weights.fit.settings import FitSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelsmith.weights.quantize.plan import QuantizePlan

_STEP = 256
_NO_EXTRAS = Extras()
_USUAL = FitSettings()
_NO_CARDS = Machine()
DEFAULT_LONGEST = 1 << 20


class Verdict(Enum):
    """How well a model fits."""

    WHOLE = "fits"
    PARTLY = "partly"
    NOT = "no"


@dataclass(frozen=True, slots=True)
class Fit:
    """The answer for one context. ``verdict``: all in the cards (or in RAM where there are none), partly in RAM, or not."""

    model: FitModel
    settings: FitSettings
    machine: Machine
    placement: Placement
    verdict: Verdict

    @property
    def total(self) -> int:
        """The bytes on all devices."""
        return sum(device.total for device in self.placement.devices)

    @property
    def vram(self) -> int:
        """The bytes on the cards."""
        return sum(device.total for device in self.placement.gpus)


def estimate(
    model: FitModel,
    settings: FitSettings = _USUAL,
    machine: Machine = _NO_CARDS,
    extras: Extras | Callable[[FitSettings], Extras] = _NO_EXTRAS,
) -> Fit:
    """Return where a model goes and what it takes there: as many layers on the cards as fit, unless settings say how many.

    ``extras`` may be a function of the settings, as a draft's cache grows with the context. Raises UsageError where
    llama.cpp would refuse the settings for this model.
    """
    beside = extras(settings) if callable(extras) else extras
    most = len(model.layers) + 1

    def at(layers: int) -> Placement:
        return _best_split(model, settings, machine, beside, layers)

    if not machine.gpus:
        placement = at(0)
        return Fit(model, settings, machine, placement, Verdict.WHOLE if placement.fits else Verdict.NOT)
    if settings.gpu_layers is not None:
        placement = at(min(settings.gpu_layers, most))
    else:
        placement = at(most)
        if not _cards_fit(placement):
            placement = _most_layers(at, most)
    if not placement.fits:
        verdict = Verdict.NOT
    elif placement.whole:
        verdict = Verdict.WHOLE
    else:
        verdict = Verdict.PARTLY
    return Fit(model, settings, machine, placement, verdict)


def _most_layers(at: Callable[[int], Placement], most: int) -> Placement:
    """Return the placement with the most layers on the cards; what they need does not shrink with more layers."""
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _cards_fit(at(middle)) else (low, middle)
    return at(low)


def _cards_fit(placement: Placement) -> bool:
    return all(gpu.fits for gpu in placement.gpus)


def _best_split(model: FitModel, settings: FitSettings, machine: Machine, extras: Extras, layers: int) -> Placement:
    """Deal layers to the cards by their memory, as llama.cpp does, less what the first needs for extras where that helps."""
    if settings.tensor_split:
        return place(model, settings, machine, extras, layers, settings.tensor_split)
    placement = place(model, settings, machine, extras, layers)
    if len(machine.gpus) < 2 or _cards_fit(placement):
        return placement
    fixed = [gpu.compute + gpu.extras + gpu.overhead + gpu.reserve for gpu in placement.gpus]
    room = [max(1, gpu.memory - taken) for gpu, taken in zip(machine.gpus, fixed, strict=True)]
    other = place(model, settings, machine, extras, layers, room)
    return other if _cards_fit(other) else placement


def longest_context(
    model: FitModel,
    settings: FitSettings,
    machine: Machine,
    extras: Extras | Callable[[FitSettings], Extras] = _NO_EXTRAS,
    *,
    longest: int | None = None,
) -> int:
    """Return the longest context with which all of the model is on the cards (or in RAM), 0 where there is none.

    No longer than ``longest``, by default the context that the model was made for. Where nothing limits the memory, it is that.
    """
    limit = longest or model.context or DEFAULT_LONGEST

    def fits(context: int) -> bool:
        return estimate(model, replace(settings, context=context), machine, extras).verdict is Verdict.WHOLE

    if fits(limit):
        return limit
    low, high = 0, -(-limit // _STEP)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle * _STEP) else (low, middle)
    return low * _STEP


def fits_in(memories: Sequence[int], context: int, settings: FitSettings = _USUAL) -> Callable[[QuantizePlan], bool]:
    """Return what ``quantize_choose.choose`` asks of each mix: whether the result would fit cards of these bytes wholly."""
    machine = Machine.of(tuple(memories))
    wanted = replace(settings, context=context)

    def fits(plan: QuantizePlan) -> bool:
        return estimate(FitModel.of_plan(plan, plan.mix.name), wanted, machine).verdict is Verdict.WHOLE

    return fits
