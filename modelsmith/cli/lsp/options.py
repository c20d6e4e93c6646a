"""What an editor may set: in initializationOptions, or later by workspace/didChangeConfiguration."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from modelsmith.diagnostic import did_you_mean
from modelsmith.errors import UsageError
from modelsmith.lint.config import codes
from modelsmith.versions import NEWEST, Version, resolve

if TYPE_CHECKING:
    from collections.abc import Callable

SECTION = "modelsmith"
"""Under which editors keep the settings."""

_OF_EDITORS = frozenset(("path", "trace", "server", "enable"))
"""What editors keep under the same name for themselves."""


@dataclass(frozen=True, slots=True)
class Options:
    """The settings, by their names in ``camelCase``; what is None or empty is left to modelsmith.toml.

    ``text_only`` looks at no files and models, ``store`` says where models live, ``format_templates`` formats inside ``{{ }}``
    of a TEMPLATE too, ``time_limit`` is in seconds, ``rules_url`` is where the pages of rules are, with ``{code}`` in it.
    """

    target_ollama: Version | None = None
    text_only: bool = False
    store: str | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    format_templates: bool = False
    time_limit: float = 10.0
    rules_url: str = ""


def read_options(data: object) -> tuple[Options, tuple[str, ...]]:
    """Return the settings in what an editor sent, and what was wrong with it; a wrong setting counts as not set."""
    if data is None:
        return Options(), ()
    if isinstance(data, dict) and isinstance(data.get(SECTION), dict):
        data = data[SECTION]
    if not isinstance(data, dict):
        return Options(), (f"the settings are {data!r:.100}, not an object",)
    known = {_camel(field.name): field.name for field in fields(Options)}
    read: dict[str, Any] = {}
    problems = []
    for key, value in data.items():
        name = known.get(str(key))
        if key in _OF_EDITORS:
            continue
        if name is None:
            problems.append(f'there is no setting "{key!s:.100}"{did_you_mean(str(key), known)}')
        elif value not in (None, ""):
            try:
                read[name] = _READERS[name](value, str(key))
            except UsageError as error:
                problems.append(error.message)
    return Options(**read), tuple(problems)


def _camel(name: str) -> str:
    first, *more = name.split("_")
    return first + "".join(word.title() for word in more)


def _flag(value: object, key: str) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"{key} is {value!r:.100}, not true or false")
    return value


def _text(value: object, key: str) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{key} is {value!r:.100}, not a text")
    return value


def _seconds(value: object, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 3600:
        raise UsageError(f"{key} is {value!r:.100}, not a number of seconds")
    return float(value)


def _version(value: object, key: str) -> Version:
    text = _text(value, key)
    return NEWEST if text == "latest" else resolve(text)


_READERS: dict[str, Callable[[object, str], Any]] = {
    "target_ollama": _version,
    "text_only": _flag,
    "store": _text,
    "select": codes,
    "ignore": codes,
    "format_templates": _flag,
    "time_limit": _seconds,
    "rules_url": _text,
}
