"""The text of a lock: JSON with one value a line, the same for the same values, and read with limits.

Texts of several lines are lists of lines, so that a difference of two locks shows the line that changed.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from modelsmith.errors import UnreadableFile
from modelsmith.files.regular import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_BYTES = 32 << 20
_WIDTH = 100
_MAX_DEPTH = 40


def dumps(value: Any) -> bytes:
    """Return plain values as JSON: short lists and mappings on one line, everything else one item a line."""
    return ("".join(_lines(value, "")) + "\n").encode("utf-8", "surrogatepass")


def _lines(value: Any, indent: str) -> Iterator[str]:
    short = json.dumps(value, ensure_ascii=_needs_escapes(value))
    if not isinstance(value, dict | list) or not value or (len(short) <= _WIDTH and _is_flat(value)):
        yield short
        return
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    inner = indent + "  "
    items = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    yield opening + "\n"
    for number, (key, item) in enumerate(items):
        yield inner + (f"{json.dumps(key, ensure_ascii=_needs_escapes(key))}: " if key is not None else "")
        yield from _lines(item, inner)
        yield ",\n" if number < len(value) - 1 else "\n"
    yield indent + closing


def _is_flat(value: Any) -> bool:
    """Say whether a value stands on one line: no texts below each other, and nothing nested in it but short lists."""
    if isinstance(value, dict):
        return all(not isinstance(item, dict) and _is_flat(item) for item in value.values())
    return not isinstance(value, list) or all(isinstance(item, int | float) or item is None for item in value)


def _needs_escapes(value: Any) -> bool:
    """Say whether a text holds what an editor, or a terminal, would show wrongly: controls, directions, lone surrogates."""
    return not json.dumps(value, ensure_ascii=False).replace("\n", "").isprintable()


def read(path: Path) -> Any:
    """Return what a file of JSON holds; raises UnreadableFile where it is missing, too large, or no such text."""
    with os.fdopen(open_regular(path), "rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise UnreadableFile(f"{path} is larger than {MAX_BYTES >> 20} MiB", hint="is it the right file?")
    return loads(data, str(path))


def loads(data: bytes, name: str) -> Any:
    """Return the value of a JSON text; raises UnreadableFile for anything else, for names that occur twice, and for depth."""
    try:
        value = json.loads(data.decode(), object_pairs_hook=_unique, parse_constant=_no_number)
        _check_depth(value, 0)
    except (ValueError, RecursionError) as error:
        place = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else getattr(error, "msg", str(error))
        conflict = b"\n<<<<<<< " in b"\n" + data[:MAX_BYTES]
        hint = (
            "a merge left both sides in it: take one, and run `modelsmith lock` again"
            if conflict
            else "is it the right file? else take it from git, or remove it and make it again"
        )
        raise UnreadableFile(f"{name}{place}: this is no JSON that modelsmith wrote: {reason}", hint=hint) from error
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for number, (key, _) in enumerate(pairs) if key in dict(pairs[:number]))
        raise ValueError(f'the name "{twice:.80}" is there twice')
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _check_depth(value: Any, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise ValueError("it is nested too deeply")
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _check_depth(item, depth + 1)
