"""What YAML holds, as values that know where they stand."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, TypeAlias

from modelsmith.records import dataclass
from modelsmith.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from modelsmith.recipe.remote.checkout import Checkout
    from modelsmith.source import Span

Value: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True)
class RecipeSource(Source):
    """The text of a recipe, the folder that paths in it are relative to, and where it was fetched from (None: it was not)."""

    folder: Path = field(kw_only=True)
    checkout: Checkout | None = field(default=None, kw_only=True)

    @property
    def root(self) -> Path | None:
        """The folder that it must not leave; None for a recipe of the user's own."""
        return self.checkout.root if self.checkout is not None else None


@dataclass(frozen=True, slots=True, eq=False)
class ScalarNode:
    """One value; ``text`` is how it is written, without quotes."""

    value: Value
    text: str
    span: Span
    source: RecipeSource = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class ListNode:
    """A sequence."""

    items: tuple[Node, ...]
    span: Span
    source: RecipeSource = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class MapNode:
    """A mapping with text keys; ``keys`` has the place of every key."""

    items: Mapping[str, Node]
    keys: Mapping[str, ScalarNode]
    span: Span
    source: RecipeSource = field(repr=False)


Node: TypeAlias = ScalarNode | ListNode | MapNode


def to_data(node: Node) -> object:
    """Return the plain value: dict, tuple, or a scalar."""
    match node:
        case ScalarNode():
            return node.value
        case ListNode():
            return tuple(to_data(item) for item in node.items)
        case MapNode():
            return {key: to_data(item) for key, item in node.items.items()}


def scalars(node: Node) -> Iterator[ScalarNode]:
    """Yield every scalar below a node, in order; keys are none."""
    match node:
        case ScalarNode():
            yield node
        case ListNode():
            for item in node.items:
                yield from scalars(item)
        case MapNode():
            for item in node.items.values():
                yield from scalars(item)


def overlay(below: MapNode, above: MapNode) -> MapNode:
    """Lay one mapping over another: mappings are merged key by key, anything else replaces what is below."""
    items = dict(below.items)
    for key, item in above.items.items():
        under = items.get(key)
        items[key] = overlay(under, item) if isinstance(under, MapNode) and isinstance(item, MapNode) else item
    return MapNode(items, {**below.keys, **above.keys}, above.span, above.source)


def without_nothing(node: MapNode) -> MapNode:
    """Return the mapping without its keys that say nothing (null); what is deeper stays."""
    kept = {key: item for key, item in node.items.items() if not (isinstance(item, ScalarNode) and item.value is None)}
    return MapNode(kept, node.keys, node.span, node.source)
