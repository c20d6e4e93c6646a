"""``modelsmith gguf split``: cut a GGUF into shards."""

from __future__ import annotations

import json
from pathlib import Path

import click

from modelsmith.cli.gguf.source import found_sample
from modelsmith.cli.shared.options import json_option


@click.command("split")
@click.argument("source", metavar="IN", type=click.Path(path_type=Path), callback=found_sample)
@click.argument("prefix", metavar="OUTPREFIX", type=click.Path(path_type=Path))
@click.option("--max-size", metavar="SIZE", help="Bytes of tensors a shard, such as 4G or 500M (decimal).")
@click.option("--max-tensors", type=click.IntRange(1), metavar="N", help="Tensors a shard.")
@click.option("--no-tensor-first", is_flag=True, help="Only metadata in the first shard.")
@click.option("--dry-run", is_flag=True, help="Only show the shards. Writes nothing.")
@click.option("--force", is_flag=True, help="Replace shards that are there; they are kept as NAME.old.")
@json_option
def command(
    source: Path,
    prefix: Path,
    max_size: str | None,
    max_tensors: int | None,
    no_tensor_first: bool,
    dry_run: bool,
    force: bool,
    as_json: bool,
) -> int:
    r"""Cut IN into OUTPREFIX-00001-of-0000N.gguf and so on: byte for byte what llama-gguf-split makes.

    llama.cpp loads the first, and finds the others. The size is that of the tensors; a header comes on top.

    \b
    Examples:
      modelsmith gguf split model.gguf model --max-size 4G
      modelsmith gguf split model.gguf shards/model --max-tensors 128 --dry-run
    """
    from modelsmith.cli.shared.failure import printable
    from modelsmith.cli.shared.outputs import saying_what_is_kept
    from modelsmith.cli.shared.progress import progress_bars
    from modelsmith.cli.shared.sizes import size_text
    from modelsmith.weights.gguf.arrange.split import parse_size, plan_split, write_split
    from modelsmith.weights.gguf.file import GGUFFile

    gguf = GGUFFile.open(source)
    limit = parse_size(max_size) if max_size is not None else None
    shards = plan_split(gguf, prefix, max_size=limit, max_tensors=max_tensors, empty_first=no_tensor_first)
    digests: tuple[object, ...] = ("",) * len(shards)
    if not dry_run:
        with saying_what_is_kept(*(shard.path for shard in shards)), progress_bars(enabled=not as_json) as progress:
            digests = write_split(gguf, shards, overwrite=force, progress=progress)
    if as_json:
        rows = [
            {"path": str(shard.path), "tensors": len(shard.tensors), "size": shard.size, "digest": str(digest) or None}
            for shard, digest in zip(shards, digests, strict=True)
        ]
        click.echo(json.dumps({"source": str(source), "written": not dry_run, "shards": rows}, ensure_ascii=False))
        return 0
    for shard in shards:
        over = limit is not None and shard.size > limit
        note = click.style(f"  larger than {max_size}: {_why(len(shard.tensors))}", fg="yellow") if over else ""
        click.echo(f"{printable(str(shard.path))}  {size_text(shard.size)}  {len(shard.tensors)} tensors{note}")
    if dry_run:
        click.echo("nothing was written (--dry-run)")
    return 0


def _why(tensors: int) -> str:
    return "one tensor is" if tensors == 1 else "the header is on top"
