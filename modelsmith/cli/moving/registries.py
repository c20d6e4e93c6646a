"""Moving models between stores, registries and folders."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from modelsmith.cli.moving.report import show_moved, show_pending
from modelsmith.cli.shared.progress import progress_bars
from modelsmith.errors import Unsupported, UsageError
from modelsmith.name import ModelName
from modelsmith.registry.moving import Mover, remote
from modelsmith.registry.reference import Folder, Reference, parse_place
from modelsmith.store.local.local import LocalStore
from modelsmith.store.open import choose_store

if TYPE_CHECKING:
    from modelsmith.cli.moving.options import MovingOptions
    from modelsmith.store import Store


def pull(source: str, name: str | None, options: MovingOptions, *, print_urls: bool) -> int:
    """Bring a model into the store; through the server's own pull where the store is a server."""
    parsed = parse_place(source)
    place = remote(parsed)
    target = ModelName.strict(name) if name else parsed if isinstance(parsed, ModelName) else _own_name(place)
    store = chosen_store(options)
    with progress_bars() as bars, Mover(options.access(), bars) as mover:
        if not isinstance(store, LocalStore):
            if print_urls or options.dry_run:
                raise Unsupported(
                    f"what {store.location} lacks cannot be known beforehand", hint="name a folder with --store DIR"
                )
            from modelsmith.registry.through_server import pull_into_server

            pull_into_server(mover, place, store, target, bars)
            return _done(f"pulled {place} as {target.short} into {store.location}", options, target.short)
        if print_urls or options.dry_run:
            pending = mover.pending(place, store, target, with_urls=print_urls)
            return show_pending(pending, as_json=options.as_json, print_urls=print_urls)
        moved = mover.pull(place, store, target)
    return show_moved("pulled", str(place), f"{target.short} in {store.location}", moved, as_json=options.as_json)


def push(name: str, target: str | None, options: MovingOptions, *, oci: bool) -> int:
    """Send a model of the store; the server's own push is used where its files cannot be read."""
    model = ModelName.strict(name)
    place = remote(parse_place(target) if target else model)
    store = chosen_store(options)
    with progress_bars() as bars, Mover(options.access(), bars) as mover:
        if not isinstance(store, LocalStore):
            from modelsmith.registry.through_server import files_of, push_from_server

            files = files_of(store, model)
            if files is None:
                if oci or options.dry_run or isinstance(place, Folder):
                    raise Unsupported(
                        f"the files of {store.location} cannot be read here; its own push knows registries only",
                        hint="run modelsmith where the server runs, or leave these options out",
                    )
                push_from_server(place, store, model, options.access(), bars)
                return _done(f"pushed {model.short} of {store.location} to {place}", options, str(place))
            store = files
        if options.dry_run:
            return show_pending(mover.pending_push(store, model, place), as_json=options.as_json, print_urls=False)
        moved = mover.push(store, model, place, oci=oci)
    return show_moved("pushed", f"{model.short} in {store.location}", str(place), moved, as_json=options.as_json)


def between(source: str, target: str, options: MovingOptions, *, oci: bool) -> int:
    """Copy from one registry or folder to another."""
    places = [parse_place(text) for text in (source, target)]
    here, there = (place for place in places if not isinstance(place, ModelName))
    with progress_bars() as bars, Mover(options.access(), bars) as mover:
        if options.dry_run:
            return show_pending(mover.pending_copy(here, there), as_json=options.as_json, print_urls=False)
        moved = mover.copy(here, there, oci=oci)
    return show_moved("copied", str(here), str(there), moved, as_json=options.as_json)


def rename(source: str, target: str, options: MovingOptions) -> int:
    """Give a model of the store a second name."""
    store, names = chosen_store(options), [ModelName.strict(text) for text in (source, target)]
    if options.dry_run:
        return _done(f"{names[0].short} would also be {names[1].short} in {store.location}", options, names[1].short)
    store.copy(*names)
    return _done(f"copied {names[0].short} to {names[1].short} in {store.location}", options, names[1].short)


def _own_name(place: Reference | Folder) -> ModelName:
    if isinstance(place, Folder):
        raise UsageError(f"{place} has no name", hint="say which one it gets here with --as NAME")
    return place.model_name()


def chosen_store(options: MovingOptions) -> Store:
    """Return the store that the options name, or the default one; says which that is."""
    choice = choose_store(options.where)
    if options.where is None:
        click.echo(click.style(f"using {choice.store.location}: {choice.reason}", dim=True), err=True)
    return choice.store


def _done(text: str, options: MovingOptions, target: str) -> int:
    click.echo(json.dumps({"target": target}) if options.as_json else text)
    return 0
