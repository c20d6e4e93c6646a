"""What modelsmith.toml (or ``[tool.modelsmith]`` of pyproject.toml) says for several commands: the ``stores`` of a team."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.cli.shared.toml_file import read_toml
from modelsmith.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def configured_stores(folder: Path) -> tuple[str, ...]:
    """Return the ``stores`` of the nearest file upwards that names some; none where there is no such file.

    It is looked for up to the top of the repository. Raises UsageError where it makes no sense, UnreadableFile.
    """
    for place in (folder.absolute(), *folder.absolute().parents):
        for name in ("modelsmith.toml", "pyproject.toml"):
            path = place / name
            if path.is_file() and (stores := _stores(path)) is not None:
                return stores
        if (place / ".git").exists():
            break
    return ()


def _stores(path: Path) -> tuple[str, ...] | None:
    data: Any = read_toml(path, "name stores with --store")
    if path.name == "pyproject.toml":
        tool = data.get("tool")
        data = tool.get("modelsmith", {}) if isinstance(tool, dict) else {}
    stores = data.get("stores") if isinstance(data, dict) else None
    if stores is None:
        return None
    if not isinstance(stores, list) or not stores or not all(isinstance(store, str) and store for store in stores):
        raise UsageError(
            f"{path}: stores is {stores!r:.200}, not a list of folders and URLs",
            hint='write it like stores = ["http://one:11434", "http://two:11434"]',
        )
    return tuple(stores)
