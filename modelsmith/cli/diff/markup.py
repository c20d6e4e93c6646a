"""Texts of others as HTML: nothing of them is markup, and nothing in them is invisible.

Source: HTML Living Standard, 13.1 (which characters a text may hold), Unicode TR 36 (why directions are shown, not obeyed).
"""

from __future__ import annotations

from html import escape
from itertools import islice
from typing import TYPE_CHECKING, Any

from modelsmith.template.conversation.think import THINK_WORDS
from modelsmith.template.effective.prompt_tokens import difference, pieces, window

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from modelsmith.compare.difference import Text
    from modelsmith.template.effective.prompt_tokens import PromptPiece

LONGEST = 50_000
"""How many characters of a prompt are shown."""

_MOST_LINES = 5_000
_COLOURS = 6
_LINES = {"+": "add", "-": "cut", "@": "at"}


def text_html(text: str) -> str:
    """Return a text with markup escaped and every character that cannot be seen named (``U+202E``)."""
    if text.isprintable():
        return escape(text)
    return "".join(_character(char) for char in text)


def _character(char: str) -> str:
    if char.isprintable() or char in "\n\t":
        return escape(char)
    return f'<span class="u">U+{ord(char):04X}</span>'


def colours_of(texts: Iterable[str]) -> dict[str, int]:
    """Give the markers of texts their colours in the order in which they come up; a closing one has that of the opening."""
    named = (_name(piece) for text in texts for piece in pieces(text) if piece.kind == "special")
    return {name: number % _COLOURS for number, name in enumerate(dict.fromkeys(named))}


def _name(piece: PromptPiece) -> str:
    return piece.text.strip("</|｜>[]")


def prompt_html(shown: Iterable[PromptPiece], side: str, colours: Mapping[str, int]) -> str:
    """Return one side of a prompt: ``side`` is the change that is marked on it, ``removed`` or ``added``."""
    tag = "del" if side == "removed" else "ins"
    parts: list[str] = []
    marked = False
    for piece in shown:
        if piece.change not in {"same", side}:
            continue
        if (piece.change == side) != marked:
            parts.append(f"</{tag}>" if marked else f"<{tag}>")
            marked = not marked
        parts.append(_piece(piece, colours))
    return "".join(parts) + (f"</{tag}>" if marked else "")


def _piece(piece: PromptPiece, colours: Mapping[str, int]) -> str:
    match piece.kind:
        case "special":
            return f'<span class="s s{colours.get(_name(piece), 0)}">{text_html(piece.text)}</span>'
        case "break":
            return text_html(piece.text[:-1]) + '<span class="n"></span>\n'
        case "blank":
            blank = text_html(piece.text).replace("\t", '<span class="t"></span>\t')
            return f'<span class="b">{blank}</span>' if len(piece.text) > 1 or piece.change != "same" else blank
    return text_html(piece.text)


def both_html(before: str, after: str, colours: Mapping[str, int]) -> tuple[str, str]:
    """Return two prompts, on each marked what the other one does not have; of very long ones the part where they part."""
    start, before, after = window(before, after, LONGEST)
    shown = pieces(before) if before == after else difference(before, after)
    ours, theirs = prompt_html(shown, "removed", colours), prompt_html(shown, "added", colours)
    return _cut(ours, start, len(before)), _cut(theirs, start, len(after))


def _cut(html: str, start: int, length: int) -> str:
    told = f'<span class="u">{start:,} characters before this</span>\n' if start else ""
    return told + html + ('\n<span class="u">cut here</span>' if length == LONGEST else "")


def lines_html(text: Text) -> str:
    """Return the unified difference of a text, as far as anybody would read it."""
    lines = list(islice(text.lines(), _MOST_LINES + 1))
    shown = [f'<span class="{_LINES.get(line[:1], "ctx")}">{text_html(line)}</span>' for line in lines[:_MOST_LINES]]
    return "".join(shown) + ('<span class="u">cut here</span>' if len(lines) > _MOST_LINES else "")


def value_html(value: Any) -> str:
    """Return a value; a list has one item a line."""
    if value is None or value == []:
        return '<span class="unset">not set</span>' if value is None else '<span class="unset">none</span>'
    return text_html("\n".join(map(str, value)) if isinstance(value, list) else str(value))


def filter_html(*, only_differing: bool) -> str:
    """Return the bar above prompts by which ``report.js`` shows some of them."""
    thinks = "".join(
        f'<label><input type="radio" name="think" value="{word}"{" checked" if word == "all" else ""}>{word}</label>'
        for word in ("all", *THINK_WORDS.values())
    )
    return (
        '<div class="tools" role="search" aria-label="Filter the prompts">'
        '<label>Find <input type="search" id="search" placeholder="conversation or text" autocomplete="off"></label>'
        f"<fieldset><legend>think</legend>{thinks}</fieldset>"
        f'<label><input type="checkbox" id="only"{" checked" if only_differing else ""}>only differing</label>'
        '<label><input type="checkbox" id="white" checked>white space</label>'
        '<span id="count" class="soft" aria-live="polite"></span>'
        '<span class="keys"><kbd>j</kbd> <kbd>k</kbd> next, previous · <kbd>/</kbd> find · <kbd>d</kbd> only differing '
        "· <kbd>w</kbd> white space</span></div>"
    )
