"""Command lines as shells read them, tolerant of what people paste: prompts, placeholders, three kinds of continuation.

Sources: POSIX Shell Command Language, sections 2.2 (quoting), 2.3 (tokens), 2.7.4 (here-documents); PowerShell's and cmd's
line continuation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modelsmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

PROMPT = re.compile(
    r"[ \t]*(?:\([\w.-]+\)[ \t]*)?(?:[\w.-]+@[\w.-]+[^#$%>\n]{0,60}[#$%>]|PS(?: [^>\n]{0,80})?>|[A-Z]:\\[^>\n]{0,80}>"
    r"|\[[^\]\n]{1,40}\][#$%]|[$%❯➜])[ \t]+"
)
_REPL = re.compile(r"[ \t]*(?:>>>|\.\.\. )[^\n]*")
_PLACEHOLDER = re.compile(r"<[^\s<>\n|&;=(][^<>\n|&;]{0,40}>")
_PLAIN = re.compile(r"[\w./:@%+,=-]+")
_CONTINUED = re.compile(r"[\\`^](?P<blanks>[ \t]*)\r?\n[ \t]*")
_CONTINUABLE = re.compile(
    r"[ \t]*(?:[$>][ \t]+)?(?:sudo[ \t]+)?(?:-{1,2}[a-zA-Z]|(?:docker|podman|curl|ollama|kubectl|helm|pip)[ \t])"
)
BROKEN_VOLUME = re.compile(r"(?<=[\w/.}])\r?\n[ \t]*(?=:/)")
"""The line end inside ``-v /host`` ``:/container``, as left by a page that wraps long lines."""
_HERE = re.compile(r"<<(?P<dash>-?)[ \t]*(?P<quote>['\"]?)(?P<word>[A-Za-z_]\w*)(?P=quote)")
_DEEPEST, _FARTHEST = 8, 4000
"""How deep ``$( )`` is followed, and how far its end is looked for."""
_MOST_HERE = 8
"""Here-documents of one line that are read."""
_OPERATOR = re.compile(r"&&|\|\||;;|[;|&()]")
_REDIRECT = re.compile(r"(?:\d?|&)(?:>>|>&|>\||>|<)")


@dataclass(frozen=True, slots=True)
class Word:
    """One word without its quotes; ``span`` covers it with them."""

    value: str
    span: Span
    quoted: bool = False

    @property
    def inside(self) -> int:
        """Where the value begins, for a word that is as a whole quoted or not at all."""
        return self.span.start + (1 if self.quoted and self.span.end - self.span.start == len(self.value) + 2 else 0)

    def part(self, start: int, end: int | None = None) -> Span:
        """Return the span of a part of the value, or of the whole word where quotes stand in between."""
        length = self.span.end - self.span.start
        if length not in {len(self.value), len(self.value) + 2}:
            return self.span
        shift = self.span.start + (length - len(self.value)) // 2
        return Span(shift + start, shift + (len(self.value) if end is None else end))


@dataclass(frozen=True, slots=True)
class Simple:
    """A simple command: its words, where its output goes, the body of its here-document as it arrives, and how it is joined."""

    words: tuple[Word, ...]
    redirects: tuple[tuple[str, Word], ...] = ()
    body: Span | None = None
    piped: bool = False
    line_start: bool = False

    @property
    def span(self) -> Span:
        """From the first word to the end of the last."""
        return Span(self.words[0].span.start, self.words[-1].span.end)


@dataclass(slots=True)
class _Reader:
    """Reads one text; every method moves ``at``."""

    text: str
    at: int = 0
    end: int = 0
    words: list[Word] = field(default_factory=list)
    redirects: list[tuple[str, Word]] = field(default_factory=list)
    here: list[tuple[str, bool, bool]] = field(default_factory=list)
    nested: list[Span] = field(default_factory=list)
    depth: int = 0
    piped: bool = False
    line_start: bool = True
    fresh: bool = True

    def flush(self, body: Span | None = None, *, literal: bool = False) -> Iterator[Simple]:
        if self.words:
            if body is not None and not literal and re.search(r"[$`\\]", body.of(self.text)):
                body = None  # the shell would change it
            yield Simple(tuple(self.words), tuple(self.redirects), body, self.piped, self.line_start)
        self.words, self.redirects, self.line_start = [], [], False
        inner, self.nested = self.nested, []
        for span in inner if self.depth < _DEEPEST else ():
            yield from _Reader(self.text, span.start, max(span.start, span.end), depth=self.depth + 1).run()

    def run(self) -> Iterator[Simple]:
        while self.at < self.end:
            if self.fresh:
                self.fresh = False
                match = _REPL.match(self.text, self.at, self.end) or PROMPT.match(self.text, self.at, self.end)
                if match:
                    self.at = match.end()
                    continue
            char = self.text[self.at]
            if match := _CONTINUED.match(self.text, self.at, self.end):
                self.at = match.end()
            elif char == "\n":
                yield from self._line_end()
            elif char in " \t\r":
                self.at += 1
            elif char == "#":
                line_end = self.text.find("\n", self.at, self.end)
                self.at = self.end if line_end < 0 else line_end
            elif match := _HERE.match(self.text, self.at, self.end):
                self.here.append((match["word"], bool(match["dash"]), bool(match["quote"])))
                self.at = match.end()
            elif (match := _REDIRECT.match(self.text, self.at, self.end)) and not _PLACEHOLDER.match(
                self.text, self.at, self.end
            ):
                self.at = match.end()
                self._redirect(match[0])
            elif match := _OPERATOR.match(self.text, self.at, self.end):
                yield from self.flush()
                self.piped = match[0] == "|"
                self.at = match.end()
            else:
                self.words.append(self.word())
        yield from self.flush()

    def _line_end(self) -> Iterator[Simple]:
        self.at += 1
        self.fresh = True
        body, literal = None, False
        for word, dashed, quoted in self.here[:_MOST_HERE]:
            literal = quoted
            blanks = r"[ \t]*" if dashed else " *"
            close = re.compile(rf"^{blanks}{re.escape(word)}[ \t]*$", re.MULTILINE)
            match = close.search(self.text, self.at, self.end)
            body = Span(self.at, match.start() if match else self.end)
            self.at = min(self.end, match.end() + 1) if match else self.end
        self.here = []
        yield from self.flush(body, literal=literal)
        self.piped, self.line_start = False, True

    def _redirect(self, operator: str) -> None:
        while self.at < self.end and self.text[self.at] in " \t":
            self.at += 1
        if self.at < self.end and self.text[self.at] not in "\n;|&()":
            self.redirects.append((operator, self.word()))

    def word(self) -> Word:
        start, parts, quoted = self.at, [], False
        while self.at < self.end:
            if match := _PLAIN.match(self.text, self.at, self.end):
                parts.append(match[0])
                self.at = match.end()
                continue
            char = self.text[self.at]
            if match := _PLACEHOLDER.match(self.text, self.at, self.end):
                parts.append(match[0])
                self.at = match.end()
            elif match := BROKEN_VOLUME.match(self.text, self.at, self.end):
                self.at = match.end()
            elif char in " \t\r\n;|&()<>" or _CONTINUED.match(self.text, self.at, self.end):
                break
            elif char in "'\"" and (close := self._closing(char)) >= 0:
                quoted = True
                inner = self.text[self.at + 1 : close]
                if char == '"':
                    self._substitutions(self.at + 1, close)
                    inner = re.sub(r'\\([\\"$`])', r"\1", inner)
                parts.append(inner)
                self.at = close + 1
            elif self.text.startswith("$(", self.at):
                close = self._parenthesis(self.at + 1)
                self.nested.append(Span(self.at + 2, close))
                parts.append(self.text[self.at : min(self.end, close + 1)])
                self.at = min(self.end, close + 1)
            elif char == "\\" and self.at + 1 < self.end and self.text[self.at + 1] in " \"'\\$&|;()<>":
                parts.append(self.text[self.at + 1])
                self.at += 2
            else:
                parts.append(char)
                self.at += 1
        if self.at == start:  # a lone bracket: take it, so that the reader always moves on
            self.at += 1
            parts.append(self.text[start])
        return Word("".join(parts), Span(start, self.at), quoted)

    def _closing(self, quote: str) -> int:
        """Return where the quote that opens here is closed; -1 if never, as in "don't"."""
        if self.at > 0 and quote == "'" and self.text[self.at - 1].isalpha():
            return -1
        place = self.at + 1
        while (place := self.text.find(quote, place, self.end)) >= 0:
            if quote == "'" or self.text[place - 1] != "\\":
                return place
            place += 1
        return -1

    def _parenthesis(self, opening: int) -> int:
        depth = 0
        for place in range(opening, min(self.end, opening + _FARTHEST)):
            depth += {"(": 1, ")": -1}.get(self.text[place], 0)
            if depth == 0:
                return place
        return min(self.end, opening + _FARTHEST)

    def _substitutions(self, start: int, end: int) -> None:
        while (start := self.text.find("$(", start, end)) >= 0:
            close = min(self._parenthesis(start + 1), end)
            self.nested.append(Span(start + 2, close))
            start = close


def commands(text: str, span: Span | None = None) -> Iterator[Simple]:
    """Yield the simple commands of a text in order, those inside ``$( )`` after the one that holds them."""
    reader = _Reader(text, span.start if span else 0, span.end if span else len(text))
    yield from reader.run()


def broken_continuations(text: str) -> Iterator[Span]:
    """Yield each backslash that blanks separate from the line end, so that the next line is a command of its own."""
    for match in re.finditer(r"\\(?P<blanks>[ \t]+)(?=\r?\n[ \t]*\S)", text):
        line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        if line.endswith((" ", "\t")) and _CONTINUABLE.match(line):
            yield Span(match.start(), match.end())
