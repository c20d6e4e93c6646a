"""Read recipes: the YAML of a file, laid over what it extends, and all checks that need no inputs.

Every error is a RecipeError that holds all the places found, or a UsageError where the file or an input is not right.
"""

from __future__ import annotations

import os
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, PrivateAttr

from modelsmith.files.paths import looks_like_path
from modelsmith.hidden import MASK
from modelsmith.hub.reference import is_hub
from modelsmith.recipe.format.input import Input
from modelsmith.recipe.format.schema import Content, Document, Head, Titled
from modelsmith.recipe.parts.fields import ScalarValue
from modelsmith.recipe.read.advice.doubts import doubts
from modelsmith.recipe.read.checks import check_inputs, check_parameters, check_template
from modelsmith.recipe.read.complaints import STATIC
from modelsmith.recipe.read.inputs import MATRIX, InputValue, Place, absolute_path, input_values
from modelsmith.recipe.read.layers import Layers, map_data, read_file, read_layers, validate
from modelsmith.recipe.read.matrix import PROFILE, Combination, check_matrix, combinations
from modelsmith.recipe.read.nodes import ListNode, MapNode, Node, RecipeSource, ScalarNode, overlay, without_nothing
from modelsmith.recipe.read.places import find_named
from modelsmith.recipe.read.profiles import NOT_FILLED, check_profiles, profile_settings, profiles_of, with_profile
from modelsmith.recipe.read.references import NO_ORIGINS, Room, substitute
from modelsmith.recipe.read.report import Report
from modelsmith.recipe.read.typed_breaks import typed_breaks
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.recipe.format.input import Input
    from modelsmith.recipe.read.nodes import Value

_PATHS = frozenset({"from", "adapters"})


@dataclass(frozen=True, slots=True)
class RecipeFile:
    """A recipe as it is written: checked as far as that goes without values for its inputs.

    ``sources`` are the files it was read from, its own first, then those it includes and extends; ``notes`` what the user should
    know about where they come from, ``doubts`` warnings about texts of its own file.
    """

    name: str
    description: str
    inputs: Mapping[str, Input]
    root: MapNode
    sources: tuple[RecipeSource, ...]
    notes: tuple[str, ...] = ()
    doubts: tuple[Diagnostic, ...] = ()

    def data(self) -> dict[str, object]:
        """Return what the recipe says, as plain values, ``extends`` merged, references as they are written."""
        return {key: value for key, value in map_data(self.root).items() if key != "extends"}

    @property
    def profiles(self) -> tuple[str, ...]:
        """The names of its profiles."""
        return tuple(profiles_of(self.root))

    def combinations(self, given: Collection[str] = ()) -> tuple[Combination, ...]:
        """Return what its matrix combines, without the inputs that are ``given`` otherwise; none where it has no matrix."""
        return combinations(self.root, given)

    def resolve(
        self,
        settings: Mapping[str, object] | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        here: Path | None = None,
        profile: str = "",
        combination: Combination | None = None,
    ) -> Recipe:
        """Return the recipe with its inputs filled in.

        ``settings`` are values by input (texts are read as on the command line), ``here`` is the folder that paths in them
        are relative to (default: the working directory), ``environment`` is ``os.environ`` unless given. ``profile`` is laid over
        the recipe, ``combination`` is one of those of its matrix. Raises UsageError for inputs, RecipeError for what they lead to.
        """
        axes = dict(combination.values) if combination is not None else {}
        if PROFILE in axes and PROFILE not in self.inputs:
            profile = profile or axes.pop(PROFILE).text
        written = {name: (node.value, MATRIX, _place_of(node)) for name, node in axes.items()}
        for name, node in profile_settings(self.root, profile).items():
            written.setdefault(name, (node.value, f"the profile {profile}", _place_of(node)))
        chosen = with_profile(self.root, profile)
        values = input_values(
            self.inputs,
            self._places(),
            settings or {},
            os.environ if environment is None else environment,
            here or Path.cwd(),
            written,
        )
        secrets = {name for name, declared in self.inputs.items() if declared.secret}
        report = Report()
        root = _filled(chosen, values, profile, report, axes)
        report.check()
        check_parameters(root, report, filled=True)
        given = {name: MASK if name in secrets else value.value for name, value in values.items()}
        document = validate(Document, map_data(root), root, report, filled=True)
        if document is None:
            raise report.error()
        if isinstance(document.template, str):
            check_template(root.items["template"], document.template, report)
        report.check()
        recipe = Recipe.filled(document, given)
        doubts = (_told(diagnostic, self.sources[0]) for diagnostic in self.doubts)
        return recipe.noting((*self.notes, *doubts, *_warnings(root)))

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What is accepted and means something else than it looks, in the recipe's own file."""
        found = (warning for warning, node in typed_breaks(self.root) if node.source is self.sources[0])
        return tuple(sorted((*found, *self.doubts), key=lambda warning: warning.span))

    def _places(self) -> dict[str, Place]:
        """Return the place of the recipe that gives each input its default."""
        declarations = self.root.items.get("inputs")
        places = {}
        for name in self.inputs:
            node = declarations.items[name] if isinstance(declarations, MapNode) else self.root
            places[name] = _place_of(node.items.get("default", node) if isinstance(node, MapNode) else node)
        return places


