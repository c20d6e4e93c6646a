"""How a prompt looks in a terminal: special tokens in colour, white space visible; and where a template's text stands."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.failure import printable
from modelsmith.errors import InvalidGGUF, UnreadableFile
from modelsmith.models.vocabulary import token_count

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.text import Text

    from modelsmith.weights.gguf.tokens.special import SpecialTokens

_MARKS = {"\n": "⏎\n", "\t": "⇥", "\r": "␍", "\u00a0": "⍽"}


def special_tokens(weights: Path | None) -> SpecialTokens | None:
    """Return the special tokens of a GGUF's vocabulary; None where there is no file, or nothing to be had from it."""
    if weights is None:
        return None
    from modelsmith.weights.convert.weights import open_weights
    from modelsmith.weights.gguf.tokens.special import SpecialTokens

    try:
        return SpecialTokens.of(open_weights(weights))
    except (InvalidGGUF, UnreadableFile):
        return None


def coloured(prompt: str, known: SpecialTokens | None) -> Text:
    """Return a prompt with special tokens in colour (those of the vocabulary, else what looks like one) and visible blanks."""
    from rich.text import Text

    text = Text()
    for piece, special in known.cut(prompt) if known else _looks_special(prompt):
        if special:
            text.append(printable(piece).replace("\n", "⏎\n"), style="bold magenta")
            continue
        for mark, group in groupby(piece, key=lambda char: char in _MARKS):
            run = "".join(group)
            text.append("".join(_MARKS[char] for char in run) if mark else printable(run), style="cyan" if mark else "")
    blanks = len(prompt) - len(prompt.rstrip(" "))
    if blanks:
        text.right_crop(blanks)
        text.append("·" * blanks, style="cyan")
    return text


def _looks_special(prompt: str) -> Iterator[tuple[str, bool]]:
    from modelsmith.template.effective.prompt_tokens import pieces

    for piece in pieces(prompt):
        yield piece.text, piece.kind == "special"


def summary(prompt: str, known: SpecialTokens | None, count: int | None = None) -> str:
    """Say how long a prompt is; where the vocabulary's rules are not known, only its special tokens are counted."""
    if count is not None:
        return f"{len(prompt)} characters, {count} tokens (without one that the server may put in front)"
    if known is None:
        return f"{len(prompt)} characters; tokens not counted: no vocabulary at hand"
    count = sum(special for _, special in known.cut(prompt))
    tokens = f"{count} special token{'s' * (count != 1)}"
    return (
        f"{len(prompt)} characters, {tokens} of the model's vocabulary; the text between them is not counted in tokens"
    )


def show_prompt(prompt: str, weights: Path | None) -> None:
    """Print a prompt for a person to read; ``weights`` is the model's GGUF."""
    known = special_tokens(weights)
    from modelsmith.cli.shared.terminal import Terminal

    Terminal(highlight=False).print(coloured(prompt, known), soft_wrap=True)
    click.echo(summary(prompt, known, token_count(prompt, weights)), err=True)
