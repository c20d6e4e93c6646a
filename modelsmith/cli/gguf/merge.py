"""``modelsmith gguf merge``: make one GGUF of its shards, or of raw pieces."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.options import json_option

if TYPE_CHECKING:
    from modelsmith.errors import ModelsmithError


@click.command("merge")
@click.argument("shards", metavar="SHARD1 [SHARD…]", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", "target", metavar="OUT", required=True, type=click.Path(path_type=Path), help="The file."
)
@click.option(
    "--raw", is_flag=True, help="Join the pieces of a file that was cut anywhere, as `cat` does, and check it."
)
@click.option("--force", is_flag=True, help="Replace OUT; what stood there is kept as OUT.old.")
@json_option
def command(shards: tuple[Path, ...], target: Path, raw: bool, force: bool, as_json: bool) -> int:
    r"""Make one GGUF of all shards of a model: the tensors byte for byte, the metadata without the keys of the split.

    SHARD1 stands for its whole set, which is found by its name. Shards that are missing, twice there or of another model are
    refused by name.

    \b
    Examples:
      modelsmith gguf merge model-00001-of-00003.gguf -o model.gguf
      modelsmith gguf merge --raw model.gguf.part1of3 -o model.gguf
    """
    from modelsmith.cli.shared.failure import printable
    from modelsmith.cli.shared.outputs import saying_what_is_kept
    from modelsmith.cli.shared.progress import progress_bars
    from modelsmith.cli.shared.sizes import size_text
    from modelsmith.errors import InvalidGGUF, UsageError
    from modelsmith.weights.gguf.arrange.merge import join_raw, merge

    try:
        with saying_what_is_kept(target), progress_bars(enabled=not as_json) as progress:
            digest = (join_raw if raw else merge)(shards, target, overwrite=force, progress=progress)
    except (InvalidGGUF, UsageError) as error:
        if raw:
            raise
        raise _with_way_out(error, shards[0], target) from error
    size = target.stat().st_size
    if as_json:
        click.echo(json.dumps({"path": str(target), "size": size, "digest": str(digest)}, ensure_ascii=False))
    else:
        click.echo(f"{printable(str(target))}  {size_text(size)}  {digest}")
    return 0


def _with_way_out(error: ModelsmithError, shard: Path, target: Path) -> ModelsmithError:
    """Tell a file that was cut anywhere from a damaged shard."""
    from modelsmith.weights.gguf.arrange.merge import raw_pieces

    pieces = raw_pieces(shard)
    if len(pieces) < 2:
        return error
    return type(error)(
        f"{shard} is no shard, but one of {len(pieces)} pieces of a file that was cut anywhere",
        hint=f"join them: modelsmith gguf merge --raw {pieces[0]} -o {target}",
    )
