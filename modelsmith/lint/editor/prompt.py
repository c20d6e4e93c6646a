"""What a template makes the model see, for a short named conversation, with white space to be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import TemplateRenderError

if TYPE_CHECKING:
    from modelsmith.template.go.render import OutputPiece
    from modelsmith.template.go.template import Template

CHATS = ("system-turns", "thinking-history", "tool-answer", "parallel-tools", "suffix")
"""The conversations that are tried, until one makes the node under the cursor print something."""

_STEPS, _ROOM = 20_000, 100_000
_LONGEST_TEMPLATE = 200_000
_LONGEST_PROMPT = 3_000
_MARKS = str.maketrans({"\n": "⏎\n", "\t": "⇥", "\r": "␍", "\u00a0": "⍽"})


def prompt_of(template: Template, offset: int | None = None) -> str:
    """Return Markdown that shows a prompt; what the node at ``offset`` of the template prints stands in ``⟦ ⟧``."""
    if len(template.text) > _LONGEST_TEMPLATE:
        return ""
    chosen, pieces = CHATS[0], None
    for chat in CHATS if offset is not None else CHATS[:1]:
        found = _pieces(template, chat)
        if isinstance(found, str):
            return found if pieces is None else _shown(chosen, pieces, None)
        if offset is None or any(_is_at(piece, offset) and piece.text for piece in found):
            return _shown(chat, found, offset)
        if pieces is None:
            pieces = found
    return _shown(chosen, pieces or (), None)


def _pieces(template: Template, chat: str) -> tuple[OutputPiece, ...] | str:
    """Return the pieces of a prompt, or why there is none."""
    from modelsmith.template.conversation.named import NAMED
    from modelsmith.template.go.state import OutOfBudget

    thinks = True if all(template.thinking_tags) else None
    try:
        return template.renderer(traced=True, steps=_STEPS, room=_ROOM).trace(NAMED[chat], thinks)
    except OutOfBudget:
        return "The template does too much to be rendered here."
    except TemplateRenderError as error:
        return f"Rendering `{chat}` fails: {error.message}"


def _is_at(piece: OutputPiece, offset: int) -> bool:
    span = piece.node_span
    return span is not None and span.start <= offset < span.end


def _shown(chat: str, pieces: tuple[OutputPiece, ...], offset: int | None) -> str:
    parts: list[str] = []
    is_open = False
    for piece in pieces:
        marked = offset is not None and bool(piece.text) and _is_at(piece, offset)
        if marked != is_open and (marked or piece.text):
            parts.append("⟦" if marked else "⟧")
            is_open = marked
        parts.append(piece.text.translate(_MARKS))
    text = "".join(parts) + "⟧" * is_open
    bare = text.rstrip(" ")
    text = bare + "·" * (len(text) - len(bare))
    if len(text) > _LONGEST_PROMPT:
        text = text[:_LONGEST_PROMPT] + "…"
    fence = "`" * 3
    while fence in text:
        fence += "`"
    note = ", ⟦what this part prints⟧" if "⟦" in text else ""
    return f"What the model sees of the conversation `{chat}`{note}:\n\n{fence}text\n{text}\n{fence}"
