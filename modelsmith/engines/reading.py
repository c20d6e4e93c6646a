"""Values of answers that others wrote: of the right type, or garbage that is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modelsmith.engines.protocol import ToolCall
from modelsmith.errors import EngineError
from modelsmith.fields import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_CALLS = 256


def text_of(value: Mapping[str, Any], key: str, where: str) -> str:
    """Return a text, "" for null or nothing; raises EngineError for anything else."""
    found = value.get(key)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise garbage(where, f"{key} is no text", found)
    return found


def object_of(value: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    """Return an object, an empty one for null or nothing; raises EngineError for anything else."""
    found = value.get(key)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise garbage(where, f"{key} is no object", found)
    return found


def list_of(value: Mapping[str, Any], key: str, where: str) -> list[Mapping[str, Any]]:
    """Return a list of objects, an empty one for null or nothing; raises EngineError for anything else."""
    found = value.get(key)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(call, dict) for call in found) or len(found) > MAX_CALLS:
        raise garbage(where, f"{key} is no list of objects", found)
    return found


def count_of(value: Mapping[str, Any], key: str, where: str) -> int | None:
    """Return a count; None where there is none, or the number can be none. Raises EngineError for anything but a number."""
    found = _number_of(value, key, where)
    return None if found is None else int(found)


def seconds_of(value: Mapping[str, Any], key: str, unit: float, where: str) -> float | None:
    """Return a time that is noted in ``unit`` seconds; None where there is none, or the number can be none.

    Raises EngineError for anything but a number.
    """
    found = _number_of(value, key, where)
    return None if found is None else found * unit


def _number_of(value: Mapping[str, Any], key: str, where: str) -> float | None:
    found = value.get(key)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise garbage(where, f"{key} is no number", found)
    return found if 0 <= found < float("inf") else None


def call_of(name: str, arguments: object) -> ToolCall:
    """Return a call from its arguments, an object or the text of one."""
    if isinstance(arguments, dict):
        return ToolCall(name, arguments, json.dumps(arguments, ensure_ascii=False))
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    try:
        value = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError):
        value = None
    return ToolCall(name, value if isinstance(value, dict) else None, text)


def garbage(where: str, what: str, found: object) -> EngineError:
    """Return the error for an answer that is none."""
    return EngineError(
        f"{where} answered with garbage: {what}, but {shown(found)}",
        hint="what answers there is perhaps something else, or a version that is not known here",
    )
