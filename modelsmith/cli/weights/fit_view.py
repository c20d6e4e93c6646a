"""What ``modelsmith fit`` prints: a table over contexts, one over quantizations, and both as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.shared.failure import printable
from modelsmith.weights.fit.explain import explain, memory_text
from modelsmith.weights.fit.fit import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelsmith.weights.fit.fit import Fit
    from modelsmith.weights.fit.place import DeviceUse

_COLOURS = {Verdict.WHOLE: "green", Verdict.PARTLY: "yellow", Verdict.NOT: "red"}


def show_contexts(fits: Sequence[Fit], longest: int, *, explained: bool) -> None:
    """Print a line for each context: what goes where, and whether it fits."""
    _show_head(fits[0])
    devices = fits[0].placement.devices
    rows = [("context", "weights", "cache", "compute", *(printable(use.name) for use in devices), "layers", "")]
    rows += [_row(fit) for fit in fits]
    _table(rows, [_COLOURS[fit.verdict] for fit in fits])
    _show_longest(fits[0], longest)
    if explained:
        for fit in fits:
            click.echo("")
            click.secho(f"context {_context(fit.settings.context)}", bold=True)
            for line in explain(fit):
                click.echo(f"  {printable(line)}")


def show_quantizations(answers: Mapping[str | None, Sequence[Fit]], longest: Mapping[str | None, int]) -> None:
    """Print a line for each quantization: its size, whether each context fits, and the longest that does."""
    first = next(iter(answers.values()))
    _show_head(first[0], size=False)
    rows = [("type", "weights", *(_context(fit.settings.context) for fit in first), "longest")]
    for name, fits in answers.items():
        cells = (_verdict(fit) for fit in fits)
        rows.append(
            (str(name), memory_text(fits[0].model.weights), *cells, f"{longest[name]:,}" if longest[name] else "-")
        )
    _table(rows, [None] * len(answers))
    if not any(longest.values()):
        click.echo("none of them fits with any context")


def as_data(answers: Mapping[str | None, Sequence[Fit]], longest: Mapping[str | None, int], *, explained: bool) -> str:
    """Return the table over contexts as one JSON object."""
    name, fits = next(iter(answers.items()))
    return json.dumps(_model_data(fits, longest[name], explained=explained), ensure_ascii=False)


def quantizations_data(
    answers: Mapping[str | None, Sequence[Fit]], longest: Mapping[str | None, int], *, explained: bool
) -> str:
    """Return the table over quantizations as one JSON object: a key for each."""
    data = {str(name): _model_data(fits, longest[name], explained=explained) for name, fits in answers.items()}
    return json.dumps(data, ensure_ascii=False)


def _model_data(fits: Sequence[Fit], longest: int, *, explained: bool) -> dict[str, Any]:
    model = fits[0].model
    return {
        "model": model.name,
        "architecture": model.architecture,
        "layers": len(model.layers),
        "weights": model.weights,
        "trained_context": model.context,
        "longest_context": longest,
        "contexts": [_fit_data(fit, explained=explained) for fit in fits],
    }


def _fit_data(fit: Fit, *, explained: bool) -> dict[str, Any]:
    placement = fit.placement
    data = {
        "context": fit.settings.context,
        "parallel": fit.settings.parallel,
        "verdict": fit.verdict.value,
        "gpu_layers": placement.gpu_layers,
        "all_layers": placement.all_layers,
        "total": fit.total,
        "devices": [_device_data(device) for device in placement.devices],
    }
    return data | ({"explain": list(explain(fit))} if explained else {})


def _device_data(device: DeviceUse) -> dict[str, Any]:
    return {
        "name": device.name,
        "capacity": device.capacity,
        "layers": device.layers,
        "weights": device.weights,
        "kv_cache": device.cache,
        "states": device.states,
        "compute": device.compute,
        "extras": device.extras,
        "overhead": device.overhead,
        "total": device.total,
        "reserve": device.reserve,
        "fits": device.fits,
    }


def _show_head(fit: Fit, *, size: bool = True) -> None:
    model = fit.model
    about = [model.architecture, f"{len(model.layers)} layers"]
    if size:
        about.append(f"weights {memory_text(model.weights)}")
    if model.context:
        about.append(f"made for {model.context:,} tokens")
    click.echo(f"{click.style(printable(model.name), bold=True)}: {printable(', '.join(about))}")
    gpus = (
        ", ".join(f"{printable(gpu.name)} {memory_text(gpu.memory)}" for gpu in fit.machine.gpus) or "no graphics card"
    )
    ram = f", RAM {memory_text(fit.machine.ram)}" if fit.machine.ram is not None else ""
    cache = (
        fit.settings.keys if fit.settings.keys == fit.settings.values else f"{fit.settings.keys}/{fit.settings.values}"
    )
    flash = "" if fit.settings.flash_attention else ", no flash attention"
    many = f", {fit.settings.parallel} requests at once" if fit.settings.parallel > 1 else ""
    click.echo(f"{gpus}{ram}; cache {cache}{flash}{many}")


def _show_longest(fit: Fit, longest: int) -> None:
    place = "wholly on the cards" if fit.machine.gpus else "in main memory"
    if longest:
        whole = " (all it was made for)" if longest == fit.model.context else ""
        click.echo(f"longest context {place}: {longest:,} tokens{whole}")
    else:
        click.echo(
            f"no context fits {place}; a smaller quantization may (--quantizations), or a smaller cache (--kv-type q8_0)"
        )


def _row(fit: Fit) -> tuple[str, ...]:
    devices = fit.placement.devices
    beyond = "; longer than it was made for" if fit.model.context and fit.settings.context > fit.model.context else ""
    return (
        _context(fit.settings.context),
        memory_text(sum(device.weights for device in devices)),
        memory_text(sum(device.cache + device.states for device in devices)),
        memory_text(sum(device.compute for device in devices)),
        *(memory_text(device.total) + ("" if device.fits else " !") for device in devices),
        f"{fit.placement.gpu_layers}/{fit.placement.all_layers}",
        fit.verdict.value + beyond,
    )


def _verdict(fit: Fit) -> str:
    if fit.verdict is Verdict.PARTLY:
        return f"{fit.placement.gpu_layers}/{fit.placement.all_layers} layers"
    return str(fit.verdict.value)


def _context(tokens: int) -> str:
    return f"{tokens // 1024}k" if tokens % 1024 == 0 else f"{tokens}"


def _table(rows: Sequence[Sequence[str]], colours: Sequence[str | None]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row, colour in zip(rows, (None, *colours), strict=True):
        *cells, last = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        line = "  ".join((*cells, click.style(last.rstrip(), fg=colour) if colour else last.rstrip()))
        click.echo(f"  {line.rstrip()}")
