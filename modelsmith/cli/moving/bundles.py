"""What export, load and materialize share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from modelsmith.cli.moving.report import show_moved
from modelsmith.cli.shared.progress import progress_bars
from modelsmith.errors import Unsupported, UsageError
from modelsmith.files.unfinished import scratch_folder
from modelsmith.registry.bundle.read import layers_of
from modelsmith.registry.moving import Mover
from modelsmith.registry.reference import parse_place
from modelsmith.store.local.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.cli.moving.options import MovingOptions
    from modelsmith.name import ModelName
    from modelsmith.registry.bundle.read import Bundle
    from modelsmith.store import Store


def files_behind(store: Store, names: Sequence[ModelName]) -> LocalStore:
    """Return the folder of a store, that of a server too where it can be read here; raises Unsupported where it cannot."""
    if isinstance(store, LocalStore):
        return store
    from modelsmith.registry.through_server import files_of

    files = files_of(store, names[0])
    if files is None:
        raise Unsupported(
            f"the files of {store.location} cannot be read here",
            hint="run modelsmith where the server runs, or name its folder with --store DIR",
        )
    return files


def into_store(bundle: Bundle, names: Sequence[tuple[ModelName, ModelName]], options: MovingOptions) -> int:
    """Bring models of a bundle into the store, or through this machine into a server; tells what it did."""
    from modelsmith.cli.moving.registries import chosen_store

    store = chosen_store(options)
    wanted = layers_of(bundle.models[name] for name, _ in names)
    if options.dry_run:
        return _would(bundle, names, store, as_json=options.as_json)
    bundle.want(wanted)
    with progress_bars(enabled=not options.as_json) as bars, Mover(options.access(), bars) as mover:
        for name, target in names:
            if isinstance(store, LocalStore):
                moved = mover.load(bundle.source(name), store, target)
                show_moved("loaded", name.short, f"{target.short} in {store.location}", moved, as_json=options.as_json)
                continue
            from modelsmith.registry.through_server import offer_to_server

            with scratch_folder() as folder:
                ours = LocalStore(folder)
                mover.load(bundle.source(name), ours, target)
                offer_to_server(ours, target, store, target, bars)
            text = f"loaded {name.short} as {target.short} into {store.location}"
            click.echo(json.dumps({"target": target.short}) if options.as_json else text)
    return 0


def into_registry(bundle: Bundle, names: Sequence[ModelName], target: str, options: MovingOptions) -> int:
    """Send models of a bundle to a registry, each as ``target/model:tag``."""
    from modelsmith.registry.reference import Reference

    if not target.startswith("oci://"):
        raise UsageError(f"{target} is no registry", hint="write it like oci://registry.example.com/team")
    places = [(name, parse_place(f"{target.rstrip('/')}/{name.model}:{name.tag}")) for name in names]
    bundle.want(layers_of(bundle.models[name] for name in names))
    with progress_bars(enabled=not options.as_json) as bars, Mover(options.access(), bars) as mover:
        for name, place in places:
            assert isinstance(place, Reference)  # noqa: S101 -- it begins with oci://
            if options.dry_run:
                click.echo(f"would send {name.short} to {place}")
                continue
            moved = mover.send(bundle.source(name), place)
            show_moved("sent", name.short, str(place), moved, as_json=options.as_json)
    return 0


def _would(bundle: Bundle, names: Sequence[tuple[ModelName, ModelName]], store: Store, *, as_json: bool) -> int:
    from modelsmith.cli.shared.sizes import size_text

    for name, target in names:
        manifest = bundle.models[name]
        missing = [
            layer
            for layer in manifest.blobs
            if not (isinstance(store, LocalStore) and store.layout.blob_path(layer.digest).exists())
        ]
        size = sum(layer.size for layer in missing)
        if as_json:
            body = {"name": target.short, "manifest": str(manifest.digest), "missing": len(missing), "bytes": size}
            click.echo(json.dumps(body))
        else:
            click.echo(
                f"would load {name.short} as {target.short} into {store.location}: {len(missing)} blobs, {size_text(size)}"
            )
    return 0
