"""A recipe's text, and the texts of the recipes that it extends, as valid layers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from modelsmith.errors import UnreadableFile, UsageError
from modelsmith.recipe.format.schema import Document
from modelsmith.recipe.read.bundled import ENDINGS, find_recipe, is_path
from modelsmith.recipe.read.complaints import explain, found
from modelsmith.recipe.read.nodes import MapNode, RecipeSource, ScalarNode, to_data, without_nothing
from modelsmith.recipe.read.report import Report
from modelsmith.recipe.read.yaml import parse_yaml
from modelsmith.source import Source, Span

if TYPE_CHECKING:
    from collections.abc import Mapping

Model = TypeVar("Model", bound=BaseModel)

MAX_BYTES = 1 << 20
MAX_LAYERS = 10


def read_layers(data: str | bytes, name: str, folder: Path) -> tuple[MapNode, ...]:
    """Return a recipe, then what it extends, and so on; each one is valid by itself but for keys that another one brings."""
    layers: list[MapNode] = []
    seen = {Path(name).resolve()}
    while True:
        root = _read_layer(data, name, folder, complete=not layers)
        layers.append(root)
        extends = root.items.get("extends")
        if not isinstance(extends, ScalarNode) or extends.value is None:
            return tuple(layers)
        try:
            path = _extended(extends.text, folder, seen)
            data, name, folder = read_file(path), str(path), path.absolute().parent
        except (UsageError, UnreadableFile) as error:
            report = Report()
            report.add("extends", f"extends: {error.message}", extends, error.hint)
            raise report.error() from error
        seen.add(path.resolve())


def _read_layer(data: str | bytes, name: str, folder: Path, *, complete: bool) -> MapNode:
    root = parse_yaml(RecipeSource(_decode(data, name), name, folder=folder))
    report = Report()
    if not isinstance(root, MapNode):
        message = f"expected a recipe, a mapping with the keys name, from and create; found {found(root)}"
        report.add("not-a-recipe", message, root)
        raise report.error()
    kept = without_nothing(root)
    validate(Document, map_data(kept), kept, report, complete=complete and "extends" not in kept.items)
    report.check()
    return root


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
        return model.model_validate(data)
    except ValidationError as error:
        explain(error.errors(include_url=False, include_input=False), root, report, complete=complete, filled=filled)
        return None


def map_data(root: MapNode) -> dict[str, object]:
    """Return the plain values of a mapping."""
    return {key: to_data(node) for key, node in root.items.items()}


def _extended(name: str, folder: Path, seen: set[Path]) -> Path:
    if not is_path(name):
        path = find_recipe(name)
    elif Path(name).is_absolute() or name.startswith("~") or not name.lower().endswith(ENDINGS):
        raise UsageError(f'"{name:.120}" is not a relative path of a YAML file')
    else:
        path = find_recipe(folder / name)
    if path.resolve() in seen:
        raise UsageError(f"{path.name} is this recipe, or already extends it")
    if len(seen) >= MAX_LAYERS:
        raise UsageError(f"more than {MAX_LAYERS} recipes extend each other")
    return path


def read_file(path: Path) -> bytes:
    """Return the bytes of a recipe's file; raises UnreadableFile where it cannot be one."""
    try:
        if not path.is_file():
            raise UnreadableFile(f"{path} is not a file", hint="name the YAML file of a recipe")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}") from error
    if len(data) > MAX_BYTES:
        raise UnreadableFile(f"{path} is larger than {MAX_BYTES:,} bytes: not a recipe")
    return data


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
