"""What ``modelsmith gguf inspect`` prints: a summary, bars of where the bytes are, lists of tensors and of keys."""

from __future__ import annotations

import json
import math
import shutil
from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.gguf.faults import show_faults
from modelsmith.cli.shared.failure import printable
from modelsmith.cli.shared.sizes import size_text
from modelsmith.weights.gguf.inspect.summary import parts_by, role_of
from modelsmith.weights.gguf.metadata import GGUFArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from modelsmith.models.locate import FoundGGUF
    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.inspect.summary import Summary

_LABEL = 13
_TEMPLATE_LINES = 4
_FIRST = 8
_LONGEST = 400
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_HEIGHTS = "▁▂▃▄▅▆▇█"
_BAR = 28
_MOST_BLOCKS = 256


def show(summary: Summary, found: FoundGGUF, *, tensors: bool, metadata: bool) -> None:
    """Print the summary, or the lists that were asked for."""
    if tensors:
        _table([("tensor", "shape", "type", "bytes", "offset"), *_tensor_rows(summary.gguf)])
    if metadata:
        for key, kind, value in _keys(summary.gguf):
            click.echo(f"{click.style(key, bold=True)} {click.style(kind, dim=True)} {value}")
    if not (tensors or metadata):
        _show_summary(summary, found)
    if found.scan.faults:
        click.echo()
        show_faults(found.scan.faults)


def as_data(summary: Summary, found: FoundGGUF, *, tensors: bool, metadata: bool) -> str:
    """Return the summary as a JSON object, with the lists that were asked for."""
    data: dict[str, Any] = {"path": found.spec, **summary.to_dict()}
    data["findings"] = [fault.to_dict() for fault in found.scan.faults]
    if found.path is None:
        data["fetched_bytes"], data["requests"] = found.fetched, found.requests
    if tensors:
        data["tensors"] = [
            {
                "name": tensor.name,
                "shape": list(tensor.dims),
                "type": tensor.type.name,
                "bytes": tensor.nbytes,
                "offset": summary.gguf.data_offset + tensor.offset,
                "role": role_of(tensor.name),
            }
            for tensor in summary.gguf.tensors
        ]
    if metadata:
        data["metadata"] = {key: _json_value(summary.gguf, key) for key in summary.gguf.metadata}
    return json.dumps(data, ensure_ascii=False)


def _json_value(gguf: GGUFFile, key: str) -> dict[str, Any]:
    kind, value = gguf.metadata.type_of(key).name, gguf.metadata[key]
    if isinstance(value, GGUFArray):
        first = [_plain(item) for item in value[:_FIRST]]
        return {"type": kind, "items": value.item_type.name, "count": len(value), "first": first}
    return {"type": kind, "value": _plain(value)}


