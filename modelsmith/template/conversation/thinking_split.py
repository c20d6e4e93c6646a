"""How Ollama separates reasoning from content in a streamed answer, for templates whose tags it inferred.

Reasoning is what stands between the first opening tag, if the answer begins with it, and the first closing tag. A prompt
that ends with the opening tag has opened it already (:func:`is_primed`).

Source: Ollama thinking/parser.go, and server/routes.go for the priming.
"""

from __future__ import annotations

from enum import Enum, auto

SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
"""What Go's unicode.IsSpace accepts; Python's str.isspace takes U+001C to U+001F too."""


class _State(Enum):
    LOOKING = auto()
    OPENED = auto()
    THINKING = auto()
    CLOSED = auto()
    DONE = auto()


class ThinkingSplitter:
    """Feed it the chunks of one answer; each gives the pair (thinking, content) that Ollama would send on at once."""

    def __init__(self, opening: str, closing: str, *, primed: bool = False) -> None:
        self._opening = opening
        self._closing = closing
        self._state = _State.LOOKING
        self._held = ""
        if primed:
            self.feed(opening)

    @property
    def held(self) -> str:
        """What was read and not sent on, because it may be the beginning of a tag (lost when the answer ends here)."""
        return self._held

    def feed(self, chunk: str) -> tuple[str, str]:
        """Take the next chunk; return the thinking and the content that are certain now."""
        text, self._held = self._held + chunk, ""
        if self._state is _State.LOOKING:
            trimmed = text.lstrip(SPACE)
            if not trimmed.startswith(self._opening):
                if self._opening.startswith(trimmed):
                    self._held = text
                    return "", ""
                self._state = _State.DONE
                return "", text
            self._state = _State.OPENED
            text = trimmed[len(self._opening) :]
        if self._state is _State.OPENED:
            text = text.lstrip(SPACE)
            if not text:
                return "", ""
            self._state = _State.THINKING
        if self._state is _State.THINKING:
            return self._think(text)
        if self._state is _State.CLOSED:
            text = text.lstrip(SPACE)
            self._state = _State.DONE if text else _State.CLOSED
        return "", text

    def _think(self, text: str) -> tuple[str, str]:
        thinking, closing, content = text.partition(self._closing)
        if closing:
            content = content.lstrip(SPACE)
            self._state = _State.DONE if content else _State.CLOSED
            return thinking, content
        for size in range(min(len(self._closing), len(text)), 0, -1):
            if text.endswith(self._closing[:size]):
                self._held = text[-size:]
                return text[:-size], ""
        return text, ""


def is_primed(prompt: str, opening: str) -> bool:
    """Say whether this prompt ends with the opening tag, white space after it aside."""
    return bool(opening) and prompt.rstrip(SPACE).endswith(opening)


def split_thinking(answer: str, opening: str, closing: str, *, primed: bool = False) -> tuple[str, str]:
    """Return the thinking and the content of a whole answer."""
    return ThinkingSplitter(opening, closing, primed=primed).feed(answer)
