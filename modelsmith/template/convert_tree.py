"""Decide by as few questions as possible which of several texts is printed.

A tree asks for facts (``convert_observe``) until only one text is left. It is built greedily: the question that leaves
the fewest different texts on its two sides comes first, the more natural one where that is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from modelsmith.errors import ConversionError
from modelsmith.template.jinja_reasoning import shared_start

if TYPE_CHECKING:
    from collections.abc import Sequence

Test: TypeAlias = tuple[str, str]
"""A fact, and the value it is compared with."""

Sample: TypeAlias = "tuple[dict[str, str], str]"

TESTS: tuple[Test, ...] = (
    ("first", "yes"),
    ("previous", ""),
    ("system", "yes"),
    ("last", "yes"),
    ("last_user", "yes"),
    ("thinking", "yes"),
    ("unsaid", "yes"),
    ("think", "off"),
    ("think", "on"),
    ("previous", "system"),
    ("previous", "user"),
    ("previous", "assistant"),
    ("previous", "tool"),
    ("after_last_user", "yes"),
    ("user", "yes"),
    ("role", "assistant"),
    ("role", "system"),
    ("role", "tool"),
)


@dataclass(frozen=True, slots=True)
class Branch:
    """One question and what follows from its answer."""

    test: Test
    yes: Tree
    no: Tree


Tree: TypeAlias = "str | Branch"


def grow(samples: Sequence[Sample]) -> Tree:
    """Return the tree that gives each sample's text; raises ConversionError where no question tells two apart."""
    texts = {text for _, text in samples}
    if len(texts) == 1:
        return texts.pop()
    best: tuple[int, Test, list[Sample], list[Sample]] | None = None
    for test in TESTS:
        name, value = test
        yes = [sample for sample in samples if sample[0].get(name) == value]
        if not yes or len(yes) == len(samples):
            continue
        no = [sample for sample in samples if sample[0].get(name) != value]
        left = len({text for _, text in yes}) + len({text for _, text in no})
        if best is None or left < best[0]:
            best = (left, test, yes, no)
    if best is None:
        one, other = sorted(texts)[:2]
        raise ConversionError(f"nothing a Go template can ask for tells {one[-60:]!r} from {other[-60:]!r}")
    return Branch(best[1], grow(best[2]), grow(best[3]))


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
