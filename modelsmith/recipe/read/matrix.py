"""``matrix``: values of inputs that are combined, and the combinations that come of it."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Final

from modelsmith.diagnostic import did_you_mean
from modelsmith.errors import UsageError
from modelsmith.recipe.read.checks import check_input_value
from modelsmith.recipe.read.complaints import found
from modelsmith.recipe.read.nodes import ListNode, MapNode, Node, ScalarNode, Value
from modelsmith.recipe.read.references import refers, written_as
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from modelsmith.recipe.format.input import Input
    from modelsmith.recipe.read.report import Report

EXCLUDE: Final = "exclude"
PROFILE: Final = "profile"
"""The axis, and the reference, that mean the profile."""
MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Combination:
    """One value for each axis of a matrix; the nodes know where they are written."""

    values: Mapping[str, ScalarNode]

    @property
    def label(self) -> str:
        """The combination for people: ``base=a, quantization=Q4_K_M``."""
        return ", ".join(f"{name}={written_as(node.value)}" for name, node in self.values.items())

    def has(self, wanted: Mapping[str, str]) -> bool:
        """Say whether it has all these values, given as texts."""
        return all(name in self.values and written_as(self.values[name].value) == text for name, text in wanted.items())


def combinations(root: MapNode, given: Collection[str] = ()) -> tuple[Combination, ...]:
    """Return the combinations of a checked matrix, without the axes that were ``given`` otherwise; none without a matrix."""
    matrix = root.items.get("matrix")
    if not isinstance(matrix, MapNode):
        return ()
    axes = [(name, node.items) for name, node in _axes(matrix) if name not in given]
    if not axes:
        return ()
    excluded = list(_excluded(matrix))
    made = []
    for values in itertools.product(*(nodes for _, nodes in axes)):
        chosen = {name: node for (name, _), node in zip(axes, values, strict=True) if isinstance(node, ScalarNode)}
        if not any(
            all(name in chosen and _same(chosen[name], node) for name, node in exclusion.items())
            for exclusion in excluded
        ):
            made.append(Combination(chosen))
    return tuple(made)


def chosen(made: Sequence[Combination], only: Iterable[str]) -> tuple[Combination, ...]:
    """Return the combinations that ``--only NAME=VALUE`` asks for; several values of one name are alternatives.

    Raises UsageError for what no combination has.
    """
    wanted: dict[str, list[str]] = {}
    for text in only:
        name, separator, value = text.partition("=")
        if not separator:
            raise UsageError(f"--only {text:.120}: expected NAME=VALUE, such as {_example(made)}")
        names = list(made[0].values) if made else []
        if name not in names:
            raise UsageError(
                f'--only {text:.120}: "{name:.60}" is no axis of the matrix{did_you_mean(name, names)}',
                hint=f"axes: {', '.join(names)}",
            )
        values = sorted({written_as(combination.values[name].value) for combination in made})
        if value not in values:
            raise UsageError(
                f'--only {text:.120}: the matrix has no {name} "{value:.80}"{did_you_mean(value, values)}',
                hint=f"{name}: {', '.join(values)}",
            )
        wanted.setdefault(name, []).append(value)
    found = tuple(
        combination
        for combination in made
        if all(written_as(combination.values[name].value) in values for name, values in wanted.items())
    )
    if made and not found:
        raise UsageError(
            "no combination of the matrix has all that --only asks for", hint="see them with modelsmith plan"
        )
    return found


def check_matrix(root: MapNode, inputs: Mapping[str, Input], profiles: Collection[str], report: Report) -> None:
    """Report every axis, value and exclusion that cannot be."""
    matrix = root.items.get("matrix")
    if not isinstance(matrix, MapNode):
        return
    axes: dict[str, list[ScalarNode]] = {}
    for name, node in matrix.items.items():
        if name != EXCLUDE:
            axes[name] = list(_checked_axis(name, node, matrix, inputs, profiles, report))
    _check_excluded(matrix, axes, report)
    if report:
        return
    if not axes:
        report.add("matrix", "matrix: expected inputs with their values", matrix, "such as matrix: {base: [a, b]}")
    elif math.prod(len(values) for values in axes.values()) > MOST:
        report.add("matrix", f"matrix: more than {MOST:,} combinations", root.keys["matrix"])
    elif not combinations(root):
        report.add("matrix", "matrix: exclude leaves no combination", root.keys["matrix"])


def _checked_axis(
    name: str, node: Node, matrix: MapNode, inputs: Mapping[str, Input], profiles: Collection[str], report: Report
) -> Iterator[ScalarNode]:
    from modelsmith.recipe.read.advice.other_words import meant_key
    from modelsmith.recipe.read.advice.shapes import flow

    is_profile = name == PROFILE and name not in inputs and bool(profiles)
    if name not in inputs and not is_profile:
        _, hint = meant_key(("matrix",), name)
        hint = hint or (f"inputs: {', '.join(inputs)}" if inputs else "declare it under inputs")
        close = did_you_mean(name, inputs)
        report.add("undeclared-input", f'matrix: undeclared input "{name:.60}"{close}', matrix.keys[name], hint)
        return
    if not isinstance(node, ListNode) or not node.items:
        hint = f"write {name}: [{flow(node)}]" if isinstance(node, ScalarNode) else ""
        report.add("type", f"matrix.{name}: expected a list of values, found {found(node)}", node, hint)
        return
    if not is_profile and inputs[name].secret:
        report.add("secret", f"matrix.{name}: a secret is given with --set or by env, not in a file", matrix.keys[name])
        return
    seen: set[str] = set()
    for index, item in enumerate(node.items):
        where = f"matrix.{name}[{index}]"
        if not isinstance(item, ScalarNode) or item.value is None or refers(item):
            report.add("type", f"{where}: expected a value, found {found(item)}", item)
        elif written_as(item.value) in seen:
            report.add("matrix", f"{where}: {found(item)} stands there already", item)
        elif is_profile:
            if item.text not in profiles:
                close = did_you_mean(item.text, profiles)
                report.add("profile", f"{where}: no profile {found(item)}{close}", item, _known(profiles))
            yield item
        else:
            check_input_value(where, item, inputs[name], report)
            yield item
        if isinstance(item, ScalarNode):
            seen.add(written_as(item.value))


def _check_excluded(matrix: MapNode, axes: Mapping[str, Sequence[ScalarNode]], report: Report) -> None:
    from modelsmith.recipe.read.advice.shapes import flow

    node = matrix.items.get(EXCLUDE)
    if node is None:
        return
    if not isinstance(node, ListNode):
        hint = f"write exclude: [{flow(node)}]" if isinstance(node, MapNode) else ""
        report.add("type", f"matrix.exclude: expected a list of combinations, found {found(node)}", node, hint)
        return
    for index, item in enumerate(node.items):
        where = f"matrix.exclude[{index}]"
        if not isinstance(item, MapNode) or not item.items:
            report.add("type", f"{where}: expected values by input, found {found(item)}", item)
            continue
        for name, value in item.items.items():
            if name not in axes:
                close = did_you_mean(name, axes)
                report.add("matrix", f'{where}: "{name:.60}" is no axis of the matrix{close}', item.keys[name])
            elif not isinstance(value, ScalarNode) or not any(_same(value, axis) for axis in axes[name]):
                report.add("matrix", f"{where}: {name} has no value {found(value)}", value)


def _known(profiles: Collection[str]) -> str:
    return f"profiles: {', '.join(profiles)}"


def _axes(matrix: MapNode) -> Iterator[tuple[str, ListNode]]:
    for name, node in matrix.items.items():
        if name != EXCLUDE and isinstance(node, ListNode):
            yield name, node


def _excluded(matrix: MapNode) -> Iterator[Mapping[str, ScalarNode]]:
    node = matrix.items.get(EXCLUDE)
    for item in node.items if isinstance(node, ListNode) else ():
        if isinstance(item, MapNode):
            yield {name: value for name, value in item.items.items() if isinstance(value, ScalarNode)}


def _same(one: ScalarNode, other: ScalarNode) -> bool:
    return _key(one.value) == _key(other.value)


def _key(value: Value) -> tuple[bool, Value]:
    return isinstance(value, bool), value


def _example(made: Sequence[Combination]) -> str:
    return made[0].label.partition(",")[0] if made else "base=llama3.2"