def _plain(value: Any) -> Any:
    """Return a value that JSON can hold: NaN and infinity become texts."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _show_summary(summary: Summary, found: FoundGGUF) -> None:
    gguf = summary.gguf
    title = summary.name or found.spec.rpartition("/")[2]
    words = [gguf.architecture, summary.kind, *([gguf.file_type] if gguf.file_type != "unknown" else [])]
    click.echo(f"{click.style(_one_line(title), bold=True)}  {_one_line(' · '.join(words))}")
    for label, text in summary_lines(summary, found):
        click.echo(f"  {click.style(label.ljust(_LABEL), dim=True)}{text}")
        if label == "template" and gguf.chat_template:
            for line in gguf.chat_template.strip().splitlines()[:_TEMPLATE_LINES]:
                click.echo(f"  {' ' * _LABEL}{click.style(_one_line(line, _width() - _LABEL - 2), dim=True)}")
    if gguf.tensors:
        click.echo("\n" + click.style("where the bytes are", bold=True))
        _show_bars(summary)


def summary_lines(summary: Summary, found: FoundGGUF | None = None) -> Iterator[tuple[str, str]]:
    """Yield what there is to say, a label and a line each."""
    gguf, whole = summary.gguf, summary.whole
    order = ", big-endian" if gguf.is_big_endian else ""
    header = f"header {size_text(gguf.data_offset)}"
    yield "file", f"{size_text(gguf.size)} ({gguf.size:,} bytes), GGUF {gguf.version}{order}, {header}"
    if found is not None and found.path is None:
        yield "fetched", f"{size_text(found.fetched)} in {found.requests} requests"
    if gguf.tensors:
        yield "parameters", f"{_count(whole.elements)} in {whole.tensors} tensors, {whole.bits:.2f} bits per weight"
        yield "types", " · ".join(f"{part.name} {size_text(part.nbytes)} ({part.tensors})" for part in summary.types)
    sizes = dict(summary.sizes)
    context = sizes.pop("context_length", None)
    if context is not None:
        yield "context", f"{_number(context)} tokens"
    if sizes:
        yield "shape", ", ".join(f"{_SHORT[key]} {_number(value)}" for key, value in sizes.items())
    if summary.vocabulary:
        yield "vocabulary", f"{summary.vocabulary:,} tokens, {_one_line(summary.tokenizer)}"
    special = [f"{role} {token.id} {_one_line(token.text, 40)}" for role, token in gguf.special_tokens.items()]
    if special:
        yield "special", " · ".join(special)
    template = gguf.chat_template
    if template:
        words = ", ".join(summary.capabilities) or "none beyond text"
        yield "template", f"Jinja, {len(template):,} characters; capabilities: {words}"
    elif summary.vocabulary:
        yield "template", "none: a base model, or one whose template must come from a Modelfile"
    yield "licence", _one_line(summary.licence) or "not said"
    if summary.origin:
        yield "from", _one_line(" · ".join(summary.origin))


_SHORT = {
    "embedding_length": "embedding",
    "block_count": "blocks",
    "feed_forward_length": "feed forward",
    "attention.head_count": "heads",
    "attention.head_count_kv": "key/value heads",
    "attention.sliding_window": "sliding window",
    "expert_count": "experts",
    "expert_used_count": "used at once",
}


def _show_bars(summary: Summary) -> None:
    total = summary.whole.nbytes or 1
    width = max(len(part.name) for part in summary.roles)
    for part in summary.roles:
        types = parts_by(
            (t for t in summary.gguf.tensors if role_of(t.name) == part.name), lambda tensor: tensor.type.name
        )
        mix = " ".join(part.name for part in types[:4])
        bar = click.style(_bar(part.nbytes / total).ljust(_BAR), fg="cyan")
        share = f"{part.nbytes / total:6.1%}"
        click.echo(
            f"  {part.name.ljust(width)}  {bar} {size_text(part.nbytes):>9} {share}  {click.style(mix, dim=True)}"
        )
    blocks = summary.blocks[:_MOST_BLOCKS]
    if len(blocks) > 1:
        most, least = max(size for _, size in blocks), min(size for _, size in blocks)
        line = "".join(_HEIGHTS[round(7 * size / most) if most else 0] for _, size in blocks)
        span = size_text(most) if most == least else f"{size_text(least)} to {size_text(most)}"
        name = f"blocks {blocks[0][0]}–{blocks[-1][0]}"
        click.echo(f"  {name.ljust(width)}  {click.style(line, fg='cyan')}  {span} each")


def _bar(share: float) -> str:
    eighths = max(round(share * _BAR * 8), 1 if share else 0)
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")


def _tensor_rows(gguf: GGUFFile) -> Iterator[tuple[str, ...]]:
    for tensor in gguf.tensors:
        shape = " x ".join(map(str, tensor.dims))
        yield (
            printable(tensor.name),
            shape,
            tensor.type.name,
            f"{tensor.nbytes:,}",
            f"{gguf.data_offset + tensor.offset:,}",
        )


def _keys(gguf: GGUFFile) -> Iterator[tuple[str, str, str]]:
    for key in gguf.metadata:
        kind, value = gguf.metadata.type_of(key).name, gguf.metadata[key]
        if isinstance(value, GGUFArray):
            first = ", ".join(_shown(item) for item in value[:_FIRST])
            more = ", …" if len(value) > _FIRST else ""
            yield _one_line(key), f"{value.item_type.name}[{len(value):,}]", f"[{first}{more}]"
        else:
            yield _one_line(key), kind, _shown(value)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        cut = f"… ({len(value):,} characters)" if len(value) > _LONGEST else ""
        return f'"{_one_line(value[:_LONGEST])}"{cut}'
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def _one_line(text: str, longest: int = 10_000) -> str:
    shown = printable(text).replace("\n", "⏎").replace("\t", "⇥")
    return shown if len(shown) <= longest else shown[: max(longest - 1, 0)] + "…"


def _number(value: Any) -> str:
    if isinstance(value, list):
        return "/".join(_number(item) for item in value[:_FIRST])
    return f"{value:,}" if isinstance(value, int) else str(value)


def _count(number: int) -> str:
    for factor, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= factor:
            return f"{number / factor:.2f}{unit}"
    return str(number)


def _width() -> int:
    return max(40, min(shutil.get_terminal_size().columns, 200))


def _table(rows: Iterable[Sequence[str]]) -> None:
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        name, shape, kind, size, place = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(f"{name}  {shape}  {kind}  {size.strip().rjust(widths[3])}  {place.strip().rjust(widths[4])}")
