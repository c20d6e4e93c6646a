"""``modelsmith gguf verify``: whether files are intact."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.options import json_option, store_for, store_option
from modelsmith.errors import ModelsmithError, UsageError
from modelsmith.hub.reference import is_hub

if TYPE_CHECKING:
    from modelsmith.progress import ProgressSink
    from modelsmith.weights.gguf.verify.verify import Verification


@click.command("verify")
@click.argument("specs", metavar="FILE|URL|MODEL...", nargs=-1, required=True)
@click.option("--deep", is_flag=True, help="Read every number: NaN, infinity, tensors full of zeros.")
@store_option
@json_option
def command(specs: tuple[str, ...], deep: bool, where: str | None, as_json: bool) -> int:
    r"""Find everything that is wrong with GGUF files, each finding with its byte, what was expected, and the way out.

    Tells a web page, a git-lfs pointer, an archive, Safetensors, an unfinished download, a part cut by bytes and shards
    joined with cat from a damaged GGUF. Any shard stands for its whole set, which is judged as one model. Exit code 1 where
    anything was found.

    \b
    Examples:
      modelsmith gguf verify model.gguf
      modelsmith gguf verify *.gguf --deep
      modelsmith gguf verify llama3.2:3b
      modelsmith gguf verify https://huggingface.co/ORG/REPO/resolve/main/m.gguf
    """
    from modelsmith.cli.shared.progress import progress_bars

    failed = worst = 0
    judged: set[Path] = set()
    for spec in specs:
        if Path(spec).absolute() in judged:  # `*.gguf` names all shards of a set, which is judged as one
            continue
        try:
            with progress_bars(enabled=not as_json) as progress:
                found = _verified(spec, where, progress, deep=deep)
        except ModelsmithError as error:
            if len(specs) == 1 and not as_json:
                raise
            failed = 3
            _tell_failure(spec, error, as_json=as_json)
            continue
        worst = worst if found.ok else 1
        judged.update(shard.path.absolute() for shard in found.shards)
        if as_json:
            click.echo(json.dumps({**found.to_dict(), "path": spec}, ensure_ascii=False))
        else:
            _show(spec, found)
    return failed or worst


def _verified(spec: str, where: str | None, progress: ProgressSink, *, deep: bool) -> Verification:
    from modelsmith.models.locate import locate_gguf
    from modelsmith.models.parts import find_shards
    from modelsmith.weights.gguf.verify.verify import verify, verify_scans

    if spec.startswith(("http://", "https://")) or is_hub(spec):
        if deep:
            raise UsageError(
                "--deep reads every byte, and a URL is read no further than its header",
                hint=f"download it: modelsmith pull {spec} -o ." if is_hub(spec) else "download it",
            )
        shards = find_shards(spec, store_for(where, spec), progress)
        return verify_scans({shard.spec.rpartition("/")[2]: shard.scan for shard in shards}, shards[0].spec)
    return verify(locate_gguf(spec, store_for(where, spec)), deep=deep, progress=progress)


def _tell_failure(spec: str, error: ModelsmithError, *, as_json: bool) -> None:
    from modelsmith.cli.shared.failure import show_error

    if as_json:
        click.echo(json.dumps({"path": spec, "error": error.message, "hint": error.hint}, ensure_ascii=False))
    else:
        show_error(error)


def _show(spec: str, found: Verification) -> None:
    from modelsmith.cli.gguf.faults import show_faults
    from modelsmith.cli.shared.failure import printable

    gguf = found.gguf
    if found.ok and gguf is not None:
        read = (
            "header, layout, tokenizer, template and every number"
            if found.deep
            else "header, layout, tokenizer, template"
        )
        several = f"{len(found.shards)} shards, " if found.shards else ""
        about = f"{several}{len(gguf.tensors)} tensors, {len(gguf.metadata)} keys, {found.size:,} bytes; {read}"
        click.echo(f"{click.style('sound', fg='green', bold=True)} {printable(spec)}  {about}")
    else:
        counts = Counter(str(fault.severity) for fault in found.faults)
        about = ", ".join(f"{count} {word}{'s' if count > 1 else ''}" for word, count in counts.items())
        click.echo(f"{click.style(printable(spec), bold=True)}  {about}")
    show_faults(found.faults)
