"""Files that are no recipes but something else that people have at hand, and what to do with those."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from modelsmith.patterns import regex
from modelsmith.recipe.read.nodes import ListNode, MapNode, ScalarNode

if TYPE_CHECKING:
    from modelsmith.recipe.read.nodes import Node

_MODELFILE = regex(r"(?i)(?:[ \t]*(?:#[^\n]*)?\n)*[ \t]*FROM[ \t]+[^\s:]")
_OWN = frozenset({"from", "create", "extends"})
_SIGNS = (
    ("apiVersion kind", "a manifest of Kubernetes"),
    ("services", "a file of docker compose"),
    ("jobs", "a workflow of CI"),
    ("stages", "a pipeline of CI"),
    ("repos", "a configuration of pre-commit"),
)
"""The keys that a file of another kind has, and what it is."""
_STARTER = "`modelsmith recipes new ./my-recipe.yaml` writes a recipe to start from"


class Stranger(NamedTuple):
    """What a file is instead of a recipe, and the way out."""

    kind: str
    hint: str


def stranger_text(text: str, name: str) -> Stranger | None:
    """Say what a text is that is not even meant as YAML; None where it may be a recipe."""
    if not _MODELFILE.match(text):
        return None
    path = name if "/" in name else f"./{name}"
    return Stranger("a Modelfile", f"{from_it(path)}, `modelsmith create NAME -f {path}` makes the model as it is")


def from_it(path: str) -> str:
    """Return how a recipe is made from a Modelfile, from weights or from a folder of them."""
    return f"`modelsmith recipes new ./my-recipe.yaml --from {path}` writes a recipe from it"


def stranger_data(root: Node) -> Stranger | None:
    """Say what a file of YAML is, where it is none of a recipe; None where it may be one."""
    if isinstance(root, ListNode):
        items = [item for item in root.items if isinstance(item, MapNode)]
        if any(item.items.keys() & {"hosts", "tasks"} for item in items):
            return Stranger("a playbook of Ansible", _STARTER)
    if not isinstance(root, MapNode) or root.items.keys() & _OWN:
        return None
    if root.items.keys() >= {"version", "models"}:
        return Stranger("a lock of modelsmith", "name its recipe: the lock in the working directory is read with it")
    if isinstance(kind_node := root.items.get("kind"), ScalarNode) and kind_node.value == "modelsmith plan":
        return Stranger("a plan that was written down", "carry it out: modelsmith apply FILE.json")
    for keys, kind in _SIGNS:
        if root.items.keys() >= set(keys.split()):
            return Stranger(kind, _STARTER)
    return None
