"""What the commands that edit a GGUF share: options, carrying out, and what they print."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.shared.failure import printable
from modelsmith.cli.shared.gathering import gathering

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.weights.gguf.edit.inplace import Edited
    from modelsmith.weights.gguf.edit.inplace_plan import EditPlan
    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.metadata import Entry, Metadata

_SHOWN = 72
_ITEMS = 4
_MOST_ITEMS = 64


@dataclass(frozen=True, slots=True)
class EditOptions:
    """How an edit is carried out: ``target`` is another file to write, ``verify`` hashes the tensors' data before and after."""

    target: Path | None
    force: bool
    dry_run: bool
    padding: bool
    verify: bool
    as_json: bool


def edit_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options that all edits have; the command gets them as one EditOptions."""
    return gathering(EditOptions, _OPTIONS)(command)


_OPTIONS = (
    click.option(
        "-o", "--output", "target", metavar="OUT", type=click.Path(path_type=Path), help="Write another file."
    ),
    click.option("--force", is_flag=True, help="Replace OUT; what stood there is kept as OUT.old."),
    click.option("--dry-run", is_flag=True, help="Only say what would be written."),
    click.option("--no-padding", "padding", flag_value=False, default=True, type=bool, help="No room for later edits."),
    click.option("--verify", is_flag=True, help="Hash the tensors' data before and after: reads the whole file."),
    click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text."),
)


def carry_out(gguf: GGUFFile, metadata: Metadata, what: str, options: EditOptions) -> int:
    """Give a file other metadata and print what was done."""
    from modelsmith.cli.shared.outputs import saying_what_is_kept
    from modelsmith.cli.shared.progress import progress_bars
    from modelsmith.weights.gguf.edit.inplace import write_edit
    from modelsmith.weights.gguf.edit.inplace_plan import check_editable, plan_edit

    target = options.target
    plan = plan_edit(gguf, metadata, padding=options.padding)
    changes = _changes_json(plan) if options.as_json else _changes_text(plan)  # while the file is still as it was read
    if options.dry_run:
        if target is None and plan.changes:
            check_editable(plan.path)
        click.echo(_json(plan, None, target, changes) if options.as_json else _text(plan, None, target, changes))
        return 0
    with (
        saying_what_is_kept(*([target] if target is not None else [])),
        progress_bars(enabled=not options.as_json) as progress,
    ):
        done = write_edit(plan, target, what=what, verify=options.verify, overwrite=options.force, progress=progress)
    click.echo(_json(plan, done, target, changes) if options.as_json else _text(plan, done, target, changes))
    return 0


def changes_of(plan: EditPlan) -> dict[str, tuple[Entry | None, Entry | None]]:
    """Return the keys that change, each with what it was and will be."""
    from modelsmith.weights.gguf.inspect.compare import compare_models

    found = compare_models([plan.gguf], [plan.gguf.with_metadata(plan.after)], quick=True)
    return {difference.key: (difference.a, difference.b) for difference in found.metadata}


def first_item(a: Entry | None, b: Entry | None) -> int:
    """Return from which item on two arrays differ; 0 for anything else."""
    from modelsmith.weights.gguf.types import ValueType

    if a is None or b is None or not (a.type == b.type == ValueType.ARRAY):
        return 0
    pairs = enumerate(zip(a.decode(), b.decode(), strict=False))
    return next((number for number, (x, y) in pairs if x != y), min(a.count, b.count))


def value_text(entry: Entry | None, start: int = 0) -> str:
    """Return a value for people, long ones shortened, with its type; of an array from item ``start`` on."""
    if entry is None:
        return "not there"
    from modelsmith.weights.gguf.metadata import GGUFArray
    from modelsmith.weights.gguf.values import ValueKind

    value = entry.decode()
    if isinstance(value, GGUFArray):
        shown = json.dumps(value[start : start + _ITEMS], ensure_ascii=False)
        more = "" if len(value) <= _ITEMS else f" … {len(value):,} items"
        place = f"from item {start} on: " if start else ""
        return f"{place}{printable(shown[:_SHOWN])}{more} ({ValueKind.of(entry)})"
    shown = json.dumps(value, ensure_ascii=False)
    if len(shown) > _SHOWN:
        shown = f"{shown[:_SHOWN]}… {len(value):,} characters"
    return f"{printable(shown)} ({ValueKind.of(entry)})"


def value_json(entry: Entry | None) -> dict[str, Any] | None:
    """Return a type and a value, in the form that ``gguf set --patch`` reads."""
    if entry is None:
        return None
    from modelsmith.weights.gguf.metadata import GGUFArray
    from modelsmith.weights.gguf.values import ValueKind

    kind, value = ValueKind.of(entry), entry.decode()
    name = (kind.item or kind.type).name.lower()
    if isinstance(value, GGUFArray):
        return {"type": f"[{name}]", "value": list(value)}
    return {"type": name, "value": value}


def _changes_text(plan: EditPlan) -> list[str]:
    lines = []
    for key, (a, b) in changes_of(plan).items():
        start = first_item(a, b)
        lines.append(f"  {printable(key)}: {value_text(a, start)} -> {value_text(b, start)}")
    return lines


def _changes_json(plan: EditPlan) -> dict[str, Any]:
    return {key: {"before": _short(a), "after": _short(b)} for key, (a, b) in changes_of(plan).items()}


def _short(entry: Entry | None) -> dict[str, Any] | None:
    """Return a value for JSON; of a vocabulary only how long it is."""
    if entry is not None and entry.count > _MOST_ITEMS:
        return {"type": "array", "count": entry.count}
    return value_json(entry)


def _text(plan: EditPlan, done: Edited | None, target: Path | None, changes: Any) -> str:
    path = printable(str(target or plan.gguf.path))
    lines = list(changes)
    if target is None and not plan.changes:
        return "\n".join([f"{path}: nothing to change"])
    would = "would be " if done is None else ""
    data = f"the tensors' data (from byte {len(plan.old):,} on)"
    if target is None and plan.in_place and plan.links == 1:
        lines += [f"  {would}written in place: {plan.bytes_to_write:,} bytes of the header; {data} is not touched"]
    else:
        how = f" ({done.how})" if done is not None else ""
        why = "" if plan.in_place or target else f"; the header grows from {len(plan.old):,} bytes"
        lines += [f"  {would}written: a header of {len(plan.head):,} bytes and {data} as it is{how}{why}"]
        if plan.links > 1 and target is None:
            lines += [
                f"  it has {plan.links} names (hard links): this one gets a file of its own, the others keep the old one"
            ]
    if done is not None and done.data_before:
        lines += [f"  data before: sha256 {done.data_before}", f"  data after:  sha256 {done.data_after} (the same)"]
    if done is not None and target is None:
        lines += [f"  to take it back: modelsmith gguf undo {path}"]
    return "\n".join([click.style(path, bold=True), *lines])


def _json(plan: EditPlan, done: Edited | None, target: Path | None, changes: Any) -> str:
    in_place = plan.in_place and target is None and plan.links == 1
    return json.dumps(
        {
            "path": str(target or plan.gguf.path),
            "written": done is not None and done.how != "unchanged",
            "in_place": in_place,
            "how": done.how if done else None,
            "changes": changes,
            "header_bytes_written": plan.bytes_to_write,
            "data_offset": {"before": len(plan.old), "after": len(plan.head)},
            "size": {"before": plan.gguf.size, "after": plan.size},
            "data_sha256": {"before": done.data_before, "after": done.data_after}
            if done and done.data_before
            else None,
        },
        ensure_ascii=False,
    )
