"""Load a grammar of ``grammars/`` as a Lark parser, fast: its tables are computed once and kept as JSON.

The cache is the user's own folder (``$XDG_CACHE_HOME/modelsmith/grammars``, mode 0700). A file is named after everything
its tables depend on and starts with its own digest; one that is foreign, open to others or damaged is not used.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lark
from lark.lexer import BasicLexer, ContextualLexer, LexerState, TerminalDef, Token

from modelsmith.resources import GRAMMARS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Callbacks = Mapping[str, Callable[[Token], Token]]


class _OffsetLexer(BasicLexer):
    """A lexer that counts no lines: tokens know their offsets, which is all that spans need."""

    def next_token(self, lex_state: LexerState, parser_state: Any = None) -> Token:
        counter = lex_state.line_ctr
        start = counter.char_pos
        found = self.scanner.match(lex_state.text, start) if start < lex_state.text.end else None
        if found is None or self.ignore_types:
            return super().next_token(lex_state, parser_state)
        value, kind = found
        counter.char_pos = end = start + len(value)
        token = Token(kind, value, start, end_pos=end)
        if kind in self.callback:
            token = self.callback[kind](token)
        lex_state.last_token = token
        return token


class _OffsetContextualLexer(ContextualLexer):
    BasicLexer = _OffsetLexer


def load(
    name: str,
    *,
    lexer: type[lark.lexer.Lexer] | None = None,
    start: str | list[str] = "start",
    callbacks: Callbacks | None = None,
    transformer: object | None = None,
) -> lark.Lark:
    """Return the LALR parser of ``grammars/<name>.lark``, the same one for the same arguments.

    ``lexer`` replaces Lark's contextual lexer; ``callbacks`` may retype tokens by terminal. Tokens carry offsets only.
    ``transformer`` makes the tree while the text is parsed: its methods are named after the rules.
    """
    starts = (start,) if isinstance(start, str) else tuple(start)
    return _load(name, lexer, starts, tuple((callbacks or {}).items()), transformer)


@cache
def _load(
    name: str,
    lexer: type[lark.lexer.Lexer] | None,
    starts: tuple[str, ...],
    callbacks: tuple[tuple[str, Callable[[Token], Token]], ...],
    transformer: object | None,
) -> lark.Lark:
    text = (GRAMMARS / f"{name}.lark").read_text(encoding="utf-8")
    key = repr((text, lark.__version__, sys.version_info[:2], starts, lexer and (lexer.__module__, lexer.__qualname__)))
    cached = _cache_folder()
    path = cached and cached / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"
    runtime: dict[str, Any] = {"lexer_callbacks": dict(callbacks), "transformer": transformer}
    if lexer is None:
        runtime["_plugins"] = {"ContextualLexer": _OffsetContextualLexer}
    if path and (tables := _read(path)):
        kind = lexer or "contextual"
        tables["data"]["options"]["lexer"] = tables["data"]["parser"]["lexer_conf"]["lexer_type"] = kind
        loaded: lark.Lark = lark.Lark.__new__(lark.Lark)
        return loaded._load(tables, **runtime)  # noqa: SLF001 -- lark's only loader that does not unpickle
    parser = build(text, lexer=lexer, starts=starts, **runtime)
    if path:
        _write(path, _tables(parser))
    return parser


def build(
    text: str,
    *,
    lexer: type[lark.lexer.Lexer] | None = None,
    starts: tuple[str, ...] = ("start",),
    strict: bool = False,
    **options: Any,
) -> lark.Lark:
    """Compute a parser from a grammar's text; ``strict`` refuses every ambiguity of the grammar (slow, for tests)."""
    return lark.Lark(
        text,
        parser="lalr",
        lexer=lexer or "contextual",
        start=list(starts),
        maybe_placeholders=False,
        strict=strict,
        **options,
    )


def _tables(parser: lark.Lark) -> dict[str, Any]:
    data, memo = parser.memo_serialize([TerminalDef, lark.grammar.Rule])
    data["options"] = {
        key: value
        for key, value in data["options"].items()
        if key not in {"lexer", "lexer_callbacks", "transformer", "_plugins"}
    }
    data["parser"]["lexer_conf"]["lexer_type"] = ""
    return {"data": data, "memo": memo}


def _cache_folder() -> Path | None:
    """Return the folder for tables, made if need be; None where it would not be ours alone."""
    base = os.environ.get("XDG_CACHE_HOME") or ""
    try:
        folder = (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "modelsmith" / "grammars"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
    except (OSError, RuntimeError):
        return None
    private = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077
    return folder if private else None


def _read(path: Path) -> dict[str, Any] | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
                return None
            digest, _, content = file.read().partition(b"\n")
    except OSError:
        return None
    if hashlib.sha256(content).hexdigest().encode() != digest:
        return None
    tables: dict[str, Any] = json.loads(content, object_hook=_number_keys)
    return tables


def _number_keys(mapping: dict[str, Any]) -> dict[Any, Any]:
    """Give back to JSON's objects the numbers that lark's tables have as keys."""
    return {int(key): value for key, value in mapping.items()} if next(iter(mapping), "").isdecimal() else mapping


def _write(path: Path, tables: dict[str, Any]) -> None:
    content = json.dumps(tables, separators=(",", ":")).encode()
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    except OSError:
        return
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
