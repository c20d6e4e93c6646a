"""What was moved, or would be, as text and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.shared.sizes import size_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelsmith.manifest import Layer
    from modelsmith.registry.moving import Pending
    from modelsmith.registry.transfer import Moved


def show_moved(verb: str, source: str, target: str, moved: Moved, *, as_json: bool) -> int:
    """Print what a transfer did."""
    if as_json:
        body = {
            "source": source,
            "target": target,
            "manifest": str(moved.manifest.digest),
            "moved": _rows(moved.moved),
            "mounted": _rows(moved.mounted),
            "there": _rows(moved.there),
            "bytes": moved.bytes_moved,
            "received": moved.received,
            "sent": moved.sent,
            "seconds": round(moved.seconds, 3),
        }
        click.echo(json.dumps(body))
        return 0
    parts = []
    if moved.moved:
        rate = size_text(moved.bytes_moved / max(moved.seconds, 1e-3))
        parts.append(f"{_blobs(moved.moved)} moved ({size_text(moved.bytes_moved)} in {moved.seconds:.1f} s, {rate}/s)")
    if moved.mounted:
        parts.append(f"{_blobs(moved.mounted)} mounted")
    if moved.there:
        parts.append(f"{_blobs(moved.there)} already there")
    click.echo(f"{verb} {source} to {target}" if verb != "pulled" else f"pulled {source} as {target}")
    click.echo(f"  {', '.join(parts)}; manifest {moved.manifest.digest}")
    return 0


def show_pending(pending: Pending, *, as_json: bool, print_urls: bool) -> int:
    """Print what a transfer would do, or the URLs of what it would fetch."""
    if as_json:
        rows = [{**row, "url": pending.urls.get(row["digest"], "")} for row in _rows(pending.missing)]
        body = {"manifest": str(pending.manifest.digest), "missing": rows, "there": _rows(pending.there)}
        click.echo(json.dumps(body))
        return 0
    if print_urls:
        for layer in pending.missing:
            click.echo(pending.urls[str(layer.digest)])
        return 0
    for layer in pending.missing:
        click.echo(f"would move {layer.digest}  {size_text(layer.size)}  {layer.media_type}")
    total = sum(layer.size for layer in pending.missing)
    click.echo(
        f"{_blobs(pending.missing)} to move ({size_text(total)}), {_blobs(pending.there)} already there; "
        f"manifest {pending.manifest.digest}"
    )
    return 0


def _rows(layers: Iterable[Layer]) -> list[dict[str, Any]]:
    return [{"digest": str(one.digest), "size": one.size, "media_type": one.media_type} for one in layers]


def _blobs(layers: tuple[Layer, ...]) -> str:
    return f"{len(layers)} blob{'' if len(layers) == 1 else 's'}"
