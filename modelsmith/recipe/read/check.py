"""Check files of recipes as far as that goes without a model: what is wrong, everywhere, with places."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Diagnostic, Severity
from modelsmith.errors import ModelsmithError, RecipeError, UnreadableFile, UnreadableRecipe
from modelsmith.lint.report import Report
from modelsmith.recipe.read.layers import read_file
from modelsmith.recipe.read.load import RecipeFile, load_recipe
from modelsmith.recipe.read.nodes import MapNode, RecipeSource
from modelsmith.recipe.read.references import TooMuchText
from modelsmith.recipe.read.report import Report as Complaints
from modelsmith.recipe.read.yaml import parse_yaml
from modelsmith.source import Source, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.recipe.read.matrix import Combination

PATTERNS = ("*.yaml", "*.yml")
_HEAD = frozenset({"from", "extends", "create"})


def looks_like_recipe(path: Path) -> bool:
    """Say whether a file of YAML is meant as a recipe: a mapping with a name, and what it starts from or makes.

    One that is no YAML counts when a line of it begins like that.
    """
    try:
        text = read_file(path).decode("utf-8-sig", "replace")
    except UnreadableFile:
        return False
    try:
        root = parse_yaml(RecipeSource(text, str(path), folder=path.parent))
    except RecipeError:
        lines = {line.partition(":")[0] for line in text.splitlines() if ":" in line}
        return "name" in lines and bool(lines & _HEAD)
    return isinstance(root, MapNode) and "name" in root.items and bool(root.items.keys() & _HEAD)


def check_recipe(path: Path) -> tuple[RecipeFile | None, tuple[Report, ...]]:
    """Return a recipe, and what is wrong with it: one report a file that something is wrong with, its own first.

    Profiles and combinations are tried out as far as they need no values of the user.
    """
    try:
        recipe = load_recipe(path)
    except RecipeError as error:
        return None, (_report(error, path),)
    except ModelsmithError as error:
        return None, (Report(Source("", str(path)), failed=error.message, hint=error.hint),)
    found: dict[str, dict[Diagnostic, None]] = {}
    sources: dict[str, Source] = {}
    for refusal in _tried(recipe):
        if refusal.source is not None:
            sources[refusal.source.name] = refusal.source
            found.setdefault(refusal.source.name, {}).update(dict.fromkeys(refusal.diagnostics))
    own = recipe.sources[0]
    found.setdefault(own.name, {}).update(dict.fromkeys(recipe.warnings))
    for note in recipe.notes:
        found[own.name][Diagnostic("elsewhere", note, Span(0, 0), Severity.WARNING)] = None
    sources.setdefault(own.name, own)
    reports = (
        Report(_near(sources[name]), tuple(sorted(diagnostics, key=lambda diagnostic: diagnostic.span)))
        for name, diagnostics in found.items()
        if diagnostics or name == own.name
    )
    return recipe, tuple(reports)


def same_names(recipes: Sequence[RecipeFile]) -> Iterator[tuple[RecipeFile, Diagnostic]]:
    """Yield a warning for each recipe whose name another one of them has already."""
    first: dict[str, RecipeFile] = {}
    for recipe in recipes:
        other = first.setdefault(recipe.name, recipe)
        if other is not recipe:
            message = f'the name "{recipe.name}" is that of {other.sources[0].name} too'
            node = recipe.root.items["name"]
            yield recipe, Diagnostic("same-name", message, node.span, Severity.WARNING, "give one of them another name")


def _report(error: RecipeError, path: Path) -> Report:
    source = _near(error.source or Source("", str(path)))
    if isinstance(error, UnreadableRecipe):
        return Report(source, failed=error.message, hint=error.hint)
    return Report(source, error.diagnostics)


def _near(source: Source) -> Source:
    """Return a source by its path from here, where it is below: that is what people and CI know it by."""
    path = Path(source.name)
    here = Path.cwd()
    if not path.is_absolute() or not path.is_relative_to(here):
        return source
    return Source(source.text, str(path.relative_to(here)))


def _tried(recipe: RecipeFile) -> Iterator[RecipeError]:
    """Fill in the inputs for every profile and combination that says enough, and yield what that leads to."""
    combinations: tuple[Combination | None, ...] = recipe.combinations() or (None,)
    for profile in ("", *recipe.profiles):
        for combination in combinations:
            try:
                recipe.resolve({}, environment={}, profile=profile, combination=combination)
            except RecipeError as error:
                if any(diagnostic.code != "no-value" for diagnostic in error.diagnostics):
                    yield error
            except TooMuchText as error:
                complaints = Complaints()
                complaints.add("too-large", error.message, recipe.root.items["inputs"], error.hint)
                yield complaints.error()
            except ModelsmithError:
                continue  # a value that only the user can give
