"""Filters of chat templates that differ from jinja2's: measured before they build something large, or written otherwise.

Source: jinja2, filters.py; ``tojson`` is that of Hugging Face transformers, utils/chat_template_utils.py.
"""

from __future__ import annotations

import json
from functools import wraps
from typing import TYPE_CHECKING, Any

from jinja2.filters import make_attrgetter
from jinja2.utils import pass_environment

from modelsmith.template.jinja.transformers.limits import BUDGET, LimitReached, check_method, check_percent, weight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jinja2 import Environment

_LARGEST = 300
_REPEATING = ("batch", "center", "round", "slice", "wordwrap")
_DROPPED = ("pprint", "random", "urlize")


def joined(parts: Iterable[object], between: str = "") -> str:
    """Join parts to one text, measuring it first."""
    texts, size = [], 0
    budget = BUDGET.get()
    for part in parts:
        text = part if isinstance(part, str) else str(part)
        size += len(text) + len(between)
        if size > budget.limits.size:
            break
        texts.append(text)
    budget.spend(size)
    return between.join(texts)


def chat_filters(filters: dict[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Return jinja2's filters as chat templates get them: measured, and without those that guess or are random."""
    kept: dict[str, Callable[..., Any]] = {name: call for name, call in filters.items() if name not in _DROPPED}
    for name in _REPEATING:
        kept[name] = _bounded(name, kept[name])
    own: dict[str, Callable[..., Any]] = {
        "format": _format,
        "indent": _indent,
        "join": _join,
        "replace": _replace,
        "tojson": _tojson,
    }
    return {name: _measured(call) for name, call in (kept | own).items()}


def _measured(call: Callable[..., Any]) -> Callable[..., Any]:
    """Count what a filter returns."""

    @wraps(call)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = call(*args, **kwargs)
        if isinstance(result, (str, list, tuple, dict)):
            BUDGET.get().spend(weight(result))
        return result

    return wrapped


def _bounded(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse too large numbers and texts as arguments of a filter that repeats what it is given."""
    first = 2 if hasattr(call, "jinja_pass_arg") else 1

    @wraps(call)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        for argument in (*args[first:], *kwargs.values()):
            size = abs(argument) if isinstance(argument, int) else weight(argument)
            if size > _LARGEST:
                raise LimitReached(f'it gives the filter "{name}" too large an argument')
        return call(*args, **kwargs)

    return wrapped


def _tojson(
    value: object,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    if isinstance(indent, int) and indent > _LARGEST:
        raise LimitReached(f"it indents JSON by {indent}")
    encoder = json.JSONEncoder(
        ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys, check_circular=False
    )
    return joined(encoder.iterencode(value))


@pass_environment
def _join(env: Environment, value: Iterable[Any], d: object = "", attribute: str | int | None = None) -> str:
    items = value if attribute is None else map(make_attrgetter(env, attribute), value)
    return joined(items, str(d))


def _replace(s: object, old: object, new: object, count: int | None = None) -> str:
    text, before, after = str(s), str(old), str(new)
    check_method(text, "replace", (before, after))
    return text.replace(before, after, -1 if count is None else count)


def _format(value: object, *args: object, **kwargs: object) -> str:
    if args and kwargs:
        raise TypeError("can't handle positional and keyword arguments at the same time")
    text = str(value)
    check_percent(text)
    return text % (kwargs or args)


def _indent(s: object, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    text = str(s)
    size = len(width) if isinstance(width, str) else max(width, 0)
    BUDGET.get().spend(len(text) + (text.count("\n") + 1) * size)
    margin = width if isinstance(width, str) else " " * width
    lines = (text + "\n").splitlines()
    if blank:
        body = ("\n" + margin).join(lines)
    else:
        body = "\n".join((lines[0], *(margin + line if line else line for line in lines[1:])))
    return margin + body if first else body
