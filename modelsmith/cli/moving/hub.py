"""Moving models from and to the Hugging Face Hub."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelsmith.cli.moving.publish import prepared
from modelsmith.cli.shared.failure import printable
from modelsmith.cli.shared.progress import progress_bars
from modelsmith.cli.shared.sizes import size_text
from modelsmith.errors import UsageError
from modelsmith.hub.download import download, holds
from modelsmith.models.sources.hub import HubModel, find_on_hub

if TYPE_CHECKING:
    from modelsmith.cli.moving.options import MovingOptions
    from modelsmith.cli.moving.publishing import PublishOptions


def pull(source: str, name: str | None, options: MovingOptions, *, print_urls: bool) -> int:
    """Bring a model of the Hub into the store, under the name that Ollama would give it unless another one is named."""
    found = find_on_hub(source)
    if print_urls:
        for file in found.choice.everything:
            if found.hub.cached(found.snapshot, file) is None:
                click.echo(found.hub.url(found.snapshot, file))
        return 0
    if found.choice.kind not in {"gguf", "checkpoint"}:
        raise UsageError(f"{found.reference} is no model", hint=f"get its files: modelsmith pull {source} -o FOLDER")
    target = name or found.name
    if options.dry_run:
        return _say(found, f"would be {target}", options)
    from modelsmith.recipe.plan.apply import apply
    from modelsmith.recipe.plan.plan import plan
    from modelsmith.recipe.read.load import parse_recipe
    from modelsmith.store.local.local import LocalStore
    from modelsmith.store.open import choose_store

    choice = choose_store(options.where)
    if options.where is None:
        click.echo(click.style(f"using {choice.store.location}: {choice.reason}", dim=True), err=True)
    recipe = f"name: pull\nfrom: {json.dumps(str(found.reference))}\ncreate: {json.dumps(target)}\n"
    _tell(found)
    with progress_bars(enabled=not options.as_json) as progress:
        planned = plan(
            parse_recipe(recipe).resolve({}),
            choice.store,
            as_is=found.choice.kind == "gguf" and isinstance(choice.store, LocalStore),
        )
        done = apply(planned, progress=progress)
    if options.as_json:
        facts = {
            "name": planned.name.short,
            "pinned": found.pinned,
            "changed": done.changed,
            "digest": done.model.digest if done.model else None,
        }
        click.echo(json.dumps(facts, ensure_ascii=False))
    else:
        how = "pulled" if done.changed else "is there already:"
        click.echo(printable(f"{how} {found.pinned} as {planned.name.short} in {choice.store.location}"))
    return 0


def fetch(source: str, output: Path, options: MovingOptions) -> int:
    """Put the files of the Hub into a folder; one that ends in the ending of the only file is that file."""
    found = find_on_hub(source)
    files = found.choice.everything
    single = len(files) == 1 and output.suffix.lower() == Path(files[0].path).suffix.lower() and not output.is_dir()
    if options.dry_run:
        return _say(found, f"would go to {output}", options)
    _tell(found)
    places = [output if single else output / file.path for file in files]
    with progress_bars(enabled=not options.as_json) as progress:
        for file, place in zip(files, places, strict=True):
            if place.exists() and not holds(place, file):
                raise UsageError(
                    f"{place} exists already, and is not {file.path} of {found.snapshot.repo}",
                    hint="name another folder",
                )
            cached = download(found.hub, found.snapshot, file, progress, _note)
            if not place.exists():
                _put(cached.resolve(), place)
    if options.as_json:
        facts = {"pinned": found.pinned, "files": [str(place) for place in places]}
        click.echo(json.dumps(facts, ensure_ascii=False))
    else:
        for file, place in zip(files, places, strict=True):
            click.echo(printable(f"{place}  {size_text(file.size)}"))
        click.echo(printable(f"pinned: {found.pinned}"))
    return 0


def push(name: str, target: str | None, options: MovingOptions, *, oci: bool) -> int:
    """Refuse: a name that begins with hf.co says where a model came from, not where it should go."""
    del options, oci
    raise UsageError(
        f"say where {name} should go",
        hint=f"modelsmith push {name} hf://ORG/REPO" if target is None else "hf://ORG/REPO",
    )


def send(name: str, destination: str, options: MovingOptions, publishing: PublishOptions) -> int:
    """Publish a GGUF, or a model of the store, with its card."""
    from modelsmith.hub.client import Hub
    from modelsmith.hub.upload import publish

    ready = prepared(name, destination, options.where, publishing)
    if options.dry_run:
        for upload in ready.uploads:
            click.echo(printable(f"  {size_text(upload.size):>9}  {upload.path}"))
        click.echo(printable(f"would be published to {ready.page}"))
        if ready.card:
            click.echo(f"\n{printable(ready.card)}")
        return 0
    url = publish(
        Hub(),
        ready.reference.repo,
        ready.uploads,
        publishing.message or f"Add {ready.uploads[0].path}",
        revision=ready.reference.revision,
        private=publishing.private,
        pull_request=publishing.pull_request,
        show_bars=not options.as_json and sys.stderr.isatty(),
        note=_note,
    )
    if options.as_json:
        click.echo(json.dumps({"url": url, "files": [upload.path for upload in ready.uploads]}, ensure_ascii=False))
    else:
        click.echo(printable(f"published {len(ready.uploads)} files: {url}"))
    return 0


def _say(found: HubModel, what: str, options: MovingOptions) -> int:
    rows = [(file, found.hub.cached(found.snapshot, file) is not None) for file in found.choice.everything]
    if options.as_json:
        facts = {
            "pinned": found.pinned,
            "kind": found.choice.kind,
            "files": [{"path": file.path, "size": file.size, "here": here} for file, here in rows],
        }
        click.echo(json.dumps(facts, ensure_ascii=False))
        return 0
    for file, here in rows:
        click.echo(printable(f"  {size_text(file.size):>9}  {file.path}{'  (is here already)' if here else ''}"))
    _tell(found)
    click.echo(printable(f"{found.pinned}: {size_text(found.choice.size)}, {what}"))
    return 0


def _tell(found: HubModel) -> None:
    if found.choice.note:
        _note(found.choice.note)


def _note(text: str) -> None:
    click.echo(printable(f"note: {text}"), err=True)


def _put(source: Path, place: Path) -> None:
    """Let a place hold the bytes of a file in the cache, shared until one of them changes where the file system can do that."""
    from modelsmith.files.replacing import replacing
    from modelsmith.weights.blobs.blob import FileBlob

    place.parent.mkdir(parents=True, exist_ok=True)
    with replacing(place, keeps=False) as (descriptor, _):
        FileBlob(source).write_to(descriptor)
