"""``modelsmith gguf diff``: compare two GGUFs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelsmith.cli.gguf.source import found_sample
from modelsmith.cli.shared.options import json_option

if TYPE_CHECKING:
    from modelsmith.cli.gguf.diff_prompts import Prompts
    from modelsmith.weights.gguf.inspect.compare import GGUFDifference, TensorDifference

_SHOWN = 20


@click.command("diff")
@click.argument("a", type=click.Path(path_type=Path), callback=found_sample)
@click.argument("b", type=click.Path(path_type=Path), callback=found_sample)
@click.option("--quick", is_flag=True, help="Do not read the tensors' data.")
@json_option
def command(a: Path, b: Path, quick: bool, as_json: bool) -> int:
    r"""Compare the GGUFs A and B (the first shard stands for all): metadata, tensors, and what their templates print.

    Exit code 1 where they differ. What no model notices (order, alignment, shards) is told, and is no difference.

    \b
    Examples:
      modelsmith gguf diff before.gguf after.gguf
      modelsmith gguf diff a.gguf b-00001-of-00003.gguf --quick --json
    """
    from modelsmith.cli.gguf.diff_prompts import compare_prompts
    from modelsmith.cli.shared.progress import progress_bars
    from modelsmith.weights.gguf.arrange.shards import open_shards
    from modelsmith.weights.gguf.inspect.compare import compare_models

    sides = open_shards([a], any_order=True), open_shards([b], any_order=True)
    with progress_bars(enabled=not as_json) as progress:
        found = compare_models(*sides, quick=quick, progress=progress)
    prompts = compare_prompts(sides[0][0], sides[1][0])
    if as_json:
        click.echo(_json(a, b, found, prompts))
    else:
        _show(found, prompts)
    return 0 if found.equal and (prompts is None or not prompts.different) else 1


def _json(a: Path, b: Path, found: GGUFDifference, prompts: Prompts | None) -> str:
    from modelsmith.cli.gguf.edit_view import value_json

    data = {
        "a": str(a),
        "b": str(b),
        "equal": found.equal and (prompts is None or not prompts.different),
        "metadata": {
            difference.key: {"a": value_json(difference.a), "b": value_json(difference.b)}
            for difference in found.metadata
        },
        "tensors": [_tensor(difference) for difference in found.tensors],
        "same_tensors": found.same_tensors,
        "data_compared": found.data_compared,
        "layout": list(found.layout),
        "prompts": prompts.data() if prompts else None,
    }
    return json.dumps(data, ensure_ascii=False)


def _tensor(difference: TensorDifference) -> dict[str, object]:
    sides = {
        side: {"shape": list(tensor.dims), "type": tensor.type.name, "bytes": tensor.nbytes} if tensor else None
        for side, tensor in (("a", difference.a), ("b", difference.b))
    }
    return {"name": difference.name, **sides, "data": difference.data or None}


def _show(found: GGUFDifference, prompts: Prompts | None) -> None:
    from modelsmith.cli.gguf.edit_view import first_item, value_text
    from modelsmith.cli.shared.failure import printable

    if found.metadata:
        click.secho("metadata", bold=True)
    for key in found.metadata:
        start = first_item(key.a, key.b)
        click.echo(f"  {printable(key.key)}")
        click.echo(click.style(f"    - {value_text(key.a, start)}", fg="red"))
        click.echo(click.style(f"    + {value_text(key.b, start)}", fg="green"))
    if prompts is not None:
        prompts.show()
    if found.tensors:
        click.secho("tensors", bold=True)
    for difference in found.tensors[:_SHOWN]:
        click.echo(f"  {printable(difference.name)}: {_what(difference)}")
    if len(found.tensors) > _SHOWN:
        click.echo(f"  … and {len(found.tensors) - _SHOWN} more; --json has all")
    how = "the same" if found.data_compared else "of the same shape and type (their data was not compared)"
    click.echo(f"{found.same_tensors} tensors are {how}")
    for note in found.layout:
        click.echo(click.style(f"only laid out differently: {note}", dim=True))
    if found.equal and (prompts is None or not prompts.different):
        click.echo("no difference")


def _what(difference: TensorDifference) -> str:
    def words(tensor: object) -> str:
        from modelsmith.weights.gguf.read.tensors import Tensor

        return f"{' x '.join(map(str, tensor.dims))} {tensor.type.name}" if isinstance(tensor, Tensor) else "not there"

    if difference.data == "different":
        return f"{words(difference.a)}, other data"
    return f"{words(difference.a)} -> {words(difference.b)}"
