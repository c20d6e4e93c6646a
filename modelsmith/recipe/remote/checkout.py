"""What was fetched, in a folder of the cache that is never changed: regular files only, named by what pins them."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from modelsmith.errors import UnreadableFile, UsageError, system_errors
from modelsmith.files.cache import cache_folder
from modelsmith.files.locking import lock
from modelsmith.files.unfinished import unfinished_folder
from modelsmith.recipe.remote.address import is_inside
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

MAX_FILES: Final = 5_000
MAX_FILE_BYTES: Final = 16 << 20
MAX_BYTES: Final = 256 << 20
_MAX_NOTE: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class Checkout:
    """The files of a repository or an artifact.

    ``origin`` is where they come from, ``pin`` the commit or the digest that they are, ``notes`` what the user should know
    (that a branch moves, that nothing answered and an earlier copy is used).
    """

    root: Path
    origin: str
    pin: str
    notes: tuple[str, ...] = ()

    @property
    def is_local(self) -> bool:
        """Whether it comes from this machine: a folder, or a repository in one."""
        return "://" not in self.origin or self.origin.startswith("git+file:")

    def file(self, path: str) -> Path:
        """Return a file of it; raises UnreadableFile where there is none, UsageError for a path that leads out of it."""
        found = self.root / path
        if not is_inside(path):
            raise UsageError(f'"{path:.200}" leaves {self.origin}', hint="name a file of the repository")
        if not found.is_file():
            there = ", ".join(sorted(entry.name for entry in self.root.glob("*.y*ml"))[:8])
            hint = f"there: {there}" if there else "check the spelling, and whether it is a link or larger than 16 MiB"
            raise UnreadableFile(f"{self.origin} has no file {path:.200}", hint=hint)
        return found


def recipes_cache() -> Path:
    """Return the folder for recipes from elsewhere."""
    return cache_folder() / "recipes"


@system_errors()
def kept_tree(pin: str, files: Callable[[], Iterable[tuple[str, bytes]]]) -> Path:
    """Return the folder of what ``pin`` names; ``files`` is asked for its files only where it is not there yet.

    Raises UsageError for names that lead out of the folder, and for more than a team's recipes need.
    """
    folder = recipes_cache() / "trees"
    target = folder / pin.replace(":", "-")
    if target.is_dir():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with unfinished_folder(target) as making:
        _write(making, files())
        try:
            making.rename(target)
        except OSError:  # another process was faster
            if not target.is_dir():
                raise
    return target


def _write(folder: Path, files: Iterable[tuple[str, bytes]]) -> None:
    total = count = 0
    for path, data in files:
        count, total = count + 1, total + len(data)
        if count > MAX_FILES or total > MAX_BYTES:
            raise UsageError(
                f"it has more than {MAX_FILES:,} files or {MAX_BYTES >> 20} MiB: not a repository of recipes",
                hint="keep recipes in a repository of their own",
            )
        if not is_inside(path):
            raise UsageError(f'it has a file called "{path:.200}", which would leave its folder')
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as file:
            file.write(data)


@contextmanager
@system_errors()
def holding(name: str) -> Iterator[Path]:
    """Hold a folder of the cache for this process alone."""
    folder = recipes_cache() / name
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder.with_name(f"{folder.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        lock(descriptor, waits=True)
        yield folder
    finally:
        os.close(descriptor)


def key_of(text: str) -> str:
    """Return a name for files that belong to an address."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def seen(origin: str) -> str:
    """Return what an address named when it was last asked here; "" where it was not."""
    try:
        with _note(origin).open("rb") as file:
            said = json.loads(file.read(_MAX_NOTE))
    except (OSError, ValueError, RecursionError):
        return ""
    pin = said.get("pin") if isinstance(said, dict) and said.get("origin") == origin else ""
    return pin if isinstance(pin, str) else ""


@system_errors()
def remember(origin: str, pin: str) -> None:
    """Keep what an address named."""
    from modelsmith.files.replacing import write

    note = _note(origin)
    note.parent.mkdir(parents=True, exist_ok=True)
    write(note, [json.dumps({"origin": origin, "pin": pin}).encode()], keeps=False)


def _note(origin: str) -> Path:
    return recipes_cache() / "seen" / f"{key_of(origin)}.json"
