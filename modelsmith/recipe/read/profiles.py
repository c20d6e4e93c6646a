"""``profiles``: variants of a recipe, laid over it when they are chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsmith.diagnostic import did_you_mean
from modelsmith.errors import UsageError
from modelsmith.recipe.read.checks import check_input_value
from modelsmith.recipe.read.nodes import MapNode, ScalarNode, overlay, without_nothing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.recipe.format.input import Input
    from modelsmith.recipe.read.report import Report

_OWN: Final = frozenset({"description", "set"})
"""What a profile says of itself, not of the recipe."""
NOT_FILLED: Final = frozenset({"inputs", "extends", "matrix", "profiles"})
"""Keys of a recipe that are about recipes, and no part of one whose inputs have values."""


def profiles_of(root: MapNode) -> Mapping[str, MapNode]:
    """Return the profiles by name."""
    node = root.items.get("profiles")
    items = node.items if isinstance(node, MapNode) else {}
    return {name: item for name, item in items.items() if isinstance(item, MapNode)}


def with_profile(root: MapNode, name: str) -> MapNode:
    """Return a recipe with one of its profiles laid over it ("": none); raises UsageError where it has none of this name."""
    if not name:
        return root
    profile = _profile(root, name)
    kept = {key: node for key, node in profile.items.items() if key not in _OWN}
    return without_nothing(overlay(root, MapNode(kept, profile.keys, root.span, root.source)))


def profile_settings(root: MapNode, name: str) -> Mapping[str, ScalarNode]:
    """Return the values that a profile gives to inputs."""
    node = _profile(root, name).items.get("set") if name else None
    items = node.items if isinstance(node, MapNode) else {}
    return {key: item for key, item in items.items() if isinstance(item, ScalarNode) and item.value is not None}


def _profile(root: MapNode, name: str) -> MapNode:
    profiles = profiles_of(root)
    if name not in profiles:
        known = f"profiles: {', '.join(profiles)}" if profiles else "this recipe has no profiles"
        raise UsageError(f'no profile "{name:.60}"{did_you_mean(name, profiles)}', hint=known)
    return profiles[name]


def check_profiles(root: MapNode, inputs: Mapping[str, Input], report: Report) -> None:
    """Report values of inputs that cannot be."""
    for name, profile in profiles_of(root).items():
        node = profile.items.get("set")
        for key, value in node.items.items() if isinstance(node, MapNode) else ():
            where = f"profiles.{name}.set.{key}"
            if key not in inputs:
                message = f'{where}: undeclared input "{key:.60}"{did_you_mean(key, inputs)}'
                report.add("undeclared-input", message, node.keys[key] if isinstance(node, MapNode) else profile)
            elif inputs[key].secret:
                report.add("secret", f"{where}: a secret is given with --set or by env, not in a file", value)
            elif isinstance(value, ScalarNode) and value.value is not None:
                check_input_value(where, value, inputs[key], report)
