"""Find the configuration of lint: the nearest modelsmith.toml or pyproject.toml upwards from a file."""

from __future__ import annotations

from dataclasses import field
from functools import cache
from typing import TYPE_CHECKING, Any

from modelsmith.cli.shared.toml_file import read_toml
from modelsmith.diagnostic import did_you_mean
from modelsmith.errors import UsageError
from modelsmith.lint.config import Config, parse_config
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("modelsmith.toml", "pyproject.toml")
_TABLES = ("lint", "stores")


@dataclass(frozen=True, slots=True)
class Project:
    """A configuration and the folder it is for."""

    root: Path
    config: Config = field(default_factory=Config)
    name: str = ""

    def relative(self, path: Path) -> str:
        """Return a path as patterns of the configuration mean it."""
        absolute = path.absolute()
        return absolute.relative_to(self.root).as_posix() if absolute.is_relative_to(self.root) else absolute.as_posix()


def project(start: Path, named: Path | None = None) -> Project:
    """Return the configuration for files below ``start``: the one named, else the nearest upwards that speaks of lint.

    Raises UsageError where it is not TOML or makes no sense, UnreadableFile where it cannot be read.
    """
    if named is not None:
        table = _table(named)
        if table is None:
            table = {} if named.name == "modelsmith.toml" else _missing(named)
        return Project(named.absolute().parent, parse_config(table, str(named)), str(named))
    return _nearest(start.absolute())


def forget() -> None:
    """Read every configuration anew from now on; a program that stays, such as the language server, calls it."""
    _nearest.cache_clear()


@cache
def _nearest(folder: Path) -> Project:
    for name in NAMES:
        path = folder / name
        if path.is_file() and (table := _table(path)) is not None:
            return Project(folder, parse_config(table, str(path)), str(path))
    is_top = (folder / ".git").exists() or folder.parent == folder
    return Project(folder) if is_top else _nearest(folder.parent)


def _table(path: Path) -> dict[str, Any] | None:
    """Return the table for lint, None where the file has none."""
    data = read_toml(path, "name the right file with --config")
    if path.name == "pyproject.toml":
        tool = data.get("tool", {})
        data = tool.get("modelsmith", {}) if isinstance(tool, dict) else {}
        if not isinstance(data, dict):
            raise UsageError(
                f"{path}: tool.modelsmith is {data!r:.100}, not a table", hint="write [tool.modelsmith.lint]"
            )
    for name in data:
        if name not in _TABLES:
            raise UsageError(
                f'{path}: there is no table "{name}"{did_you_mean(name, _TABLES)}', hint=f"known: {', '.join(_TABLES)}"
            )
    table = data.get("lint")
    if table is not None and not isinstance(table, dict):
        raise UsageError(f"{path}: lint is {table!r:.100}, not a table", hint="write [lint] and its settings below")
    return table


def _missing(path: Path) -> dict[str, Any]:
    where = "[tool.modelsmith.lint]" if path.name == "pyproject.toml" else "[lint]"
    raise UsageError(f"{path} has no {where}", hint="add the table, or leave --config out")
