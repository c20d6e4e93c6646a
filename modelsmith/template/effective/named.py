"""The Go templates that Ollama has built in, and which one it gives a GGUF by the Jinja template inside.

Only a model made from files gets one: the built-in template whose Jinja text is nearest, if fewer than 100 characters
must be inserted, deleted or replaced; the first one on ties. The template and its stop strings become layers of the model.

Source: Ollama template/template.go (Named) and server/model.go (detectChatTemplate); the texts in ``named.json`` are
Ollama's, see the licence there.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

LIMIT = 100
"""Ollama takes a built-in template only below this edit distance."""


@dataclass(frozen=True, slots=True)
class NamedTemplate:
    """A Go template built into Ollama, with the stop strings that come with it."""

    name: str
    template: str
    stop: tuple[str, ...]


def named_templates() -> Mapping[str, NamedTemplate]:
    """Return Ollama's built-in templates by name."""
    return _data()[0]


def detect_named(jinja: str) -> NamedTemplate | None:
    """Return the built-in template that `ollama create` gives a GGUF with this Jinja template, or None."""
    if not jinja:
        return None
    templates, index = _data()
    best, found = LIMIT, None
    letters = Counter(jinja)
    for name, text, counts in index:
        if abs(len(text) - len(jinja)) >= best or max((counts - letters).total(), (letters - counts).total()) >= best:
            continue
        distance = edit_distance(jinja, text, best)
        if distance is not None:
            best, found = distance, templates[name]
    return found


def edit_distance(left: str, right: str, limit: int) -> int | None:
    """Return the Levenshtein distance of two texts in code points, or None when it is not below ``limit``.

    One column of the table is two big integers whose bits say where the distance steps up and down (Myers 1999, Hyyrö
    2003), so a row costs a few operations on integers as long as the shorter text.
    """
    left, right = _differing(left, right)
    if len(left) > len(right):
        left, right = right, left
    size = len(left)
    if not size:
        return len(right) if len(right) < limit else None
    mask, top = (1 << size) - 1, 1 << (size - 1)
    places: dict[str, int] = {}
    for place, char in enumerate(left):
        places[char] = places.get(char, 0) | 1 << place
    up, down, distance = mask, 0, size
    for remaining, char in zip(range(len(right) - 1, -1, -1), right, strict=True):
        equal = places.get(char, 0)
        diagonal = (((equal & up) + up) ^ up) | equal | down
        rise = down | (mask & ~(diagonal | up))
        fall = up & diagonal
        distance += bool(rise & top) - bool(fall & top)
        if distance - remaining >= limit:
            return None
        rise = (rise << 1 | 1) & mask
        up = (fall << 1 & mask) | (mask & ~(equal | down | rise))
        down = rise & (equal | down)
    return distance


def _differing(left: str, right: str) -> tuple[str, str]:
    """Cut the beginning and the end that two texts share."""
    short = min(len(left), len(right))
    start = next((i for i in range(short) if left[i] != right[i]), short)
    end = next((i for i in range(short - start) if left[-1 - i] != right[-1 - i]), short - start)
    return left[start : len(left) - end], right[start : len(right) - end]


@cache
def _data() -> tuple[Mapping[str, NamedTemplate], tuple[tuple[str, str, Counter[str]], ...]]:
    raw: dict[str, Any] = json.loads((resources.files(__package__) / "named.json").read_text("utf-8"))
    templates = {
        name: NamedTemplate(name, fields["template"], tuple(fields["stop"]))
        for name, fields in raw["templates"].items()
    }
    return MappingProxyType(templates), tuple((name, text, Counter(text)) for name, text in raw["chat_templates"])
