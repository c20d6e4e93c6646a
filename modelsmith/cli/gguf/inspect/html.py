"""Where a GGUF's bytes are, as one page: a treemap of blocks and tensors, nothing loaded from elsewhere, no script at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.cli.diff.markup import text_html
from modelsmith.cli.gguf.inspect.treemap import Box, squarified
from modelsmith.cli.gguf.inspect.view import summary_lines
from modelsmith.cli.shared.failure import printable
from modelsmith.cli.shared.html_page import html_page
from modelsmith.cli.shared.sizes import size_text
from modelsmith.weights.gguf.inspect.summary import ROLES, block_of, role_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.weights.gguf.inspect.summary import Part, Summary
    from modelsmith.weights.gguf.read.tensors import Tensor

_STYLE = Path(__file__).with_name("treemap.css")
_CANVAS = Box(0, 0, 1200, 660)
_COLOURS = 10
_FIRST_COLOUR = 4  # so that attention, feed forward and embedding, which are large and lie side by side, differ most
_STRIP = 15.0
_CHARACTER = 6.4  # the width of a letter, about
_MOST = 20_000


def page(summary: Summary, spec: str) -> str:
    """Return the page; the same file gives the same bytes."""
    style = _STYLE.read_text(encoding="utf-8")
    title = summary.name or spec.rpartition("/")[2]
    body = (
        f'<header><div><h1>{text_html(title)}</h1><p class="soft">{text_html(spec)}</p></div></header>\n<main>\n<dl>',
        *(f"<dt>{text_html(label)}</dt><dd>{text_html(text)}</dd>" for label, text in summary_lines(summary)),
        "</dl>",
        *(_picture(summary) if summary.whole.nbytes else ()),
        *_list(summary),
        "</main>",
    )
    return html_page(printable(f"{title} · modelsmith gguf inspect"), body, style=style)


def _picture(summary: Summary) -> Iterator[str]:
    roles = {name: number % _COLOURS for number, name in enumerate(ROLES, _FIRST_COLOUR)}
    types = {part.name: number % _COLOURS for number, part in enumerate(summary.types)}
    yield '<h2 id="bytes">Where the bytes are</h2>\n<fieldset><legend>Colours by</legend>'
    yield '<label><input type="radio" name="by" id="by-role" checked> what a tensor is for</label>'
    yield '<label><input type="radio" name="by" id="by-type"> its type</label></fieldset>'
    yield from _key("roles", "r", summary.roles, roles)
    yield from _key("types", "r", summary.types, types)
    yield f'<svg viewBox="0 0 {_CANVAS.width:g} {_CANVAS.height:g}" role="img" aria-label="Treemap of all tensors; the table below has the same">'
    groups = _groups(summary.gguf.tensors)
    sizes = [float(sum(tensor.nbytes for tensor in tensors)) for _, tensors in groups]
    for (name, tensors), box in zip(groups, squarified(sizes, _CANVAS), strict=True):
        yield from _group(name, tensors, box, roles, types)
    yield "</svg>"


def _key(name: str, letter: str, parts: Sequence[Part], colours: dict[str, int]) -> Iterator[str]:
    yield f'<ul class="key {name}">'
    for part in parts:
        square = f'<svg viewBox="0 0 1 1" aria-hidden="true"><rect class="{letter}{colours[part.name]}" width="1" height="1"/></svg>'
        yield f"<li>{square}{text_html(part.name)} {size_text(part.nbytes)} ({part.tensors})</li>"
    yield "</ul>"


def _groups(tensors: Sequence[Tensor]) -> list[tuple[str, list[Tensor]]]:
    """Return the tensors of each block, and those of no block one by one, the largest first."""
    groups: dict[str, list[Tensor]] = {}
    for tensor in sorted(tensors, key=lambda tensor: -tensor.nbytes)[:_MOST]:
        if tensor.nbytes:
            number = block_of(tensor.name)
            groups.setdefault(tensor.name if number is None else f"block {number}", []).append(tensor)
    order = {
        name: (-sum(tensor.nbytes for tensor in group), block_of(group[0].name) or 0) for name, group in groups.items()
    }
    return sorted(groups.items(), key=lambda item: order[item[0]])


def _group(name: str, tensors: list[Tensor], box: Box, roles: dict[str, int], types: dict[str, int]) -> Iterator[str]:
    inner = box.inside(1)
    if len(tensors) > 1:
        yield f'<rect class="group" {_place(inner)}/>'
        has_label = inner.height > 3 * _STRIP and inner.width > _CHARACTER * len(name) + 8
        if has_label:
            yield f'<text class="label" x="{inner.x + 4:.1f}" y="{inner.y + 11:.1f}">{text_html(name)}</text>'
        inner = inner.inside(1, _STRIP if has_label else 0)
    for tensor, cell in zip(tensors, squarified([float(tensor.nbytes) for tensor in tensors], inner), strict=True):
        yield from _cell(tensor, cell.inside(0.4), roles[role_of(tensor.name)], types[tensor.type.name])


def _cell(tensor: Tensor, box: Box, role: int, type_: int) -> Iterator[str]:
    name = text_html(tensor.name)
    shape = " × ".join(map(str, tensor.dims))
    about = f"{name}: {shape}, {tensor.type.name}, {size_text(tensor.nbytes)}"
    yield f'<rect class="cell r{role} t{type_}" {_place(box)}><title>{about}</title></rect>'
    short = tensor.name.removeprefix(f"blk.{block_of(tensor.name)}.").removesuffix(".weight")
    if box.height > _STRIP and box.width > _CHARACTER * len(short) + 6:
        yield f'<text x="{box.x + 4:.1f}" y="{box.y + 12:.1f}">{text_html(short)}</text>'
        more = f"{tensor.type.name} {size_text(tensor.nbytes)}"
        if box.height > 2 * _STRIP and box.width > _CHARACTER * len(more) + 6:
            yield f'<text x="{box.x + 4:.1f}" y="{box.y + 25:.1f}">{more}</text>'


def _place(box: Box) -> str:
    return f'x="{box.x:.2f}" y="{box.y:.2f}" width="{box.width:.2f}" height="{box.height:.2f}"'


def _list(summary: Summary) -> Iterator[str]:
    gguf = summary.gguf
    yield f"<h2>Tensors</h2><details><summary>all {len(gguf.tensors)}, in the order of the file</summary>"
    yield '<div class="scroll"><table><thead><tr>'
    yield "".join(
        f'<th scope="col">{heading}</th>' for heading in ("tensor", "for", "shape", "type", "bytes", "byte of the file")
    )
    yield "</tr></thead><tbody>"
    for tensor in gguf.tensors[:_MOST]:
        cells = (role_of(tensor.name), " × ".join(map(str, tensor.dims)), tensor.type.name)
        numbers = (f"{tensor.nbytes:,}", f"{gguf.data_offset + tensor.offset:,}")
        yield (
            f'<tr><th scope="row">{text_html(tensor.name)}</th>'
            + "".join(f"<td>{cell}</td>" for cell in cells)
            + "".join(f'<td class="number">{cell}</td>' for cell in numbers)
            + "</tr>"
        )
    yield "</tbody></table></div></details>"
