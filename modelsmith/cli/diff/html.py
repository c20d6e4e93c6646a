"""A difference as one page: everything inside, nothing loaded from elsewhere, and no text of others taken for markup."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.cli.diff.markup import both_html, colours_of, filter_html, lines_html, text_html, value_html
from modelsmith.cli.diff.view import state, verdict
from modelsmith.cli.shared.failure import printable
from modelsmith.cli.shared.html_page import html_page
from modelsmith.compare.values import runs
from modelsmith.template.conversation.think import THINK_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from modelsmith.compare.difference import Difference, Prompts, Text
    from modelsmith.compare.values import Value
    from modelsmith.template.outcomes import Outcome

    Colours = Mapping[str, int]

_HERE = Path(__file__).parent


def page(found: Difference) -> str:
    """Return the page; the same difference gives the same bytes."""
    style, script = ((_HERE / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    colours = colours_of(text for pair in found.prompts for text in (pair.a.prompt, pair.b.prompt))
    body = (
        '<a class="skip" href="#prompts">Skip to the prompts</a>',
        *_header(found),
        "<main>",
        *_templates(found, colours),
        *_values(found, colours),
        *_prompts(found, colours),
        *_texts(found),
        "</main>",
    )
    return html_page(
        printable(f"{found.a.spec} ↔ {found.b.spec} · modelsmith diff"),
        body,
        style=style,
        script=script,
        classes="white no-script",
        foot=f"{len(found.conversations)} conversations × think unset, true, false",
    )


def _header(found: Difference) -> Iterator[str]:
    yield "<header><div><h1>modelsmith diff</h1>"
    yield f'<p class="verdict{" equal" if found.equal else ""}">{text_html(verdict(found))}</p>'
    yield '<div class="pair">'
    for sign, side in (("A", found.a), ("B", found.b)):
        yield f'<div class="side">{_sign(sign)}<span class="name">{text_html(side.spec)}</span>'
        yield f'<span class="chip">{text_html(side.kind)}</span></div>'
    yield "</div>"
    yield '<nav aria-label="Sections"><a href="#templates">Templates</a> <a href="#values">Values</a> '
    yield '<a href="#prompts">Prompts</a>' + (
        ' <a href="#texts">Texts</a></nav>' if _changed_texts(found) else "</nav>"
    )
    yield from (f'<p class="note">{text_html(note)}</p>' for note in found.notes)
    yield "</div></header>"


def _sign(sign: str) -> str:
    return f'<b class="ab ab-{sign.lower()}">{sign}</b>'


def _templates(found: Difference, colours: Colours) -> Iterator[str]:
    yield '<section aria-labelledby="templates"><h2 id="templates">The template that runs</h2><div class="pair">'
    ours, theirs = (None if side.unseen else side.effective.text for side in (found.a, found.b))
    alike = found.a.effective.source == found.b.effective.source and ours is not None and theirs is not None
    if alike:
        marked = both_html(ours or "", theirs or "", colours)
    else:
        marked = both_html(ours or "", ours or "", colours)[0], both_html(theirs or "", theirs or "", colours)[0]
    for sign, side, text in (("A", found.a, marked[0]), ("B", found.b, marked[1])):
        yield f'<div class="side card"><div class="head">{_sign(sign)}<h3>{text_html(runs(side))}</h3>'
        yield "".join(f'<span class="chip">{text_html(word)}</span>' for word in sorted(side.effective.capabilities))
        yield f'</div><p class="soft">{text_html(side.reason)}</p>' if side.reason else "</div>"
        if text:
            yield f'<details open><summary>its text</summary><pre tabindex="0">{text}</pre></details>'
        yield "</div>"
    yield "</div></section>"


def _values(found: Difference, colours: Colours) -> Iterator[str]:
    values: Sequence[Value] = (*found.values, *found.metadata)
    if not values:
        return
    yield '<section aria-labelledby="values"><h2 id="values">Values</h2><div class="scroll"><table>'
    yield '<thead><tr><th scope="col">value</th><th scope="col">A</th><th scope="col">B</th><th scope="col"></th></tr></thead><tbody>'
    for value in sorted(values, key=lambda value: value.same):
        cells = "".join(f"<td>{cell}</td>" for cell in _cells(value, colours))
        yield f'<tr><th scope="row">{text_html(value.name)}</th>{cells}<td class="state">{_state("same" if value.same else "differs")}</td></tr>'
    yield "</tbody></table></div></section>"


def _cells(value: Value, colours: Colours) -> tuple[str, str]:
    if isinstance(value.a, str) and isinstance(value.b, str):
        return both_html(value.a, value.b, colours)
    if isinstance(value.a, list) and isinstance(value.b, list) and value.a and value.b:
        return _items(value.a, value.removed, "del"), _items(value.b, value.added, "ins")
    ours, theirs = value_html(value.a), value_html(value.b)
    return (ours, theirs) if value.same else (f"<del>{ours}</del>", f"<ins>{theirs}</ins>")


def _items(items: list[str], changed: Sequence[str], tag: str) -> str:
    return "\n".join(f"<{tag}>{text_html(item)}</{tag}>" if item in changed else text_html(item) for item in items)


def _state(word: str) -> str:
    return f'<span class="chip {word.split(maxsplit=1)[0]}">{word}</span>'


def _changed_texts(found: Difference) -> list[Text]:
    return [text for text in found.texts if not text.same]


def _texts(found: Difference) -> Iterator[str]:
    changed = _changed_texts(found)
    if changed:
        yield '<section aria-labelledby="texts"><h2 id="texts">Texts, line by line</h2>'
        for text in changed:
            only = " (only A has one)" if text.b is None else " (only B has one)" if text.a is None else ""
            yield f'<details class="card"{"" if only else " open"}><summary>{text_html(text.name)}{only}</summary>'
            yield f'<pre tabindex="0">{lines_html(text)}</pre></details>'
        yield "</section>"


def _prompts(found: Difference, colours: Colours) -> Iterator[str]:
    yield '<section aria-labelledby="prompts"><h2 id="prompts">Prompts: what the model reads</h2>'
    if found.unrendered:
        yield f'<p class="note">{text_html(found.unrendered)}</p></section>'
        return
    yield filter_html(only_differing=bool(found.different_prompts))
    for name, group in groupby(found.prompts, key=lambda pair: pair.name):
        alike: dict[tuple[Outcome, Outcome], list[Prompts]] = {}
        for pair in group:
            alike.setdefault((pair.a, pair.b), []).append(pair)
        for number, pairs in enumerate(alike.values()):
            yield from _card(found, name, number, pairs, colours)
    yield '<p id="nothing" class="soft" hidden>No prompt fits this filter.</p></section>'


def _card(found: Difference, name: str, number: int, pairs: list[Prompts], colours: Colours) -> Iterator[str]:
    pair = pairs[0]
    thinks = [THINK_WORDS[prompts.think] for prompts in pairs]
    shown, anchor = text_html(name), text_html(f"{name}-{number}").replace(" ", "-")
    chip = _state(state(pair))
    yield (
        f'<article class="card" id="prompt-{anchor}" tabindex="-1" aria-labelledby="name-{anchor}" data-conversation="{shown}" '
        f'data-think="{" ".join(thinks)}" data-same="{str(pair.same).lower()}">'
    )
    chips = "".join(f'<span class="chip">think {word}</span>' for word in thinks)
    if found.smallest in pairs:
        chips += '<span class="chip">the smallest that differs</span>'
    yield f'<div class="head"><h3 id="name-{anchor}">{shown}</h3>{chips}{chip}</div><div class="pair">'
    failed = pair.a.error or pair.b.error
    marked = (
        tuple(both_html(rendered.prompt, rendered.prompt, colours)[0] for rendered in (pair.a, pair.b))
        if failed
        else both_html(pair.a.prompt, pair.b.prompt, colours)
    )
    for sign, side, text in (("A", pair.a, marked[0]), ("B", pair.b, marked[1])):
        yield _prompt(sign, side, text, f"{sign}, {shown}")
    yield "</div><details><summary>the conversation</summary>"
    asked = json.dumps(found.conversations[name].to_dict(), indent=2, ensure_ascii=False)
    yield f"<pre>{text_html(asked)}</pre></details></article>"


def _prompt(sign: str, side: Outcome, text: str, label: str) -> str:
    if side.error:
        kind, inner = ' class="error"', f"error: {text_html(side.error)}"
    elif not side.prompt:
        kind, inner = ' class="empty"', "an empty prompt"
    else:
        kind, inner = "", text
    return f'<div class="side">{_sign(sign)}<pre{kind} role="group" aria-label="{label}">{inner}</pre></div>'
