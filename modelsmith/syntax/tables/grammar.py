"""Lark's parsers for the grammars of ``grammars/``; lark's own cache keeps what it computes of them.

The cache is the user's own folder (``$XDG_CACHE_HOME/modelsmith/grammars``, mode 0700). Lark writes pickles there, which
run code when they are read: so nothing is read from or written to a folder or file that others could have changed, and where
the system knows no owners of files nothing is kept at all.
"""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING, Any

import lark

from modelsmith.files.cache import cache_folder
from modelsmith.resources import GRAMMARS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Retype = Callable[[str], str]


def parser(name: str, *, values: object, retype: Mapping[str, Retype] | None = None) -> lark.Lark:
    """Return the LALR parser of ``grammars/<name>.lark``, whose terminals lark cuts itself.

    The methods of ``values``, named after the rules and aliases, make the value of a rule while it is parsed. ``retype`` may
    give another type to the tokens of a terminal by their text.
    """
    return _built(name, lexer="contextual", values=values, callbacks=_callbacks(retype or {}))


def declared_parser(name: str, *, values: object, lexer: type[lark.lexer.Lexer]) -> lark.Lark:
    """Return the LALR parser of a grammar that only declares its terminals: ``lexer`` cuts them."""
    return _built(name, lexer=lexer, values=values, callbacks={})


def _built(name: str, *, lexer: Any, values: object, callbacks: Mapping[str, Any]) -> lark.Lark:
    text = (GRAMMARS / f"{name}.lark").read_text(encoding="utf-8")
    return lark.Lark(
        text,
        parser="lalr",
        lexer=lexer,
        maybe_placeholders=False,
        transformer=values,
        lexer_callbacks=dict(callbacks),
        cache=_cache_file(name, text) or False,
    )


def _callbacks(retype: Mapping[str, Retype]) -> dict[str, Any]:
    def by(rule: Retype) -> Callable[[lark.Token], lark.Token]:
        def change(token: lark.Token) -> lark.Token:
            token.type = rule(token)
            return token

        return change

    return {terminal: by(rule) for terminal, rule in retype.items()}


def _cache_file(name: str, text: str) -> str | None:
    """Return the file for what lark computes of a grammar; None where a folder or a file would not be ours alone."""
    user = getattr(os, "geteuid", None)
    if user is None:
        return None
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    try:
        folder = cache_folder() / "grammars"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{name}-{lark.__version__}-{digest}.lark"
        if _is_ours(folder, stat.S_ISDIR, user()) and (
            not os.path.lexists(path) or _is_ours(path, stat.S_ISREG, user())
        ):
            return str(path)
    except (OSError, RuntimeError):
        pass
    return None


def _is_ours(path: Path, is_kind: Callable[[int], bool], user: int) -> bool:
    status = path.lstat()
    open_to_others = 0o077 if stat.S_ISDIR(status.st_mode) else 0o022
    return is_kind(status.st_mode) and status.st_uid == user and not status.st_mode & open_to_others
