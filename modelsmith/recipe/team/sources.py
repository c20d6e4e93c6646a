"""The places of recipes that a project, or a user, has given a name: one file, found from the working directory upwards.

A project's file is ``modelsmith-recipes.json``; commit it, and everybody's ``team/force-think`` is the same. Without one, the user's own
``$XDG_CONFIG_HOME/modelsmith/recipes.json`` counts.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from modelsmith.diagnostic import did_you_mean
from modelsmith.errors import UnreadableFile, UsageError
from modelsmith.files.replacing import write
from modelsmith.recipe.lock.text import dumps, read
from modelsmith.recipe.team.source import TeamSource, check_name
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME: Final = "modelsmith-recipes.json"
VERSION: Final = 1
_FIELDS: Final = frozenset({"place", "pin", "key"})
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class SourcesFile:
    """A file of places by name, as it was read."""

    path: Path
    sources: Mapping[str, TeamSource]

    def get(self, name: str) -> TeamSource:
        """Return a place; raises UsageError with what there is."""
        if name not in self.sources:
            there = (
                f"there are: {', '.join(self.sources)}"
                if self.sources
                else "add some: modelsmith recipes add NAME PLACE"
            )
            raise UsageError(f'no recipes are called "{name:.80}"{did_you_mean(name, self.sources)}', hint=there)
        return self.sources[name]

    def written(self, sources: Mapping[str, TeamSource]) -> SourcesFile:
        """Write it with other places; raises StoreError."""
        base = self.path.parent
        data = {
            name: {
                field: value
                for field, value in (("place", _relative(source, base)), ("pin", source.pin), ("key", source.key))
                if value
            }
            for name, source in sorted(sources.items())
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write(self.path, [dumps({"version": VERSION, "recipes": data})], keeps=False, hint="check who may write there")
        return SourcesFile(self.path, dict(sources))


def sources_file(folder: Path | None = None, *, new: bool = False) -> SourcesFile:
    """Return the file that counts in a folder (default: the working directory); ``new``: the project's file in that very folder.

    A file that does not exist has no places. Raises UnreadableFile for one that modelsmith did not write so.
    """
    here = (folder or Path.cwd()).absolute()
    if new:
        return _read(here / NAME)
    for parent in (here, *here.parents):
        if (parent / NAME).is_file():
            return _read(parent / NAME)
    return _read(_user_file())


def _user_file() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "modelsmith" / "recipes.json"


def _read(path: Path) -> SourcesFile:
    if not path.exists():
        return SourcesFile(path, {})
    data = read(path)
    if not isinstance(data, dict) or data.get("version") != VERSION:
        raise _wrong(path, f"it does not say version {VERSION}")
    rows = data.get("recipes")
    if not isinstance(rows, dict) or len(rows) > _MOST or set(data) - {"version", "recipes"}:
        raise _wrong(path, f'"recipes" is no mapping of at most {_MOST} names')
    return SourcesFile(path, {name: _source(path, name, row) for name, row in rows.items()})


def _source(path: Path, name: str, row: Any) -> TeamSource:
    if not isinstance(row, dict) or set(row) - _FIELDS or not all(isinstance(value, str) for value in row.values()):
        raise _wrong(path, f'"{name:.80}" is no mapping of {", ".join(sorted(_FIELDS))} to texts')
    place = row.get("place", "")
    try:
        check_name(name)
        source = TeamSource(name, place, row.get("pin", ""), row.get("key", ""))
        pinned = source.address is None or source.pin
    except UsageError as error:
        raise _wrong(path, error.message) from error
    if not pinned:
        raise _wrong(path, f'"{name}" has no pin')
    if source.address is not None:
        return source
    if not place:
        raise _wrong(path, f'"{name}" has no place')
    return TeamSource(name, str((path.parent / Path(place).expanduser()).absolute()))


def _relative(source: TeamSource, base: Path) -> str:
    """Return a place as it is written: a folder below the project's by its relative path, so that it is right on every machine."""
    if source.address is not None or not Path(source.place).is_relative_to(base):
        return source.place
    inside = Path(source.place).relative_to(base).as_posix()
    return inside if inside == "." else f"./{inside}"


def _wrong(path: Path, reason: str) -> UnreadableFile:
    return UnreadableFile(
        f"{path} does not hold places of recipes: {reason}",
        hint="take it from git, or remove it and add the recipes again: modelsmith recipes add",
    )
