"""Recipes from elsewhere stay in their own folder: the paths that they say, and those of the Modelfiles that these lead to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from modelsmith.errors import UsageError
from modelsmith.files.paths import anchored, looks_like_path
from modelsmith.weights.adapters.spec import weighted

if TYPE_CHECKING:
    from modelsmith.recipe.read.nodes import ScalarNode
    from modelsmith.recipe.read.report import Report

_MAX_MODELFILE: Final = 4 << 20


def confine(key: str, path: str, root: Path, node: ScalarNode, report: Report) -> None:
    """Report a path of a recipe from elsewhere that leaves ``root``, or a Modelfile there that names one which does."""
    place = _place(path) if key == "adapters" else Path(path)
    if not _inside(place, root):
        message = f"{key}: {node.text:.120} leaves the folder of the recipe, which comes from elsewhere"
        hint = "give it with --set where the recipe has an input for it; such a recipe names only files of its own"
        report.add("foreign-path", message, node, hint)
    elif key == "from" and (leaves := _leaves(place, root)):
        message = f"from: {node.text:.120} says {leaves:.120}, which leaves the folder of the recipe"
        report.add("foreign-path", message, node, "a recipe from elsewhere names only files of its own")


def _place(text: str) -> Path:
    try:
        return Path(weighted(text)[0])
    except UsageError:
        return Path(text)  # the weight is judged where it is used


def _inside(path: Path, root: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):
        return False


def _leaves(path: Path, root: Path) -> str:
    """Return the instruction of a Modelfile that names a file outside of ``root``; "" for none, and for other files."""
    from modelsmith.syntax.modelfile.modelfile import Modelfile

    try:
        if not path.is_file() or path.suffix.lower() == ".gguf":
            return ""
        with path.open("rb") as file:
            modelfile = Modelfile.parse(file.read(_MAX_MODELFILE))
    except OSError:
        return ""
    for keyword in ("FROM", "ADAPTER", "DRAFT"):
        for instruction in modelfile.find(keyword):
            named = Path(anchored(instruction.value, path.parent))
            if (looks_like_path(instruction.value) or named.exists()) and not _inside(named, root):
                return f"{keyword} {instruction.value}"
    return ""
