"""``modelsmith import``: from Safetensors to a GGUF."""

from __future__ import annotations

from pathlib import Path

import click

from modelsmith.cli.shared.complete import complete_types
from modelsmith.cli.shared.input_file import InputFile
from modelsmith.cli.shared.options import checkpoint_at, json_option
from modelsmith.errors import UsageError


@click.command("import")
@click.argument("source", metavar="FOLDER")
@click.option("--output", "-o", "target", type=click.Path(path_type=Path), metavar="OUT", help="The GGUF to write.")
@click.option(
    "--type",
    "-t",
    "mix",
    metavar="TYPE",
    shell_complete=complete_types,
    help="F16, BF16, F32, Q8_0, Q4_K_M …  [default: as it is]",
)
@click.option(
    "--tensor", "rules", multiple=True, metavar="REGEX=TYPE", help="Another type for some tensors; repeatable."
)
@click.option(
    "--imatrix",
    type=InputFile(),
    metavar="FILE",
    help="An importance matrix (GGUF or .dat) from llama-imatrix.",
)
@click.option("--name", metavar="NAME", help="The model's name in the file.  [default: what the folder says]")
@click.option(
    "--pretokenizer", metavar="NAME", help="llama.cpp's name for how words are cut, where it is not recognized."
)
@click.option("--dry-run", is_flag=True, help="Only show the plan: types, bits, size. Writes nothing.")
@click.option("--threads", type=click.IntRange(1, 1024), metavar="N", help="Default: all processors.")
@click.option("--force", is_flag=True, help="Replace OUT.")
@json_option
def command(
    source: str,
    target: Path | None,
    mix: str | None,
    rules: tuple[str, ...],
    imatrix: Path | None,
    name: str | None,
    pretokenizer: str | None,
    dry_run: bool,
    threads: int | None,
    force: bool,
    as_json: bool,
) -> int:
    r"""Turn FOLDER, a model for Transformers (config.json, tokenizer, .safetensors), or hf://ORG/REPO into one GGUF.

    Quantized types are made in the same pass, with no file in between. Nothing in the folder is run, and nothing is written
    unless all of it can be.

    \b
    Examples:
      modelsmith import ./my-finetune -o model.gguf
      modelsmith import ./my-finetune -o model.gguf --type q4_k_m
      modelsmith import ./my-finetune --type q4_k_m --dry-run
      modelsmith import hf://Qwen/Qwen3-0.6B@main -o model.gguf --type q4_k_m
    """
    from modelsmith.cli.gguf.quantize_view import quantized_json, show_quantize_plan, show_quantized
    from modelsmith.cli.shared.progress import progress_bars
    from modelsmith.weights.convert.convert import plan_import
    from modelsmith.weights.quantize.quantize import check_target, write_quantized

    if rules and mix is None:
        raise UsageError("--tensor makes exceptions from a quantization, and --type names none", hint="--type q4_k_m")
    if target is None and not dry_run:
        raise UsageError(
            "say where to write the result", hint=f"modelsmith import {source} -o model.gguf, or --dry-run"
        )
    with progress_bars(enabled=not as_json) as progress:
        folder = checkpoint_at(source, progress, whole=not dry_run)
    plan = plan_import(folder, mix, rules=rules, imatrix=imatrix, name=name, pretokenizer=pretokenizer)
    if target is not None:
        check_target(plan, target, overwrite=force)
    if dry_run or target is None:
        if as_json:
            click.echo(quantized_json(plan, target, {}))
        else:
            show_quantize_plan(plan, everything=False)
        return 0
    if not as_json:
        show_quantize_plan(plan, everything=False)
    with progress_bars(enabled=not as_json) as progress:
        done = write_quantized(plan, target, threads=threads, overwrite=force, progress=progress)
    if as_json:
        click.echo(quantized_json(plan, target, {}))
    else:
        show_quantized(done)
    return 0
