"""``include``: items of a list that stand in a file of their own, so that several recipes share them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsmith.errors import RecipeSourceError, UnreadableFile, UsageError
from modelsmith.recipe.read.nodes import ListNode, MapNode, Node, ScalarNode
from modelsmith.recipe.remote.address import is_remote

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.recipe.read.report import Report

LISTS: Final = ("template", "expect")
"""The keys whose lists may include others."""
KEY: Final = "include"
_MOST: Final = 50
_DEEPEST: Final = 10


class Includer:
    """Puts the items of included files in the place of what includes them; ``read`` gives the list of a file."""

    def __init__(self, read: Callable[[ScalarNode], tuple[object, Node]], report: Report) -> None:
        self._read = read
        self._report = report
        self._count = 0

    def expanded(self, root: MapNode) -> MapNode:
        """Return a recipe whose lists have their items themselves."""
        items = dict(root.items)
        for key in LISTS:
            node = items.get(key)
            if isinstance(node, ListNode) and any(map(_includes, node.items)):
                items[key] = self._list(node, ())
        return MapNode(items, root.keys, root.span, root.source)

    def _list(self, node: ListNode, above: tuple[object, ...]) -> ListNode:
        found: list[Node] = []
        for item in node.items:
            if isinstance(item, MapNode) and _includes(item):
                found += self._items(item, above)
            else:
                found.append(item)
        return ListNode(tuple(found), node.span, node.source)

    def _items(self, item: MapNode, above: tuple[object, ...]) -> tuple[Node, ...]:
        named = item.items[KEY]
        if len(item.items) > 1:
            other = next(key for key in item.items if key != KEY)
            self._report.add(KEY, f'"{other:.60}": an item that includes a file says nothing else', item.keys[other])
            return ()
        if not isinstance(named, ScalarNode) or not isinstance(named.value, str) or not named.value:
            self._report.add(KEY, "include: expected the path of a YAML file with a list", named)
            return ()
        self._count += 1
        if self._count > _MOST or len(above) >= _DEEPEST:
            self._report.add(KEY, f"include: more than {_MOST} files, or {_DEEPEST} in each other", named)
            return ()
        try:
            identity, node = self._read(named)
        except (UsageError, UnreadableFile) as error:
            here = isinstance(error, UnreadableFile) and not is_remote(named.text)
            hint = "a path is relative to the file that it stands in" if here else error.hint
            self._report.add(KEY, f"include: {error.message}", named, hint)
            return ()
        except RecipeSourceError as error:
            self._report.add_unreadable(KEY, f"include: {error.message}", named, error.hint)
            return ()
        if identity in above:
            hint = "leave it out: a list does not hold itself"
            self._report.add(KEY, f"include: {named.text:.120} includes itself", named, hint)
            return ()
        if not isinstance(node, ListNode):
            self._report.add(KEY, f"include: {named.text:.120} holds no list", named, "its file is a list of items")
            return ()
        return self._list(node, (*above, identity)).items


def _includes(item: Node) -> bool:
    return isinstance(item, MapNode) and KEY in item.items
