"""Parsing expression grammars, as llama-server uses them to split an answer into reasoning, content and calls.

A parser matches at a place of a text or not; it never goes back into a repetition or a choice once that has matched. An
answer is read leniently: where the text ends inside a parser, all is matched so far and the rest is not asked for.

Source: llama.cpp common/peg-parser.cpp, common/chat-peg-parser.cpp, common/trie.cpp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

SPACES = " \t\n\v\f\r"
"""What C's ``isspace`` takes for white space."""

CONTENT, REASONING = "content", "reasoning"


@dataclass(frozen=True, slots=True)
class Match:
    """Where a parser stopped, ``cut`` if because the text ended, and what it captured: pairs of kind and text."""

    end: int
    cut: bool = False
    captures: tuple[tuple[str, str], ...] = ()


class Parser:
    """One parser; ``a + b`` is a then b, ``a >> b`` the same with white space between, ``a | b`` a or else b."""

    __slots__ = ("at",)

    def __init__(self, at: Callable[[str, int], Match | None]) -> None:
        self.at = at

    def __add__(self, other: Parser | str) -> Parser:
        return sequence(self, _parser(other))

    def __radd__(self, other: str) -> Parser:
        return sequence(literal(other), self)

    def __rshift__(self, other: Parser | str) -> Parser:
        return sequence(self, space(), _parser(other))

    def __or__(self, other: Parser | str) -> Parser:
        return choice(self, _parser(other))


def nothing() -> Parser:
    """Match the empty text."""
    return Parser(lambda _text, place: Match(place))


def end() -> Parser:
    """Match the end of the text."""
    return Parser(lambda text, place: Match(place) if place >= len(text) else None)


def literal(words: str) -> Parser:
    """Match these characters."""

    def at(text: str, place: int) -> Match | None:
        if text.startswith(words, place):
            return Match(place + len(words))
        rest = text[place : place + len(words)]
        return Match(place + len(rest), cut=True) if words.startswith(rest) and place + len(rest) == len(text) else None

    return Parser(at)


def space() -> Parser:
    """Match white space, or none."""

    def at(text: str, place: int) -> Match:
        while place < len(text) and text[place] in SPACES:
            place += 1
        return Match(place)

    return Parser(at)


def until(*words: str) -> Parser:
    """Match up to the first of these words, or to what may be the beginning of one at the end of the text."""
    words = tuple(filter(None, words))

    def at(text: str, place: int) -> Match:
        ends = [found for word in words if (found := text.find(word, place)) >= 0]
        ends += [start for word in words if (start := _begun(text, word, place)) is not None]
        return Match(min(ends)) if ends else Match(len(text), cut=True)

    return Parser(at)


def rest() -> Parser:
    """Match all that is left."""
    return until()


def sequence(*parsers: Parser) -> Parser:
    """Match all of these, one after the other."""

    def at(text: str, place: int) -> Match | None:
        captures: tuple[tuple[str, str], ...] = ()
        for parser in parsers:
            match = parser.at(text, place)
            if match is None:
                return None
            place, captures = match.end, captures + match.captures
            if match.cut:
                return Match(place, cut=True, captures=captures)
        return Match(place, captures=captures)

    return Parser(at)


def choice(*parsers: Parser) -> Parser:
    """Match the first of these that matches."""

    def at(text: str, place: int) -> Match | None:
        return next((match for parser in parsers if (match := parser.at(text, place)) is not None), None)

    return Parser(at)


def repeat(parser: Parser, least: int = 0, most: int | None = None) -> Parser:
    """Match a parser as often as it matches something."""

    def at(text: str, place: int) -> Match | None:
        captures: tuple[tuple[str, str], ...] = ()
        count = 0
        while (most is None or count < most) and place < len(text):
            match = parser.at(text, place)
            if match is None or (match.end == place and not match.cut):
                break
            captures += match.captures
            if match.cut:
                return Match(match.end, cut=True, captures=captures)
            place, count = match.end, count + 1
        if count < least:
            return Match(place, cut=True, captures=captures) if place >= len(text) else None
        return Match(place, captures=captures)

    return Parser(at)


def optional(parser: Parser | str) -> Parser:
    """Match a parser once, or nothing."""
    return repeat(_parser(parser), most=1)


def ahead(parser: Parser) -> Parser:
    """Match nothing, but only where this parser would match."""

    def at(text: str, place: int) -> Match | None:
        match = parser.at(text, place)
        return None if match is None else Match(place, cut=match.cut)

    return Parser(at)


def not_ahead(parser: Parser) -> Parser:
    """Match nothing, but only where this parser would not match."""

    def at(text: str, place: int) -> Match | None:
        match = parser.at(text, place)
        if match is None:
            return Match(place)
        return Match(place, cut=True) if match.cut else None

    return Parser(at)


def whole(parser: Parser) -> Parser:
    """Match this parser, and capture nothing where the text ends inside it."""

    def at(text: str, place: int) -> Match | None:
        match = parser.at(text, place)
        return Match(match.end, cut=True) if match is not None and match.cut else match

    return Parser(at)


def content(parser: Parser) -> Parser:
    """Match this parser; what it matches is part of the answer."""
    return _captured(CONTENT, parser)


def reasoning(parser: Parser) -> Parser:
    """Match this parser; what it matches is part of the reasoning."""
    return _captured(REASONING, parser)


def spaced(tag: str) -> Parser:
    """Match a tag; each character of white space at its ends may be missing."""
    bare = tag.strip(SPACES)
    head = tag[: tag.find(bare)] if bare else tag
    tail = tag[len(head) + len(bare) :]
    return sequence(*(optional(mark) for mark in head), literal(bare), *(optional(mark) for mark in tail))


def _captured(kind: str, parser: Parser) -> Parser:
    def at(text: str, place: int) -> Match | None:
        match = parser.at(text, place)
        if match is None:
            return None
        return Match(match.end, match.cut, ((kind, text[place : match.end]), *match.captures))

    return Parser(at)


def _begun(text: str, word: str, place: int) -> int | None:
    """Return where the text ends in the beginning of a word, at or after a place; None where it does not."""
    first = max(place, len(text) - len(word) + 1)
    return next((start for start in range(first, len(text)) if word.startswith(text[start:])), None)


def _parser(given: Parser | str) -> Parser:
    return literal(given) if isinstance(given, str) else given
