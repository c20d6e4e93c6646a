"""Load the LALR tables of a grammar of ``grammars/``, fast: lark computes them once, and they are kept as JSON.

Lark itself is imported only to compute them. The cache is the user's own folder (``$XDG_CACHE_HOME/modelsmith/grammars``,
mode 0700). A file says what everything its tables depend on was, and starts with a sum of its own; one that is foreign, old,
open to others or damaged is not used.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelsmith.resources import GRAMMARS

if TYPE_CHECKING:
    import lark

FORM = 1
"""The form of the tables; another one is another file in the cache."""


@cache
def load(name: str, *, declared: bool = False) -> dict[str, Any]:
    """Return the tables of ``grammars/<name>.lark`` as syntax/lalr.py takes them.

    ``declared`` grammars have no regular expressions: somebody else cuts their terminals.
    """
    text = (GRAMMARS / f"{name}.lark").read_text(encoding="utf-8")
    key = repr((FORM, text, declared, sys.version_info[:2]))
    cached = _cache_folder()
    path = cached and cached / f"{name}-{_sum(key.encode())}.json"
    if path and (tables := _read(path, key)):
        return tables
    tables = tables_of(build(text, declared=declared))
    if path:
        _write(path, tables | {"key": key})
    return tables


def build(text: str, *, declared: bool = False, strict: bool = False) -> lark.Lark:
    """Compute a parser from a grammar's text; ``strict`` refuses every ambiguity of the grammar (slow, for tests)."""
    import lark

    class Nothing(lark.lexer.Lexer):
        """The lexer of a grammar whose terminals are only declared."""

        __future_interface__ = 1

        def __init__(self, _conf: object) -> None:
            """Take nothing from lark's configuration."""

        def lex(self, _state: object, _parser_state: object = None) -> Any:
            """Cut nothing."""
            raise NotImplementedError

    kind: Any = Nothing if declared else "contextual"
    return lark.Lark(text, parser="lalr", lexer=kind, maybe_placeholders=False, strict=strict)


def tables_of(parser: lark.Lark) -> dict[str, Any]:
    """Return what a lark parser has computed, as JSON can hold it.

    ``states`` are rows: a terminal's name leads to the number of a state to go to or, below zero, to a rule's place from the
    end; ``rules`` are origin, size, the name of what makes the value, and which parts it is made of (each with whether it is
    a list whose items are meant); ``scanners`` are the regular expressions that cut the next terminal in each state.
    """
    from lark.parsers.lalr_analysis import Shift

    frontend: Any = parser.parser
    table = frontend.parser._parse_table  # noqa: SLF001 -- lark shows its tables nowhere else
    numbers = {state: number for number, state in enumerate(table.states)}
    rules: list[Any] = []
    places: dict[int, int] = {}
    states = []
    for row in table.states.values():
        steps = {}
        for name, (action, argument) in row.items():
            if action is Shift:
                steps[name] = numbers[argument]
                continue
            if id(argument) not in places:
                places[id(argument)] = len(rules)
                rules.append(_rule(argument))
            steps[name] = -1 - places[id(argument)]
        states.append(steps)
    lexers = getattr(frontend.lexer, "lexers", {})
    scanners = [_scanner(lexers[state]) if state in lexers else "" for state in table.states]
    return {"first": numbers[table.start_states["start"]], "states": states, "rules": rules, "scanners": scanners}


def _rule(rule: Any) -> list[Any]:
    kept = [
        (place, not symbol.is_term and symbol.name.startswith("_"))
        for place, symbol in enumerate(rule.expansion)
        if not (symbol.is_term and symbol.filter_out)
    ]
    is_whole = len(kept) == len(rule.expansion) and not any(inlined for _, inlined in kept)
    return [rule.origin.name, len(rule.expansion), rule.alias or rule.origin.name, None if is_whole else kept]


def _scanner(lexer: Any) -> str:
    """Return the terminals of a state as one regular expression, in the order in which lark tries them."""
    return "|".join(f"(?P<{each.name}>{each.pattern.to_regexp()})" for each in lexer.terminals)


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


def _sum(data: bytes) -> str:
    return f"{zlib.crc32(data):08x}"


def _read(path: Path, key: str) -> dict[str, Any] | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
                return None
            digest, _, content = file.read().partition(b"\n")
    except OSError:
        return None
    if _sum(content).encode() != digest:
        return None
    tables: dict[str, Any] = json.loads(content)
    return tables if tables.pop("key", None) == key else None


def _write(path: Path, tables: dict[str, Any]) -> None:
    import tempfile

    content = json.dumps(tables, separators=(",", ":")).encode()
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    except OSError:
        return
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(_sum(content).encode() + b"\n" + content)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
