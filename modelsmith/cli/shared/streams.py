"""Standard streams that carry every character, outlive their reader, and let nothing foreign steer the terminal."""

from __future__ import annotations

import codecs
import os
import sys
from contextlib import contextmanager
from io import BufferedWriter, FileIO, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, cast

from modelsmith.hidden import hiding, unseen, watch
from modelsmith.patterns import regex

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, TextIO

_CONTROL = regex("\x1b\\[[0-9;]*m|\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_STYLE = regex("\x1b\\[(?:[0-79]|[1-4][0-9]|9[0-7]|10[0-7]|[34]8;[25];[0-9;]+)?(?:;[0-9]+)*m")


def prepare_streams() -> None:
    r"""Let output be UTF-8 where the locale names no encoding of its own, and escape what another one cannot carry.

    Escapes have the form that JSON has for them (``\uff5c``), so that JSON stays JSON. A reader that goes away (``head``)
    changes nothing for the command: the rest is thrown away. On a terminal control characters are shown, not sent.
    """
    codecs.register_error("modelsmith-escape", _escaped)
    sys.stdout, sys.stderr = _prepared(sys.stdout), _prepared(sys.stderr)


def declined(question: str, *, yes: bool) -> bool:
    """Ask on a terminal whether to go on, and say so where the answer is no: the exit code is 1 then.

    Nobody is asked with ``--yes``, nor without a terminal.
    """
    import click

    if yes or not (sys.stdin and sys.stdin.isatty()) or click.confirm(question, err=True):
        return False
    click.echo("nothing was changed", err=True)
    return True


@contextmanager
def unseeing() -> Iterator[None]:
    """Let standard streams show no secret, from the moment on when there is one; everything is as before at the end."""
    before = sys.stdout, sys.stderr

    def install() -> None:
        if not isinstance(sys.stdout, Unseeing):
            sys.stdout, sys.stderr = cast("TextIO", Unseeing(sys.stdout)), cast("TextIO", Unseeing(sys.stderr))

    with hiding():
        watch(install)
        try:
            yield
        finally:
            if isinstance(sys.stdout, Unseeing):
                sys.stdout, sys.stderr = before


class Unseeing:
    """A stream that shows no secret; for everything else it is the one below."""

    def __init__(self, inner: TextIO) -> None:
        self.inner = inner

    def write(self, text: str, /) -> int:
        """Write what may be seen."""
        self.inner.write(unseen(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def has_colour(environment: Mapping[str, str] = os.environ) -> bool:
    """Say whether output may have colours and styles: not with NO_COLOR (no-color.org), nor on a dumb terminal."""
    return not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def visible(text: str) -> str:
    r"""Return a text for a terminal: control characters as ``\x1b``, and of escape sequences only colours and styles."""
    return _CONTROL.sub(lambda found: _shown(found[0]), text)


def _shown(found: str) -> str:
    if len(found) > 1 and has_colour() and _STYLE.fullmatch(found):
        return found
    from modelsmith.source import spelled

    return "".join(char if char.isprintable() else spelled(char) for char in found)


def _prepared(stream: TextIO | None) -> TextIO:
    if stream is None:  # closed by whoever started this
        return Path(os.devnull).open("w", encoding="utf-8")
    if type(stream) is not TextIOWrapper:
        return stream  # replaced by whoever runs this
    name = codecs.lookup(stream.encoding).name
    if name == "ascii":
        encoding, errors = "utf-8", "surrogateescape"
    elif name == "utf-8":
        encoding, errors = "utf-8", stream.errors or "strict"
    else:
        encoding, errors = stream.encoding, "modelsmith-escape"
    try:
        descriptor = stream.fileno()
        stream.flush()
    except (OSError, ValueError):
        return stream
    is_terminal = stream.isatty()
    kind = GuardedTerminal if is_terminal else TextIOWrapper
    buffer = BufferedWriter(_Outliving(descriptor, "wb", closefd=False))
    return kind(buffer, encoding=encoding, errors=errors, line_buffering=is_terminal or stream.line_buffering)


class _Outliving(FileIO):
    """A pipe whose reader may go away: what is written then is thrown away, and the command goes on to its own exit code."""

    def write(self, data: Any, /) -> int:
        """Write as much as the reader takes."""
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return len(data)


class GuardedTerminal(TextIOWrapper):
    """A terminal, which gets to see control characters of foreign texts as escapes."""

    def write(self, text: str) -> int:
        """Write what may be shown."""
        super().write(visible(text))
        return len(text)


class _Moving:
    """The way past that for our own progress bars, which move the cursor; what is foreign in them is made printable there."""

    def __init__(self, terminal: GuardedTerminal) -> None:
        self._terminal = terminal

    def write(self, text: str) -> int:
        """Write a text as it is."""
        return TextIOWrapper.write(self._terminal, text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._terminal, name)


def cursor_stream(stream: TextIO) -> Any:
    """Return a stream for what moves the cursor on a terminal."""
    if isinstance(stream, Unseeing):
        return Unseeing(cursor_stream(stream.inner))
    return _Moving(stream) if isinstance(stream, GuardedTerminal) else stream


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4)), error.end
