"""What Ollama adds: ``json``, the dates and ``toTypeScriptType``. Source: Ollama, ``template/template.go``."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from modelsmith.template.go.values.to_json import Unsupported, marshal
from modelsmith.template.go.values.types import TOOL_PROPERTY, typescript_type
from modelsmith.template.go.values.values import Pointer, Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from modelsmith.template.go.state import State


def _local_today() -> dt.date:
    return dt.datetime.now().astimezone().date()


_today: ContextVar[Callable[[], dt.date]] = ContextVar("today", default=_local_today)


@contextmanager
def today_is(date: dt.date) -> Iterator[None]:
    """Let templates rendered inside take ``date`` for today."""
    token = _today.set(lambda: date)
    try:
        yield
    finally:
        _today.reset(token)


def json(_state: State, values: list[Any]) -> str:
    """Return a value as JSON; nothing for what has none."""
    try:
        return marshal(values[0])
    except Unsupported:
        return ""


def current_date(_state: State, _formats: list[Any]) -> str:
    """Return today's date; the formats that a template may ask for are ignored."""
    return _today.get()().isoformat()


def yesterday_date(_state: State, _formats: list[Any]) -> str:
    """Return yesterday's date."""
    return (_today.get()() - dt.timedelta(days=1)).isoformat()


def to_typescript_type(_state: State, values: list[Any]) -> str:
    """Return a tool property's type in the words of TypeScript, ``any`` for anything else."""
    value = values[0].target if isinstance(values[0], Pointer) else values[0]
    return typescript_type(value) if isinstance(value, Struct) and value.type is TOOL_PROPERTY else "any"
