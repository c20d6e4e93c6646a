"""``modelsmith gguf canonicalize``: write a model in the order that Ollama stores."""

from __future__ import annotations

import json
from pathlib import Path

import click

from modelsmith.cli.gguf.source import found_sample, refuse_sample
from modelsmith.cli.shared.options import json_option


@click.command("canonicalize")
@click.argument("source", metavar="IN", type=click.Path(path_type=Path), callback=found_sample)
@click.argument("target", metavar="[OUT]", required=False, type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Only say whether IN is in this order already: exit code 0, else 1.")
@click.option("--force", is_flag=True, help="Replace OUT, or without OUT the file; it is kept as FILE.old.")
@json_option
def command(source: Path, target: Path | None, check: bool, force: bool, as_json: bool) -> int:
    r"""Write IN (the first shard stands for all) in canonical order: what `ollama create` makes of it, byte for byte.

    Such a file has in Ollama's store the digest that it has itself. Without OUT the file itself is replaced, with --force, and
    kept as IN.old; the tensors' bytes are the same. Room for edits is taken out.

    \b
    Examples:
      modelsmith gguf canonicalize model.gguf canonical.gguf
      modelsmith gguf canonicalize model.gguf --check
      modelsmith gguf canonicalize model.gguf --force
    """
    from modelsmith.cli.shared.failure import printable
    from modelsmith.cli.shared.outputs import saying_what_is_kept
    from modelsmith.cli.shared.progress import progress_bars
    from modelsmith.weights.gguf.arrange.canonicalize import canonicalize, is_canonical
    from modelsmith.weights.gguf.file import GGUFFile

    path = target or source
    if check:
        found = is_canonical(GGUFFile.open(source))
        words = "in canonical order" if found else "not in canonical order"
        data = {"path": str(source), "canonical": found}
        click.echo(json.dumps(data) if as_json else f"{printable(str(source))}: {words}")
        return 0 if found else 1
    if target is None:
        refuse_sample(source)
    with saying_what_is_kept(path), progress_bars(enabled=not as_json) as progress:
        digest = canonicalize(source, target, overwrite=force, progress=progress)
    if as_json:
        data = {
            "path": str(path),
            "canonical": True,
            "written": digest is not None,
            "digest": str(digest) if digest else None,
        }
        click.echo(json.dumps(data, ensure_ascii=False))
    elif digest is None:
        click.echo(f"{printable(str(path))}: in canonical order already")
    else:
        click.echo(f"{printable(str(path))}  {digest}")
    return 0