def _warnings(root: MapNode) -> Iterator[str]:
    for found, node in typed_breaks(root):
        yield _told(found, node.source)


def _told(found: Diagnostic, source: RecipeSource) -> str:
    line, column = source.position(found.span.start)
    return f"{source.name}:{line}:{column}: {found.message}; {found.hint}"


def _place_of(node: Node) -> Place:
    return Place(node.source.folder, node.source.root)


def _filled(
    root: MapNode, values: Mapping[str, InputValue], profile: str, report: Report, axes: Mapping[str, ScalarNode]
) -> MapNode:
    """Replace the references below the keys that may have them, and make paths absolute."""

    def value_of(name: str) -> Value:
        return values[name].value if name in values else profile or None

    items: dict[str, Node] = {}
    room = Room()
    for key, node in root.items.items():
        if key in {"name", "description"}:
            items[key] = node
        elif key not in NOT_FILLED:
            origins = NO_ORIGINS if key in _PATHS else axes  # paths start at the file that refers to the input
            if (filled := substitute(node, value_of, report, room, origins)) is not None:
                items[key] = _absolute(key, filled, values, report)
    return MapNode(items, root.keys, root.span, root.source)


def _absolute(key: str, node: Node, values: Mapping[str, InputValue], report: Report) -> Node:
    if key == "adapters" and isinstance(node, ListNode):
        items = tuple(_absolute(key, item, values, report) for item in node.items)
        return ListNode(items, node.span, node.source)
    if key not in _PATHS or not isinstance(node, ScalarNode) or not isinstance(node.value, str):
        return node
    if node.value == "" or is_hub(node.value) or (key == "from" and not looks_like_path(node.value)):
        return node
    path, place = absolute_path(node.value, node.text, values, _place_of(node))
    if place.root is not None:
        from modelsmith.recipe.read.confine import confine

        confine(key, path, place.root, node, report)
    return ScalarNode(path, node.text, node.span, node.source)


def load_recipe(name_or_path: str | Path) -> RecipeFile:
    """Read a bundled recipe by its name, one from elsewhere by its address, any other by its path (a / or a YAML ending)."""
    found = find_named(name_or_path)
    return _parsed(read_layers(read_file(found.path), found.name, found.folder, found.checkout))


def parse_recipe(data: str | bytes, *, name: str = "<recipe>", folder: Path | None = None) -> RecipeFile:
    """Read the text of a recipe; ``folder`` is what its paths are relative to (default: the working directory)."""
    return _parsed(read_layers(data, name, folder or Path.cwd()))


def _parsed(layers: Layers) -> RecipeFile:
    root = without_nothing(reduce(overlay, reversed(layers.roots)))
    report = Report()
    everything = map_data(root)
    if len(layers.roots) > 1:  # a single layer was validated when it was read
        validate(Document, everything, root, report)
    head = validate(Head, {key: value for key, value in everything.items() if key in STATIC}, root, report)
    if head is None:
        raise report.error()
    report.check()
    check_inputs(root, head.inputs, report)
    check_profiles(root, head.inputs, report)
    check_matrix(root, head.inputs, profiles_of(root), report)
    check_parameters(root, report, filled=False)
    report.check()
    doubtful = tuple(doubts(layers.roots[0]))
    return RecipeFile(head.name, head.description, head.inputs, root, layers.sources, layers.notes, doubtful)


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

    @classmethod
    def filled(cls, document: Document, inputs: Mapping[str, object]) -> Recipe:
        """Return the recipe of a document that was validated with these values of its inputs."""
        given = {name: getattr(document, name) for name in cls.model_fields if name != "inputs"}
        told = document.model_fields_set & given.keys()
        return cls.model_construct({*told, "inputs"}, inputs=dict(inputs), **given)

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
