"""``modelsmith lora merge``: make one model of a base and its adapters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.complete import complete_types
from modelsmith.cli.shared.options import adapter_at, json_option, store_for, store_option
from modelsmith.errors import UsageError

if TYPE_CHECKING:
    from modelsmith.weights.adapters.lora import Lora


@click.command("merge")
@click.argument("base", metavar="BASE")
@click.argument("adapters", metavar="ADAPTER[=WEIGHT]…", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    "target",
    metavar="OUT",
    required=True,
    type=click.Path(path_type=Path),
    help="The file or folder.",
)
@click.option(
    "--type", "-t", "mix", metavar="TYPE", shell_complete=complete_types, help="Quantize on the way: Q4_K_M, Q8_0 …."
)
@click.option("--dry-run", is_flag=True, help="Only check that all fits. Writes nothing.")
@click.option("--threads", type=click.IntRange(1, 1024), metavar="N", help="Default: all processors.")
@click.option("--force", is_flag=True, help="Replace OUT; what stood there is kept as OUT.old.")
@store_option
@json_option
def command(
    base: str,
    adapters: tuple[str, ...],
    target: Path,
    mix: str | None,
    dry_run: bool,
    threads: int | None,
    force: bool,
    where: str | None,
    as_json: bool,
) -> int:
    r"""Add what adapters change to BASE, and write the result to OUT.

    BASE is a GGUF in F16, BF16 or F32 (a file, or a model's name), or a folder of Safetensors, which becomes another folder. Each
    ADAPTER is a folder as PEFT saves it, a GGUF, or one on the Hub (hf://); its weight is 1 unless =WEIGHT says otherwise.

    \b
    Examples:
      modelsmith lora merge base-f16.gguf ./my-adapter -o merged.gguf
      modelsmith lora merge base-f16.gguf ./a=0.7 ./b.gguf -o m.gguf -t Q4_K_M
      modelsmith lora merge ./base-checkpoint ./my-adapter -o ./merged-checkpoint
    """
    from modelsmith.cli.shared.progress import progress_bars
    from modelsmith.weights.adapters.spec import weighted

    with progress_bars(enabled=not as_json) as progress:
        wanted = [(adapter_at(place, progress, whole=not dry_run), weight) for place, weight in map(weighted, adapters)]
    folder = Path(base).expanduser()
    if folder.is_dir():
        return _into_folder(folder, wanted, target, mix, dry_run=dry_run, as_json=as_json)
    from modelsmith.cli.shared.outputs import saying_what_is_kept
    from modelsmith.models.locate import locate_gguf
    from modelsmith.weights.adapters.merge import merge_adapters, open_adapters, with_adapters
    from modelsmith.weights.quantize.plan import plan_quantize
    from modelsmith.weights.quantize.quantize import check_target, open_parts
    from modelsmith.weights.quantize.wishes import Wishes

    path = locate_gguf(base, store_for(where, base))
    if dry_run:
        parts = open_parts(path)
        opened = open_adapters(wanted, parts)
        plan = with_adapters(plan_quantize(parts, Wishes.of(mix or "COPY")), opened)
        check_target(plan, target, overwrite=force)
        changed = sum(tensor.delta is not None for tensor in plan.tensors)
        _say(target, plan.size, changed, opened, as_json=as_json, dry_run=True)
        return 0
    with saying_what_is_kept(target), progress_bars(enabled=not as_json) as progress:
        made = merge_adapters(path, wanted, target, mix=mix, threads=threads, overwrite=force, progress=progress)
    changed = sum(tensor.delta is not None for tensor in made.plan.tensors)
    _say(target, made.plan.size, changed, made.adapters, as_json=as_json, dry_run=False)
    return 0


def _into_folder(
    base: Path, adapters: list[tuple[Path, float]], target: Path, mix: str | None, *, dry_run: bool, as_json: bool
) -> int:
    if mix is not None or target.suffix.lower() == ".gguf":
        raise UsageError(
            f"{base} is a folder of Safetensors, and becomes another folder",
            hint="merge into a folder first, then import that; or import the base first and merge into the GGUF",
        )
    if dry_run:
        raise UsageError("--dry-run is for GGUFs", hint="merging into a folder writes nothing unless all of it fits")
    from modelsmith.cli.shared.progress import progress_bars
    from modelsmith.weights.adapters.merge_folder import merge_into_folder

    with progress_bars(enabled=not as_json) as progress:
        made = merge_into_folder(base, adapters, target, progress)
    size = sum(path.stat().st_size for path in target.iterdir())
    _say(target, size, made.changed, made.adapters, as_json=as_json, dry_run=False)
    return 0


def _say(
    target: Path,
    size: int,
    changed: int,
    adapters: tuple[tuple[Lora, float], ...],
    *,
    as_json: bool,
    dry_run: bool,
) -> None:
    from modelsmith.cli.shared.failure import printable
    from modelsmith.cli.shared.sizes import size_text

    if as_json:
        rows = [{"path": str(lora.path), "weight": weight, "notes": list(lora.notes)} for lora, weight in adapters]
        facts = {"path": str(target), "size": size, "changed": changed, "adapters": rows, "written": not dry_run}
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    for lora, _ in adapters:
        for note in lora.notes:
            click.echo(printable(f"note: {lora.path}: {note}"), err=True)
    would = "would be " if dry_run else ""
    click.echo(
        printable(f"{target}  {would}{size_text(size)}, {changed} tensors {'would be ' if dry_run else ''}changed")
    )
