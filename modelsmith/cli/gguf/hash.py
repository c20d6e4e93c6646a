"""``modelsmith gguf hash``: digests of a GGUF."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from modelsmith.cli.gguf.source import found_sample
from modelsmith.cli.shared.options import json_option

if TYPE_CHECKING:
    from modelsmith.progress import ProgressSink
    from modelsmith.weights.gguf.inspect.hashes import Algorithm


@click.command("hash")
@click.argument("file", type=click.Path(path_type=Path), callback=found_sample)
@click.option("--tensors", is_flag=True, help="Also of each tensor.")
@click.option("--no-layer", is_flag=True, help="Not that of the layer in Ollama's store, which reads the file again.")
@click.option("--manifest", is_flag=True, help="Print what llama-gguf-hash prints, and checks with --check.")
@click.option(
    "--algorithm", type=click.Choice(["sha256", "sha1"]), default="sha256", show_default=True, help="Which digests."
)
@json_option
def command(file: Path, tensors: bool, no_layer: bool, manifest: bool, algorithm: str, as_json: bool) -> int:
    r"""Print digests of FILE: of the file, of the tensors' data (an edit of metadata leaves it), of the layer in Ollama.

    The layer is the file in canonical order, as `ollama create` stores it.

    \b
    Examples:
      modelsmith gguf hash model.gguf
      modelsmith gguf hash model.gguf --tensors --json
      modelsmith gguf hash model.gguf --manifest > model.gguf.manifest
    """
    from modelsmith.cli.shared.failure import printable
    from modelsmith.cli.shared.progress import progress_bars
    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.inspect.hashes import hash_gguf
    from modelsmith.weights.gguf.inspect.hashes import manifest as manifest_of

    gguf = GGUFFile.open(file)
    chosen = cast("Algorithm", algorithm)
    with progress_bars(enabled=not as_json) as progress:
        found = hash_gguf(gguf, algorithm=chosen, progress=progress)
        layer, reason = (
            ("", "") if no_layer or manifest else _layer(file, found.file if algorithm == "sha256" else "", progress)
        )
    if manifest:
        click.echo(printable(manifest_of(found, file, chosen)))
    elif as_json:
        data = {"path": str(file), "algorithm": algorithm, "file": found.file, "tensors_data": found.tensors}
        shown = {"layer": layer or None, "layer_reason": reason} if not no_layer else {}
        hashes_of_tensors = {"tensors": dict(found.by_tensor)} if tensors else {}
        click.echo(json.dumps({**data, **shown, **hashes_of_tensors}, ensure_ascii=False))
    else:
        click.echo(f"{algorithm}  {found.file}  file")
        click.echo(f"{algorithm}  {found.tensors}  tensors' data")
        if not no_layer:
            click.echo(f"sha256  {layer or '-' * 64}  layer in Ollama's store ({printable(reason)})")
        for name, digest in found.by_tensor.items() if tensors else ():
            click.echo(f"{algorithm}  {digest}  {printable(name)}")
    return 0


def _layer(file: Path, whole: str, progress: ProgressSink) -> tuple[str, str]:
    """Return the digest of the layer that Ollama makes of a file, and why it is this one."""
    from modelsmith.errors import ModelsmithError
    from modelsmith.manifest import Digest
    from modelsmith.store.create.weights import weights_from_files
    from modelsmith.weights.blobs.blob import FileBlob, SegmentBlob

    try:
        blob = FileBlob(file)
        (weights,) = weights_from_files({file.name: blob}, "model", as_is=False)
        if not isinstance(weights.content, SegmentBlob):
            return "", "stored already"
        if weights.content is blob and whole:
            blob.remember(Digest(whole))
        digest = weights.content.digest(progress).hex
    except ModelsmithError as error:
        return "", f"Ollama would refuse it: {error.message}"
    changes = {
        "": "the file as it is",
        "canonical": "in canonical order",
        "projector-type": "with a projector type added",
    }
    return digest, "the file as it is" if digest == whole else changes.get(weights.change, weights.change)
