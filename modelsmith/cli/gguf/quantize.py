"""``modelsmith gguf quantize``: make a model smaller."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.complete import complete_types
from modelsmith.cli.shared.input_file import InputFile
from modelsmith.cli.shared.options import json_option
from modelsmith.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.weights.quantize.plan import QuantizePlan


def _list(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from modelsmith.weights.quantize.mixes import MIXES

    for mix in MIXES.values():
        click.echo(f"{mix.name:<10} {mix.about}")
    context.exit()


@click.command("quantize")
@click.argument("source", metavar="IN")
@click.argument("target", metavar="[OUT]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--type", "-t", "mix", metavar="TYPE", shell_complete=complete_types, help="Q4_K_M, Q8_0, F16 …; --list names all."
)
@click.option("--target-size", metavar="SIZE", help="Instead of --type: the best that fits, such as 12G or 900M.")
@click.option(
    "--fits-vram", metavar="SIZE,…", help="Instead of --type: the best that runs on such cards: 12G, or 24G,24G."
)
@click.option(
    "--ctx", "context", metavar="TOKENS", help="With --fits-vram: for this context, 4096 or 32k.  [default: 4096]"
)
@click.option(
    "--tensor", "rules", multiple=True, metavar="REGEX=TYPE", help="Another type for some tensors; repeatable."
)
@click.option("--output-type", metavar="TYPE", help="Type of output.weight.")
@click.option("--embedding-type", metavar="TYPE", help="Type of the token embeddings.")
@click.option("--keep-output", is_flag=True, help="Leave output.weight as it is.")
@click.option("--pure", is_flag=True, help="No mix: the same type for every tensor.")
@click.option(
    "--imatrix",
    type=InputFile(),
    metavar="FILE",
    help="An importance matrix (GGUF or .dat) from llama-imatrix.",
)
@click.option(
    "--allow-requantize", is_flag=True, help="Take what is quantized already: it loses more, and nothing comes back."
)
@click.option("--dry-run", is_flag=True, help="Only show the plan: types, bits, size. Writes nothing.")
@click.option("--report", is_flag=True, help="Measure each tensor's error.")
@click.option("--threads", type=click.IntRange(1, 1024), metavar="N", help="Default: all processors.")
@click.option("--force", is_flag=True, help="Replace OUT; what stood there is kept as OUT.old.")
@click.option(
    "--list", "list_types", is_flag=True, is_eager=True, expose_value=False, callback=_list, help="Name all types."
)
@json_option
def command(
    source: str,
    target: Path | None,
    mix: str | None,
    target_size: str | None,
    fits_vram: str | None,
    context: str | None,
    rules: tuple[str, ...],
    output_type: str | None,
    embedding_type: str | None,
    keep_output: bool,
    pure: bool,
    imatrix: Path | None,
    allow_requantize: bool,
    dry_run: bool,
    report: bool,
    threads: int | None,
    force: bool,
    as_json: bool,
) -> int:
    r"""Quantize IN, a .gguf (or the first shard of a split one), to OUT: tensors byte for byte as llama-quantize makes them.

    Nothing is written unless all of it can be; memory stays small whatever the model's size.

    \b
    Examples:
      modelsmith gguf quantize model-f16.gguf model.gguf --type Q4_K_M
      modelsmith gguf quantize model-f16.gguf --type Q5_K_M --dry-run
      modelsmith gguf quantize model-f16.gguf model.gguf --target-size 12G
      modelsmith gguf quantize model-f16.gguf model.gguf --fits-vram 12G --ctx 32k
      modelsmith gguf quantize f16.gguf m.gguf -t IQ4_XS --imatrix imatrix.gguf
      modelsmith gguf quantize model-f16.gguf model.gguf -t Q4_K_M --report \
        --tensor 'blk\.0\..*=Q8_0'
    """
    from modelsmith.weights.quantize.choose import choose
    from modelsmith.weights.quantize.imatrix import ImportanceMatrix
    from modelsmith.weights.quantize.mixes import find_mix, find_type
    from modelsmith.weights.quantize.plan import plan_quantize
    from modelsmith.weights.quantize.quantize import check_target, open_parts, write_quantized
    from modelsmith.weights.quantize.wishes import TensorRule, Wishes

    if (mix, target_size, fits_vram).count(None) != 2:
        raise UsageError("say what to quantize to", hint="either --type Q4_K_M, --target-size 12G or --fits-vram 12G")
    if context is not None and fits_vram is None:
        raise UsageError("--ctx says nothing without --fits-vram", hint="--fits-vram 12G --ctx 32k")
    if target is None and not dry_run:
        raise UsageError("say where to write the result", hint="modelsmith gguf quantize IN OUT …, or --dry-run")
    wishes = Wishes(
        find_mix(mix or "Q4_K_M"),
        tuple(map(TensorRule.parse, rules)),
        output=find_type(output_type) if output_type else None,
        embedding=find_type(embedding_type) if embedding_type else None,
        pure=pure,
        keep_output=keep_output,
        allow_requantize=allow_requantize,
    )
    matrix = ImportanceMatrix.open(imatrix) if imatrix is not None else None
    parts = open_parts(_path_of(source))
    fits = _limit(target_size, fits_vram, context)
    plan = plan_quantize(parts, wishes, matrix) if fits is None else choose(parts, wishes, fits, matrix)
    if target is not None:
        check_target(plan, target, overwrite=force)
    if dry_run or target is None:
        _show(plan, target, as_json=as_json, everything=report)
        return 0
    from modelsmith.cli.gguf.quantize_view import quantized_json, show_quantized
    from modelsmith.cli.shared.outputs import saying_what_is_kept
    from modelsmith.cli.shared.progress import progress_bars

    if not as_json:
        _show(plan, target, as_json=False, everything=False)
    with saying_what_is_kept(target), progress_bars(enabled=not as_json) as progress:
        done = write_quantized(plan, target, threads=threads, measure=report, overwrite=force, progress=progress)
    if as_json:
        click.echo(quantized_json(plan, target, done.errors))
    else:
        show_quantized(done)
    return 0


def _show(plan: QuantizePlan, target: Path | None, *, as_json: bool, everything: bool) -> None:
    from modelsmith.cli.gguf.quantize_view import quantized_json, show_quantize_plan

    if as_json:
        click.echo(quantized_json(plan, target, {}))
    else:
        show_quantize_plan(plan, everything=everything)


def _limit(
    target_size: str | None, fits_vram: str | None, context: str | None
) -> Callable[[QuantizePlan], bool] | None:
    """Return what tells whether a plan is small enough; None where the mix is given."""
    if target_size is not None:
        from modelsmith.weights.quantize.choose import parse_size

        limit = parse_size(target_size)
        return lambda plan: plan.size <= limit
    if fits_vram is None:
        return None
    from modelsmith.weights.fit.fit import fits_in
    from modelsmith.weights.fit.settings import parse_context, parse_memory

    return fits_in([parse_memory(size) for size in fits_vram.split(",")], parse_context(context or "4096"))


def _path_of(source: str) -> Path:
    """Return the file that IN names; ``sample:NAME`` is a built-in one."""
    if not source.startswith("sample:"):
        return Path(source)
    from modelsmith.models.sources.sample import sample_modelfile

    return Path(sample_modelfile(source.removeprefix("sample:")).find("FROM")[0].value)
