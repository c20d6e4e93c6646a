"""Read recipes: the YAML of a file, laid over what it extends, and all checks that need no inputs.

Every error is a RecipeError that holds all the places found, or a UsageError where the file or an input is not right.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, PrivateAttr

from modelsmith.files.paths import looks_like_path
from modelsmith.hub.reference import is_hub
from modelsmith.recipe.format.input import Input
from modelsmith.recipe.format.schema import Content, Document, Head, Titled
from modelsmith.recipe.parts.fields import ScalarValue
from modelsmith.recipe.read.bundled import find_recipe
from modelsmith.recipe.read.checks import check_inputs, check_parameters
from modelsmith.recipe.read.complaints import STATIC
from modelsmith.recipe.read.inputs import InputValue, absolute_path, input_values
from modelsmith.recipe.read.layers import map_data, read_file, read_layers, validate
from modelsmith.recipe.read.nodes import ListNode, MapNode, Node, RecipeSource, ScalarNode, overlay, without_nothing
from modelsmith.recipe.read.references import substitute
from modelsmith.recipe.read.report import Report
from modelsmith.recipe.read.typed_breaks import typed_breaks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.recipe.format.input import Input
    from modelsmith.recipe.read.nodes import Value


@dataclass(frozen=True, slots=True)
class RecipeFile:
    """A recipe as it is written: checked as far as that goes without values for its inputs.

    ``sources`` are the files it was read from, its own first, then those it extends.
    """

    name: str
    description: str
    inputs: Mapping[str, Input]
    root: MapNode
    sources: tuple[RecipeSource, ...]

    def data(self) -> dict[str, object]:
        """Return what the recipe says, as plain values, ``extends`` merged, references as they are written."""
        return {key: value for key, value in map_data(self.root).items() if key != "extends"}

    def resolve(
        self,
        settings: Mapping[str, object] | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        here: Path | None = None,
    ) -> Recipe:
        """Return the recipe with its inputs filled in.

        ``settings`` are values by input (texts are read as on the command line), ``here`` is the folder that paths in them
        are relative to (default: the working directory), ``environment`` is ``os.environ`` unless given. Raises UsageError
        for inputs, RecipeError for what they lead to.
        """
        values = input_values(
            self.inputs,
            self._folders(),
            settings or {},
            os.environ if environment is None else environment,
            here or Path.cwd(),
        )
        report = Report()
        root = _filled(self.root, values, report)
        report.check()
        check_parameters(root, report, filled=True)
        data = map_data(root) | {"inputs": {name: given.value for name, given in values.items()}}
        recipe = validate(Recipe, data, root, report, filled=True)
        if recipe is None:
            raise report.error()
        report.check()
        return recipe.noting(tuple(_warnings(root)))

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What is accepted and means something else than it looks, in the recipe's own file."""
        found = (warning for warning, node in typed_breaks(self.root) if node.source is self.sources[0])
        return tuple(sorted(found, key=lambda warning: warning.span))

    def _folders(self) -> dict[str, Path]:
        """Return the folder of the recipe that gives each input its default."""
        declarations = self.root.items.get("inputs")
        folders = {}
        for name in self.inputs:
            node = declarations.items[name] if isinstance(declarations, MapNode) else self.root
            default = node.items.get("default", node) if isinstance(node, MapNode) else node
            folders[name] = default.source.folder
        return folders


def _warnings(root: MapNode) -> Iterator[str]:
    for found, node in typed_breaks(root):
        line, column = node.source.position(found.span.start)
        yield f"{node.source.name}:{line}:{column}: {found.message}; {found.hint}"


def _filled(root: MapNode, values: Mapping[str, InputValue], report: Report) -> MapNode:
    """Replace the references below the keys that may have them, and make paths absolute."""

    def value_of(name: str) -> Value:
        return values[name].value

    items: dict[str, Node] = {}
    for key, node in root.items.items():
        if key in {"name", "description"}:
            items[key] = node
        elif key not in {"inputs", "extends"} and (filled := substitute(node, value_of, report)) is not None:
            items[key] = _absolute(key, filled, values)
    return MapNode(items, root.keys, root.span, root.source)


def _absolute(key: str, node: Node, values: Mapping[str, InputValue]) -> Node:
    if key == "adapters" and isinstance(node, ListNode):
        return ListNode(tuple(_absolute(key, item, values) for item in node.items), node.span, node.source)
    if key not in {"from", "adapters"} or not isinstance(node, ScalarNode) or not isinstance(node.value, str):
        return node
    if node.value == "" or is_hub(node.value) or (key == "from" and not looks_like_path(node.value)):
        return node
    path = absolute_path(node.value, node.text, values, node.source.folder)
    return ScalarNode(path, node.text, node.span, node.source)


def load_recipe(name_or_path: str | Path) -> RecipeFile:
    """Read a bundled recipe by its name, or any other by its path (a text with a / or a YAML ending)."""
    path = find_recipe(name_or_path)
    return parse_recipe(read_file(path), name=str(path), folder=path.absolute().parent)


def parse_recipe(data: str | bytes, *, name: str = "<recipe>", folder: Path | None = None) -> RecipeFile:
    """Read the text of a recipe; ``folder`` is what its paths are relative to (default: the working directory)."""
    layers = read_layers(data, name, folder or Path.cwd())
    root = without_nothing(reduce(overlay, reversed(layers)))
    report = Report()
    everything = map_data(root)
    validate(Document, everything, root, report)
    head = validate(Head, {key: value for key, value in everything.items() if key in STATIC}, root, report)
    if head is None:
        raise report.error()
    report.check()
    check_inputs(root, head.inputs, report)
    check_parameters(root, report, filled=False)
    report.check()
    return RecipeFile(head.name, head.description, head.inputs, root, tuple(layer.source for layer in layers))


class Recipe(Content, Titled):
    """A recipe whose inputs have values: what ``plan`` works on.

    Paths in ``from_`` and ``adapters`` are absolute; any other ``from_`` is a model's name or ``sample:…``.
    """

    inputs: dict[str, ScalarValue] = Field(default_factory=dict)
    """The value of every input; None for one without a value."""

    _warnings: tuple[str, ...] = PrivateAttr(default=())

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is accepted and means something else than it looks, each with its place."""
        return self._warnings

    def noting(self, warnings: tuple[str, ...]) -> Recipe:
        """Return the recipe with these warnings; it is the same one."""
        self._warnings = warnings
        return self

    @classmethod
    def load(cls, name_or_path: str | Path, settings: Mapping[str, object] | None = None) -> Recipe:
        """Read a bundled recipe by name, or any other by its path, and fill in its inputs.

        Raises UsageError where the file or a setting is not right, RecipeError with every place that is wrong in it.
        """
        return load_recipe(name_or_path).resolve(settings)
