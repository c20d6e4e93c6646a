"""Decide by as few questions as possible which of several texts is printed.

A tree asks for facts (``convert_observe``) until only one text is left. It is built greedily: the question that leaves
the fewest different texts on its two sides comes first, the more natural one where that is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from modelsmith.errors import ConversionError
from modelsmith.template.jinja.engine.values.texts import shared_start

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Test: TypeAlias = tuple[str, str]
"""A fact, and the value it is compared with."""

Sample: TypeAlias = "tuple[dict[str, str], str]"

TESTS: tuple[Test, ...] = (
    ("first", "yes"),
    ("previous", ""),
    ("system", "yes"),
    ("tools", "yes"),
    ("last", "yes"),
    ("last_user", "yes"),
    ("thinking", "yes"),
    ("unsaid", "yes"),
    ("said", "yes"),
    ("think", "off"),
    ("think", "on"),
    ("previous", "system"),
    ("previous", "user"),
    ("previous", "assistant"),
    ("previous", "tool"),
    ("previous", "calls"),
    ("after_last_user", "yes"),
    ("user", "yes"),
    ("role", "assistant"),
    ("role", "system"),
    ("role", "tool"),
    ("role", "calls"),
    ("begins", "yes"),
    ("asked", "yes"),
    ("spoken", "tool"),
    ("spoken", "user"),
    ("spoken", "assistant"),
    ("ever", "yes"),
    ("output", "yes"),
)


@dataclass(frozen=True, slots=True)
class Branch:
    """One question and what follows from its answer."""

    test: Test
    yes: Tree
    no: Tree


Tree: TypeAlias = "str | Branch"


class Grower:
    """Decides which of several texts is printed; their facts are looked at once, for as many sets of texts as there are."""

    def __init__(self, facts: Sequence[Mapping[str, str]]) -> None:
        self._all = (1 << len(facts)) - 1
        self._tests = [
            (test, sum(1 << number for number, fact in enumerate(facts) if fact.get(test[0]) == test[1]))
            for test in TESTS
        ]

    def tree(self, texts: Sequence[str]) -> Tree:
        """Return the tree that gives each text where its facts hold; raises ConversionError where nothing tells two apart."""
        places: dict[str, int] = {}
        for number, text in enumerate(texts):
            places[text] = places.get(text, 0) | 1 << number
        return self._grow(places, self._all)

    def _grow(self, places: Mapping[str, int], among: int) -> Tree:
        places = {text: here for text, place in places.items() if (here := place & among)}
        if len(places) == 1:
            return next(iter(places))
        best: tuple[int, Test, int] | None = None
        for test, holds in self._tests:
            yes = among & holds
            if not yes or yes == among:
                continue
            left = sum(bool(place & yes) + bool(place & ~yes) for place in places.values())
            if best is None or left < best[0]:
                best = (left, test, yes)
        if best is None:
            one, other = sorted(places)[:2]
            raise ConversionError(f"nothing a Go template can ask for tells {one[-60:]!r} from {other[-60:]!r}")
        return Branch(best[1], self._grow(places, best[2]), self._grow(places, among & ~best[2]))


def grow(samples: Sequence[Sample]) -> Tree:
    """Return the tree that gives each sample's text; raises ConversionError where no question tells two apart."""
    return Grower([facts for facts, _ in samples]).tree([text for _, text in samples])


def leaves(tree: Tree) -> list[str]:
    """Return the texts of a tree."""
    return [tree] if isinstance(tree, str) else [*leaves(tree.yes), *leaves(tree.no)]


def trimmed(tree: Tree, start: int, end: int) -> Tree:
    """Return the tree whose texts are shorter by ``start`` characters in front and ``end`` at the end."""
    if isinstance(tree, str):
        return tree[start : len(tree) - end]
    return Branch(tree.test, trimmed(tree.yes, start, end), trimmed(tree.no, start, end))


def common_start(texts: Sequence[str]) -> str:
    """Return the longest text that all of these begin with."""
    first = min(texts)
    return first[: shared_start(first, max(texts))]


def common_end(texts: Sequence[str]) -> str:
    """Return the longest text that all of these end with."""
    return common_start([text[::-1] for text in texts])[::-1]


def tests(tree: Tree) -> set[Test]:
    """Return all questions of a tree."""
    return set() if isinstance(tree, str) else {tree.test} | tests(tree.yes) | tests(tree.no)
