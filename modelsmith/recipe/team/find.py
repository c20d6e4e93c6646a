"""From ``team/force-think`` to the file of a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import did_you_mean
from modelsmith.errors import UnreadableFile
from modelsmith.recipe.read.bundled import ENDINGS
from modelsmith.recipe.remote.address import is_inside, is_remote, parse_address
from modelsmith.recipe.team.sources import sources_file

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.recipe.remote.checkout import Checkout


def find_in_team(text: str) -> tuple[Path, str, Checkout] | None:
    """Return the file, its name for people and the checkout that it must not leave; None where no place has that name.

    Raises UnreadableFile where the place has no such recipe, RecipeSourceError where it cannot be had.
    """
    name, slash, rest = text.partition("/")
    if not slash or not rest or not is_inside(rest):
        return None
    source = sources_file().sources.get(name)
    if source is None:
        return None
    checkout = source.checkout()
    folder = source.folder()
    for ending in ("", *ENDINGS):
        path = folder / f"{rest}{ending}"
        if path.suffix.lower() in ENDINGS and path.is_file():
            inside = path.relative_to(checkout.root).as_posix()
            shown = f"{checkout.origin}//{inside}" if source.address is not None else str(path)
            return path, shown, checkout
    there = [recipe for recipe, _ in source.files()]
    hint = f"there are: {', '.join(there[:20])}" if there else f"{source.place} holds no files of YAML"
    deeper = [recipe for recipe in there if recipe.rpartition("/")[2] == rest]
    close = f'; did you mean "{deeper[0]}"?' if deeper else did_you_mean(rest, there)
    raise UnreadableFile(f'the recipes {name} have no "{rest:.120}"{close}', hint=hint)


def is_of_team(text: str) -> bool:
    """Say whether a text begins with the name of a place, and is no model's name with a tag and no path."""
    name, slash, rest = text.partition("/")
    return bool(slash) and ":" not in rest and is_inside(rest) and name in sources_file().sources


def address_now(text: str) -> str:
    """Return the address of a recipe at what its place is pinned to now; the text itself where it is of no place that has a name."""
    if not is_remote(text):
        return text
    address = parse_address(text)
    return next(filter(None, (source.pinned_path(address) for source in sources_file().sources.values())), text)


def hint_of(text: str) -> str:
    """Return what to say of a name that no recipe has: the recipes of a team, or where their names come from; "" for neither."""
    name, slash, rest = text.partition("/")
    if rest.lower().endswith(ENDINGS) or not name or name.startswith((".", "~")) or ":" in rest:
        return ""
    file = sources_file()
    if name in file.sources:
        return f"its recipes: {', '.join(f'{name}/{recipe}' for recipe, _ in file.sources[name].files())}"
    if not slash or not file.path.exists():
        return ""
    known = ", ".join(file.sources) or "no recipes"
    return f"{file.path}, which counts here, knows {known}; add others: modelsmith recipes add {name:.60} PLACE"
