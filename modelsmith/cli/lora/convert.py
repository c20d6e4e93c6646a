"""``modelsmith lora convert``: write an adapter of PEFT as a GGUF."""

from __future__ import annotations

import json
from pathlib import Path

import click

from modelsmith.cli.shared.options import json_option, store_for, store_option


@click.command("convert")
@click.argument("adapter", metavar="ADAPTER", type=click.Path(path_type=Path))
@click.option(
    "--base", metavar="MODEL", required=True, help="The model that it was made for: a .gguf or a model's name."
)
@click.option(
    "-o", "--output", "target", metavar="OUT", required=True, type=click.Path(path_type=Path), help="The file."
)
@click.option(
    "--type",
    "-t",
    "kind",
    type=click.Choice(["f32", "f16", "bf16"]),
    default="f32",
    show_default=True,
    help="Of its matrices.",
)
@click.option("--force", is_flag=True, help="Replace OUT; what stood there is kept as OUT.old.")
@store_option
@json_option
def command(adapter: Path, base: str, target: Path, kind: str, force: bool, where: str | None, as_json: bool) -> int:
    r"""Write ADAPTER, a folder as PEFT saves it, as a GGUF: for `llama-server --lora` and Ollamas before 0.34.1.

    Only the header of the base is needed, in any quantization; its fingerprint goes into the file.

    \b
    Example:
      modelsmith lora convert ./my-adapter --base base-Q4_K_M.gguf -o adapter.gguf
    """
    from modelsmith.cli.shared.failure import printable
    from modelsmith.cli.shared.outputs import saying_what_is_kept
    from modelsmith.cli.shared.sizes import size_text
    from modelsmith.models.locate import locate_gguf
    from modelsmith.weights.adapters.convert import convert_adapter

    path = locate_gguf(base, store_for(where, base))
    with saying_what_is_kept(target):
        lora = convert_adapter(adapter, path, target, kind=kind, overwrite=force)
    size = target.stat().st_size
    if as_json:
        facts = {"path": str(target), "size": size, "tensors": len(lora.pairs), "notes": list(lora.notes)}
        click.echo(json.dumps(facts, ensure_ascii=False))
        return 0
    for note in lora.notes:
        click.echo(printable(f"note: {note}"), err=True)
    click.echo(printable(f"{target}  {size_text(size)}  {len(lora.pairs)} tensors are changed by it"))
    return 0
