"""``modelsmith store fsck``: find what is wrong with a store's folder, and mend it."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.moving.options import registry_options
from modelsmith.cli.shared.options import json_option
from modelsmith.cli.shared.sizes import size_text
from modelsmith.cli.store.folder import MOST_SHOWN, folder_option

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.manifest import Layer
    from modelsmith.name import ModelName
    from modelsmith.progress import ProgressSink
    from modelsmith.registry.moving import Mover
    from modelsmith.store.care.faults import Fault, Report
    from modelsmith.store.care.repair import Fetch, Repaired
    from modelsmith.store.folder import Folder
    from modelsmith.store.layout import Layout

_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}


@click.command("fsck")
@folder_option
@click.option("--deep", is_flag=True, help="Hash every byte of every blob, several at once.")
@click.option("--repair", "mends", is_flag=True, help="Mend what can be mended; missing and damaged blobs are fetched.")
@click.option("--offline", is_flag=True, help="With --repair: fetch nothing.")
@click.option(
    "-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Blobs hashed at once. Default: one a core."
)
@click.option(
    "--mirror", "mirrors", multiple=True, metavar="URL", help="Fetch from here first (https://HOST); repeatable."
)
@registry_options
@json_option
def command(
    where: str | None, deep: bool, mends: bool, offline: bool, jobs: int | None, as_json: bool, **reached: Any
) -> int:
    r"""Find everything that is wrong with a store's folder.

    Missing, cut, wrong and unreadable blobs and manifests are errors, files that not everybody may read are warnings. Blobs that no model
    needs, unfinished downloads and what a newer Ollama keeps are infos. Changes nothing without --repair, which fetches blobs from the
    registry that a model's name says, and removes no model.

    \b
    Exit codes: 0 nothing worse than an info, 1 something is wrong (with
    --repair: still), 3 the folder cannot be read.

    \b
    Examples:
      modelsmith store fsck
      modelsmith store fsck --store ./models --deep
      modelsmith store fsck --repair
    """
    from modelsmith.cli.shared.progress import progress_bars
    from modelsmith.store.care.fsck import fsck
    from modelsmith.store.open import open_folder

    layout = open_folder(where).layout
    with progress_bars(enabled=not as_json) as progress:
        report = fsck(layout, deep=deep, jobs=jobs, progress=progress)
        repaired: tuple[Repaired, ...] = ()
        if mends and not report.is_sound:
            repaired = _repaired(layout, report, progress, None if offline else reached)
            report = fsck(layout, deep=deep, jobs=jobs, progress=progress)
    if as_json:
        click.echo(json.dumps(_as_data(layout, report, repaired), ensure_ascii=False))
    else:
        _show(layout, report, repaired)
    return 0 if report.is_sound else 1


def _repaired(
    layout: Layout, report: Report, progress: ProgressSink, reached: dict[str, Any] | None
) -> tuple[Repaired, ...]:
    """Mend; ``reached`` says how registries are reached, None that none is."""
    from modelsmith.store.care.repair import repair

    if reached is None:
        return repair(layout, report.faults, None, progress)
    from modelsmith.registry.access import Access
    from modelsmith.registry.moving import Mover

    hosts = tuple(host.lower() for host in reached["token_hosts"])
    access = Access(
        insecure=reached["insecure"], ca_file=reached["ca_file"], mirrors=reached["mirrors"], token_hosts=hosts
    )
    with Mover(access, progress) as mover:
        return repair(layout, report.faults, _fetching(mover), progress)


def _fetching(mover: Mover) -> Fetch:
    """Return what fetches a blob of a model from the registry that its name says."""
    from modelsmith.registry.reference import Reference

    def fetch(name: ModelName, layer: Layer, folder: Folder, progress: ProgressSink) -> Path:
        return mover.source(Reference.of_name(name)).provide(layer, folder, progress)

    return fetch


def _show(layout: Layout, report: Report, repaired: tuple[Repaired, ...]) -> None:
    from modelsmith.cli.shared.failure import printable

    for repair in repaired:
        what = f"{repair.done}" if repair.done else f"not mended: {repair.problem}"
        click.echo(printable(f"{repair.fault.path}: {repair.fault.kind.word}: {what}"))
    faults = sorted(report.faults, key=lambda fault: (list(_COLOURS).index(fault.kind.severity), fault.kind.word))
    for _, group in groupby(faults, key=lambda fault: fault.kind):
        listed = list(group)
        for fault in listed[:MOST_SHOWN]:
            _show_fault(fault)
        if len(listed) > MOST_SHOWN:
            rest = sum(fault.size for fault in listed[MOST_SHOWN:])
            click.echo(
                f"… and {len(listed) - MOST_SHOWN} more of {listed[0].kind.word} ({size_text(rest)}); --json lists all"
            )
    hashed = f", {size_text(report.hashed)} hashed" if report.hashed else ""
    looked = f"{report.models} models, {report.blobs} blobs, {size_text(report.size)}{hashed}"
    state = click.style("sound", fg="green") if report.is_sound else click.style("not sound", fg="red")
    click.echo(f"{printable(str(layout.folder))}: {state} ({looked})")


def _show_fault(fault: Fault) -> None:
    from modelsmith.cli.shared.failure import printable

    severity = fault.kind.severity
    names = ", ".join(name.short for name in fault.models[:3])
    more = f" and {len(fault.models) - 3} more" if len(fault.models) > 3 else ""
    of = f" (of {names}{more})" if names else ""
    size = f", {size_text(fault.size)}" if fault.size else ""
    word = click.style(severity, fg=_COLOURS[severity], bold=True)
    click.echo(f"{word}: {fault.kind.word}: {printable(str(fault.path))}{of}: {printable(fault.message)}{size}")
    if fault.hint:
        click.echo(f"  {click.style('hint:', fg='green')} {printable(fault.hint)}")


def _as_data(layout: Layout, report: Report, repaired: tuple[Repaired, ...]) -> dict[str, Any]:
    return {
        "store": str(layout.folder),
        "sound": report.is_sound,
        "models": report.models,
        "blobs": report.blobs,
        "bytes": report.size,
        "hashed": report.hashed,
        "faults": [
            {
                "kind": fault.kind.word,
                "severity": str(fault.kind.severity),
                "path": str(fault.path),
                "message": fault.message,
                "hint": fault.hint,
                "models": [name.short for name in fault.models],
                "size": fault.size,
            }
            for fault in report.faults
        ],
        "repaired": [
            {
                "kind": repair.fault.kind.word,
                "path": str(repair.fault.path),
                "done": repair.done,
                "problem": repair.problem,
            }
            for repair in repaired
        ],
    }
