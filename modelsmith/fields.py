"""JSON of others, read field by field into the types that all the rest counts on; what is of another type is an error that names it.

A field that is missing or null is empty, as Go reads it. Anything else of the wrong type is told with the field, its value, and
where it comes from: an answer that is not understood never looks like one that says nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from modelsmith.records import dataclass

if TYPE_CHECKING:
    from modelsmith.errors import ModelsmithError

_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Fields:
    """An object: its values, ``where`` it comes from, its ``path`` within that, and the error for what is wrong in it."""

    values: Mapping[str, Any]
    where: str
    error: Callable[[str], ModelsmithError] = field(compare=False)
    path: str = ""

    @classmethod
    def of(cls, value: object, where: str, error: Callable[[str], ModelsmithError]) -> Fields:
        """Take what JSON said as a whole; raises the error where it is no object."""
        if not isinstance(value, Mapping):
            raise error(f"{where} is {shown(value)}, not an object")
        return cls(value, where, error)

    def __contains__(self, key: str) -> bool:
        return self.values.get(key) is not None

    def text(self, key: str) -> str:
        """Return a text, "" where there is none."""
        return self._typed(key, str, "a text") or ""

    def flag(self, key: str) -> bool:
        """Return true or false; false where it is not said."""
        return self._typed(key, bool, "true or false") or False

    def count(self, key: str) -> int:
        """Return a size or a number of things, 0 where it is not said."""
        value = self.values.get(key)
        if value is None:
            return 0
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.wrong(key, "a whole number of 0 or more")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, an empty one where there is none."""
        return tuple(self._items(key, str, "a text"))

    def object(self, key: str) -> Fields:
        """Return an object, an empty one where there is none."""
        value: Mapping[str, Any] | None = self._typed(key, dict, "an object")
        return Fields(value or {}, self.where, self.error, self._named(key))

    def objects(self, key: str) -> tuple[Fields, ...]:
        """Return a list of objects, an empty one where there is none."""
        found = enumerate(self._items(key, dict, "an object"))
        return tuple(Fields(item, self.where, self.error, f"{self._named(key)}[{number}]") for number, item in found)

    def wrong(self, key: str, wanted: str) -> ModelsmithError:
        """Return the error for a field that is not what is wanted."""
        return self.error(f"{self.where}: {self._named(key)} is {shown(self.values.get(key))}, not {wanted}")

    def _typed(self, key: str, kind: type, wanted: str) -> Any:
        value = self.values.get(key)
        if value is not None and not isinstance(value, kind):
            raise self.wrong(key, wanted)
        return value

    def _items(self, key: str, kind: type, wanted: str) -> Iterator[Any]:
        items: list[Any] = self._typed(key, list, "a list") or []
        for number, item in enumerate(items):
            if not isinstance(item, kind):
                raise self.error(f"{self.where}: {self._named(key)}[{number}] is {shown(item)}, not {wanted}")
            yield item

    def _named(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key


def shown(value: object) -> str:
    """Return a value as JSON for a message, cut where it is long."""
    if isinstance(value, list | dict) and value:
        return "an object" if isinstance(value, dict) else "a list"
    text = json.dumps(value, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
