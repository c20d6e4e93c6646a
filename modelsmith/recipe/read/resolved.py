"""A recipe with values for its inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.recipe.read.load import Recipe, RecipeFile


@dataclass(frozen=True, slots=True)
class ResolvedRecipe:
    """A recipe as it is written, the values that were given for its inputs, and both together.

    ``profile`` is the one that is laid over it, ``label`` what tells it from the others of a matrix; "" for none.
    """

    written: RecipeFile
    settings: Mapping[str, Any]
    recipe: Recipe
    profile: str = ""
    label: str = ""
