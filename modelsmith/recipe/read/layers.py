"""A recipe's text, and the texts of the recipes that it extends, as valid layers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from modelsmith.errors import RecipeSourceError, UnreadableFile, UsageError
from modelsmith.recipe.format.schema import AS_WRITTEN, Document
from modelsmith.recipe.read.advice.strangers import from_it, stranger_data, stranger_text
from modelsmith.recipe.read.bundled import ENDINGS
from modelsmith.recipe.read.complaints import explain
from modelsmith.recipe.read.complaints import found as found_at
from modelsmith.recipe.read.includes import Includer
from modelsmith.recipe.read.nodes import MapNode, Node, RecipeSource, ScalarNode, to_data, without_nothing
from modelsmith.recipe.read.places import Found, find_from
from modelsmith.recipe.read.report import Report
from modelsmith.recipe.read.yaml import parse_yaml
from modelsmith.records import dataclass
from modelsmith.source import Source, Span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.recipe.remote.checkout import Checkout

Model = TypeVar("Model", bound=BaseModel)

MAX_BYTES = 1 << 20
MAX_LAYERS = 10


@dataclass(frozen=True, slots=True)
class Layers:
    """A recipe's text and those that it extends, itself first; all files that were read, and what the user should know of them."""

    roots: tuple[MapNode, ...]
    sources: tuple[RecipeSource, ...]
    notes: tuple[str, ...]


def read_layers(data: str | bytes, name: str, folder: Path, checkout: Checkout | None = None) -> Layers:
    """Return a recipe, then what it extends, and so on; each one is valid by itself but for keys that another one brings."""
    reading = _Reading()
    roots: list[MapNode] = []
    seen = {Path(name).resolve() if checkout is None else Path(folder, name.rpartition("/")[2]).resolve()}
    reading.note(checkout)
    while True:
        root = reading.layer(data, RecipeSource("", name, folder=folder, checkout=checkout), complete=not roots)
        roots.append(root)
        extends = root.items.get("extends")
        if not isinstance(extends, ScalarNode) or extends.value is None:
            return Layers(tuple(roots), tuple(reading.sources), tuple(dict.fromkeys(reading.notes)))
        try:
            found = _extended(extends, seen)
            data, name, folder, checkout = read_file(found.path), found.name, found.folder, found.checkout
        except (UsageError, UnreadableFile, RecipeSourceError) as error:
            report = Report()
            add = report.add_unreadable if isinstance(error, RecipeSourceError) else report.add
            add("extends", f"extends: {error.message}", extends, error.hint)
            raise report.error() from error
        seen.add(found.identity)
        reading.note(checkout)


class _Reading:
    """The files that make up one recipe."""

    def __init__(self) -> None:
        self.sources: list[RecipeSource] = []
        self.notes: list[str] = []
        self._included: dict[Path, Node] = {}

    def note(self, checkout: Checkout | None) -> None:
        """Keep what the user should know of where a file comes from."""
        self.notes += checkout.notes if checkout is not None else ()

    def layer(self, data: str | bytes, blank: RecipeSource, *, complete: bool) -> MapNode:
        """Read one file as a layer, with what its lists include."""
        root = self._parsed(data, blank)
        report = Report()
        if stranger := stranger_data(root):
            report.add("not-a-recipe", f"this is {stranger.kind}, no recipe", root, stranger.hint)
            raise report.error()
        if not isinstance(root, MapNode):
            message = f"expected a recipe, a mapping with the keys name, from and create; found {found_at(root)}"
            report.add("not-a-recipe", message, root)
            raise report.error()
        root = Includer(self._list, report).expanded(root)
        report.check()
        kept = without_nothing(root)
        validate(Document, map_data(kept), kept, report, complete=complete and "extends" not in kept.items)
        report.check()
        return root

    def _list(self, named: ScalarNode) -> tuple[object, Node]:
        found = find_from(named.text, named.source)
        self.note(found.checkout)
        if found.identity not in self._included:
            blank = RecipeSource("", found.name, folder=found.folder, checkout=found.checkout)
            self._included[found.identity] = self._parsed(read_file(found.path), blank)
        return found.identity, self._included[found.identity]

    def _parsed(self, data: str | bytes, blank: RecipeSource) -> Node:
        source = replace(blank, text=_decode(data, blank.name))
        self.sources.append(source)
        if stranger := stranger_text(source.text, source.name):
            report = Report()
            report.add_at("not-a-recipe", f"this is {stranger.kind}, no recipe", Span(0, 0), source, stranger.hint)
            raise report.error()
        return parse_yaml(source)


def validate(
    model: type[Model],
    data: Mapping[str, object],
    root: MapNode,
    report: Report,
    *,
    complete: bool = True,
    filled: bool = False,
) -> Model | None:
    """Return the model that the data make; None where that fails, see ``explain`` for what is reported."""
    try:
        return model.model_validate(data, context=None if filled else AS_WRITTEN)
    except ValidationError as error:
        explain(error.errors(include_url=False, include_input=False), root, report, complete=complete, filled=filled)
        return None


def map_data(root: MapNode) -> dict[str, object]:
    """Return the plain values of a mapping."""
    return {key: to_data(node) for key, node in root.items.items()}


def _extended(extends: ScalarNode, seen: set[Path]) -> Found:
    found = find_from(extends.text, extends.source)
    if found.identity in seen:
        raise UsageError(
            f"{found.path.name} is this recipe, or already extends it",
            hint="the last one of a chain extends none, and starts from a model: from: NAME",
        )
    if len(seen) >= MAX_LAYERS:
        raise UsageError(
            f"more than {MAX_LAYERS} recipes extend each other", hint="extend one that is further down the chain"
        )
    return found


def read_file(path: Path) -> bytes:
    """Return the bytes of a recipe's file; raises UnreadableFile where it cannot be one."""
    try:
        if not path.is_file():
            raise UnreadableFile(f"{path} is not a file", hint=_in_folder(path))
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}") from error
    if data.startswith(b"GGUF"):
        raise UnreadableFile(f"{path} is a GGUF, no recipe", hint=from_it(str(path)))
    if len(data) > MAX_BYTES:
        raise UnreadableFile(
            f"{path} is larger than {MAX_BYTES:,} bytes: not a recipe", hint="name the YAML file of a recipe"
        )
    return data


def _in_folder(path: Path) -> str:
    """Say what to name instead of a folder."""
    if (path / "config.json").exists():
        return from_it(str(path))
    own = [entry.name for entry in sorted(path.iterdir()) if entry.suffix.lower() in ENDINGS] if path.is_dir() else []
    return f"name a recipe in it, such as {path / own[0]}" if own else "name the YAML file of a recipe"


def _decode(data: str | bytes, name: str) -> str:
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        readable = data[: error.start].decode("utf-8-sig", "replace")
        end = len(readable)
        report = Report()
        message = f"the byte 0x{data[error.start]:02x} is not UTF-8"
        report.add_at("encoding", message, Span(end, end), Source(readable, name), "save the file as UTF-8")
        raise report.error() from error
