"""What ``modelsmith gguf quantize`` prints: the plan, the outcome, errors of tensors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.shared.failure import printable
from modelsmith.cli.shared.sizes import size_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from modelsmith.weights.quantize.error import TensorError
    from modelsmith.weights.quantize.plan import QuantizePlan, TensorPlan
    from modelsmith.weights.quantize.quantize import Quantized

_WORST = 10


def show_quantize_plan(plan: QuantizePlan, *, everything: bool) -> None:
    """Print what will become of a model: count and bytes a type, bits a weight, size; ``everything``: tensor by tensor."""
    click.echo(
        f"{click.style(plan.mix.name, bold=True)}: {size_text(plan.source_size)} -> {size_text(plan.size)} "
        f"({plan.size:,} bytes), {plan.source_bits_per_weight:.2f} -> {plan.bits_per_weight:.2f} bits per weight"
    )
    rows = [("  type", "tensors", "size")]
    rows += [(f"  {name}", f"{count}", size_text(size)) for name, (count, size) in plan.by_type.items()]
    _table(rows)
    if fell_back := plan.fell_back:
        rows_of = sorted({tensor.tensor.dims[0] for tensor in fell_back})
        click.echo(
            click.style(
                f"  {len(fell_back)} tensors get another type than the mix has for them: their rows "
                f"({', '.join(map(str, rows_of[:5]))}{' …' if len(rows_of) > 5 else ''}) do not fit its blocks",
                fg="yellow",
            )
        )
    again = [tensor for tensor in plan.tensors if tensor.requantizes]
    if smaller := sum(not tensor.widens for tensor in again):
        click.echo(click.style(f"  {smaller} tensors were quantized before and lose bits again", fg="yellow"))
    if wider := sum(tensor.widens for tensor in again):
        click.echo(
            click.style(
                f"  {wider} tensors were quantized before and get a wider type: lost bits stay lost", fg="yellow"
            )
        )
    if plan.imatrix is not None:
        missing = sum(tensor.tensor.name not in plan.imatrix.entries for tensor in plan.changed)
        click.echo(f"  importance matrix: {len(plan.imatrix.entries)} entries, none for {missing} of the tensors")
    if everything:
        _table([("  tensor", "shape", "type", ""), *map(_row, plan.tensors)])


def show_quantized(done: Quantized) -> None:
    """Print the outcome, and the worst tensors where errors were measured."""
    if done.errors:
        worst = sorted(done.errors.items(), key=lambda item: -item[1].relative)
        types = {tensor.tensor.name: tensor.tensor.type.name for tensor in done.plan.tensors}
        click.echo(f"errors of {len(worst)} tensors, the worst first (relative: 0.05 is 5 % of the numbers' own size)")
        rows = [("  tensor", "type", "relative", "rmse", "largest")]
        rows += [
            (f"  {printable(name)}", types[name], f"{e.relative:.4f}", f"{e.rmse:.3g}", f"{e.largest:.3g}")
            for name, e in worst[:_WORST]
        ]
        _table(rows)
        if len(worst) > _WORST:
            click.echo(f"  … and {len(worst) - _WORST} more; --json has all")
    click.echo(f"{click.style('wrote', fg='green')} {printable(str(done.path))}")


def quantized_json(plan: QuantizePlan, target: Path | None, errors: Mapping[str, TensorError]) -> str:
    """Return the plan, and the errors that were measured, as one JSON object."""
    data: dict[str, Any] = {
        "type": plan.mix.name,
        "source": str(plan.tensors[0].place.file.path) if plan.tensors else None,
        "target": str(target) if target is not None else None,
        "source_size": plan.source_size,
        "size": plan.size,
        "source_bits_per_weight": round(plan.source_bits_per_weight, 4),
        "bits_per_weight": round(plan.bits_per_weight, 4),
        "types": {name: {"tensors": count, "bytes": size} for name, (count, size) in plan.by_type.items()},
        "tensors": [_tensor(tensor, errors.get(tensor.tensor.name)) for tensor in plan.tensors],
    }
    return json.dumps(data, ensure_ascii=False)


def _tensor(tensor: TensorPlan, error: TensorError | None) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": tensor.tensor.name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
        "shape": list(tensor.tensor.dims),
        "from": tensor.source.type.name,
        "to": tensor.tensor.type.name,
        "bytes": tensor.tensor.nbytes,
        "fell_back": tensor.fell_back,
    }
    if error is not None:
        data |= {"rmse": error.rmse, "largest_error": error.largest, "relative_error": error.relative}
    return data


def _row(tensor: TensorPlan) -> tuple[str, ...]:
    change = f"{tensor.source.type.name} -> {tensor.tensor.type.name}" if tensor.changes else tensor.tensor.type.name
    shape = " x ".join(map(str, tensor.tensor.dims))
    return f"  {printable(tensor.tensor.name)}", shape, change, "its rows do not fit" if tensor.fell_back else ""


def _table(rows: Iterable[Sequence[str]]) -> None:
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
