"""Which Modelfiles and templates are meant by the paths on the command line."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import field
from fnmatch import translate
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from modelsmith.errors import UnreadableFile
from modelsmith.files.binary import is_binary_name
from modelsmith.patterns import regex
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from modelsmith.errors import ModelsmithError

PATTERNS = ("Modelfile", "Modelfile.*", "*.modelfile", "*.gotmpl")
"""The names that are looked for in folders, in any case of letters."""

_WILD = regex(r"[*?\[]")
_SKIPPED = frozenset(("node_modules", "__pycache__", "__pypackages__", "site-packages", "venv"))
_VENV = "pyvenv.cfg"


def find_files(
    paths: Iterable[str | Path],
    *,
    patterns: Collection[str] = PATTERNS,
    exclude: Collection[str] = (),
    refused: Callable[[ModelsmithError], None] | None = None,
) -> Iterator[Path]:
    """Yield the files among ``paths``, and those in folders whose names match a pattern; each file once, in order.

    A file that is named is taken whatever its name. In folders, weights (``Modelfile.gguf``), hidden folders, packages of others (``node_modules``,
    virtual environments) and links to folders are passed by, so that no loop is walked. ``exclude`` are patterns of names
    and of paths, below the folder or from here (``drafts``, ``old/*.modelfile``), for everything that is found or named. What cannot be
    read is given to ``refused`` and the search goes on; without it, the error is raised.
    """
    search = _Search(tuple(patterns), tuple(exclude), refused or _raise)
    for path in map(Path, paths):
        yield from search.at(path)


@dataclass(frozen=True, slots=True)
class _Search:
    """One search; what it has ``seen``, folders and files, it does not look at again."""

    patterns: tuple[str, ...]
    exclude: tuple[str, ...]
    refused: Callable[[ModelsmithError], None]
    seen: set[tuple[int, int]] = field(default_factory=set)

    def at(self, path: Path) -> Iterator[Path]:
        """Yield what one path of the command line means."""
        try:
            status = path.stat()
        except (OSError, ValueError) as error:
            self.refused(_unreadable(path, error))
            return
        shown = _below_here(path)
        if self._excludes(*shown.parts, shown.as_posix()):
            return
        if stat.S_ISDIR(status.st_mode):
            yield from self._below(path)
        elif not stat.S_ISREG(status.st_mode):
            self.refused(UnreadableFile(f"{path} is no regular file", hint="name a file or a folder, or - for stdin"))
        elif self._is_new(status):
            yield path

    def _below(self, top: Path) -> Iterator[Path]:
        folders = [top]
        while folders:
            folder = folders.pop()
            try:
                is_new = self._is_new(folder.stat())
                with os.scandir(folder) as entries:
                    found = sorted(entries, key=lambda entry: entry.name)
            except OSError as error:
                self.refused(_unreadable(folder, error))
                continue
            if not is_new or (folder != top and any(entry.name == _VENV for entry in found)):
                continue
            inner = []
            for entry in found:
                path = folder / entry.name
                if self.exclude and self._is_excluded(path, top):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in _SKIPPED and not entry.name.startswith("."):
                        inner.append(path)
                elif (
                    _matches(self.patterns, entry.name) and not is_binary_name(entry.name) and self._is_new_file(entry)
                ):
                    yield path
            folders += reversed(inner)

    def _is_excluded(self, path: Path, top: Path) -> bool:
        below_top, below_here = path.relative_to(top), _below_here(path)
        return self._excludes(path.name, below_top.as_posix(), below_here.as_posix())

    def _is_new_file(self, entry: os.DirEntry[str]) -> bool:
        try:
            status = entry.stat()
        except OSError:  # a link that leads nowhere, or round in a circle
            return False
        return stat.S_ISREG(status.st_mode) and self._is_new(status)

    def _is_new(self, status: os.stat_result) -> bool:
        identity = (status.st_dev, status.st_ino)
        known = identity in self.seen
        self.seen.add(identity)
        return not known

    def _excludes(self, *texts: str) -> bool:
        return any(_matches(self.exclude, text) for text in texts)


def _matches(patterns: tuple[str, ...], text: str) -> bool:
    names, wild = _compiled(patterns)
    folded = text.casefold()
    return folded in names or any(match(folded) for match in wild)


@cache
def _compiled(patterns: tuple[str, ...]) -> tuple[frozenset[str], tuple[Callable[[str], object], ...]]:
    """Return the patterns that are plain names, and how the others match."""
    folded = [pattern.rstrip("/").casefold() for pattern in patterns]
    names = frozenset(pattern for pattern in folded if not _WILD.search(pattern))
    return names, tuple(re.compile(translate(pattern)).match for pattern in folded if pattern not in names)


def _below_here(path: Path) -> Path:
    """Return the path as seen from the current folder: what is above that is nobody's choice."""
    if not path.is_absolute():
        return path
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else Path(path.name)


def _unreadable(path: Path, error: OSError | ValueError) -> UnreadableFile:
    if isinstance(error, FileNotFoundError):
        return UnreadableFile(f"{path} does not exist", hint="name a file or a folder, or - for stdin")
    reason = getattr(error, "strerror", None) or str(error)
    return UnreadableFile(f"{path} cannot be read: {reason}", hint="check the path and its permissions")


def _raise(error: ModelsmithError) -> NoReturn:
    raise error
