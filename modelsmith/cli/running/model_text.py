"""Texts of models on a terminal: they may hold anything, and steer nothing."""

from __future__ import annotations

import json

import click

from modelsmith.patterns import regex
from modelsmith.source import spelled

_UNSAFE = regex("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def harmless(text: str) -> str:
    r"""Return a text whose control characters are escapes (``\x1b``); line breaks, tabs and all letters stay."""
    return _UNSAFE.sub(lambda found: spelled(found[0]), text.replace("\r\n", "\n"))


def json_text(value: object) -> str:
    """Return JSON in which no character steers a terminal."""
    text = json.dumps(value, ensure_ascii=False)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class AnswerWriter:
    """Writes an answer as it comes: the answer to stdout, the reasoning dimmed to stderr, each with a line of its own."""

    def __init__(self) -> None:
        self._is_reasoning: bool | None = None
        self._held = ""
        self._ends_line = True

    def write(self, text: str, *, is_reasoning: bool) -> None:
        """Write the next piece."""
        if is_reasoning != self._is_reasoning:
            self._switch(is_reasoning=is_reasoning)
        text, self._held = self._held + text, ""
        if text.endswith("\r"):  # the other half of a line's end may come with the next piece
            text, self._held = text[:-1], "\r"
        self._put(harmless(text))

    def end(self) -> None:
        """Write what is held, and end the line."""
        self._put(harmless(self._held))
        self._held = ""
        if not self._ends_line:
            self._put("\n")
        self._is_reasoning = None

    def _switch(self, *, is_reasoning: bool) -> None:
        was_reasoning = self._is_reasoning
        self.end()
        self._is_reasoning = is_reasoning
        if is_reasoning:
            click.echo(click.style("thinking:", dim=True, bold=True), err=True)
        elif was_reasoning:
            click.echo(err=True)

    def _put(self, text: str) -> None:
        if text:
            self._ends_line = text.endswith("\n")
            click.echo(
                click.style(text, dim=True) if self._is_reasoning else text, nl=False, err=bool(self._is_reasoning)
            )
