"""Recipes that come with the program, and how a recipe is named: a bundled one by name, any other by its path."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from modelsmith.diagnostic import did_you_mean
from modelsmith.errors import UnreadableFile, UsageError
from modelsmith.patterns import regex
from modelsmith.recipe.read.advice.strangers import stranger_text
from modelsmith.resources import RECIPES

ENDINGS = (".yaml", ".yml")
_HEAD = 4096
_ALIKE = 0.7
_TAGGED = regex(r":[A-Za-z0-9_.-]+$")
_AS_INPUT = "a model is what a recipe starts from: modelsmith plan force-think --set base={}"


def is_path(name: str) -> bool:
    """Say whether a recipe is named by its path: there is a / in it, or a YAML ending."""
    return "/" in name or name.lower().endswith(ENDINGS)


def bundled_recipes() -> dict[str, Path]:
    """Return the files of the bundled recipes by name, sorted."""
    return {path.stem: path for path in sorted(RECIPES.glob("*.yaml"))}


def _neighbour(path: Path) -> str:
    """Return a hint that names the file beside a path that is not there which is called much alike, "" where there is none."""
    try:
        entries = [entry for entry in path.parent.iterdir() if entry.suffix.lower() in ENDINGS and entry.is_file()]
    except OSError:
        return ""
    by_stem = {entry.stem: entry.name for entry in sorted(entries)}
    close = get_close_matches(path.stem, by_stem, 1, _ALIKE)
    if not close:
        return ""
    beside = path.with_name(by_stem[close[0]])
    return f"did you mean {beside if len(beside.parts) > 1 else f'./{beside}'}?"


def find_recipe(name_or_path: str | Path) -> Path:
    """Return the file of a recipe; raises UnreadableFile or (for a name) UsageError, with what there is, when there is none."""
    name = str(name_or_path)
    bundled = bundled_recipes()
    if isinstance(name_or_path, Path) or is_path(name):
        path = Path(name)
        if _exists(path):
            return path
        if _TAGGED.search(name):
            hint = _AS_INPUT.format(name)
        elif path.stem in bundled:
            hint = f"the bundled recipe goes by its name: {path.stem}"
        else:
            hint = _neighbour(path) or "bundled recipes go by name, without a path: " + ", ".join(bundled)
        raise UnreadableFile(f"there is no recipe {name}", hint=hint)
    if name in bundled:
        return bundled[name]
    if name and _exists(Path(name)):  # a bare name is never a path, so that no file hides a bundled recipe
        raise UsageError(f'no bundled recipe "{name:.120}"', hint=_beside(name))
    if _TAGGED.search(name):
        raise UsageError(f'no bundled recipe "{name:.120}"', hint=_AS_INPUT.format(name))
    hint = f"bundled recipes: {', '.join(bundled)}; a file of your own needs a path, such as ./{name}.yaml"
    raise UsageError(f'no bundled recipe "{name:.120}"{did_you_mean(name, bundled)}', hint=hint)


def _beside(name: str) -> str:
    """Return the way out where a bare name is that of a file or a folder here."""
    path = Path(name)
    try:
        with path.open("rb") as file:
            stranger = stranger_text(file.read(_HEAD).decode("utf-8", "replace"), name)
    except OSError:  # a folder, or a file that may not be read: that is told of the path
        stranger = None
    if stranger is not None:
        return f"./{name} is {stranger.kind}: {stranger.hint}"
    return f"a file here needs a path: ./{name}" if path.is_file() else f"name a recipe in the folder: {name}/FILE.yaml"


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:  # a name that is too long, a folder that may not be read
        raise UnreadableFile(f"recipe {path!s:.200} cannot be read: {error.strerror or error}") from error
