"""Whether a file that a command is asked to write may take the place of another, and where that one is kept.

One answer for every command: what stands there is replaced only with ``--force``, unless it is empty, is exactly what would be
written, or is an older report of ours. What ``--force`` replaces is kept beside it as ``NAME.old``.
"""

from __future__ import annotations

import os
from itertools import count
from typing import TYPE_CHECKING

from modelsmith.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_PIECE = 1 << 20
_LONGEST = 64 << 20  # bytes of a file that is compared with what would be written


def check_output(
    target: Path,
    sources: Iterable[Path] = (),
    *,
    force: bool,
    content: bytes | None = None,
    is_ours: Callable[[bytes], bool] | None = None,
) -> None:
    """Raise UsageError where a file cannot be written, or would replace what may not be replaced.

    ``sources`` are files that are read, which no ``force`` overwrites. ``content`` is what would be written, where that is
    known; ``is_ours`` recognizes an older output by its bytes, which loses nothing when it is made again.
    """
    check_place(target, sources)
    if not force and stands_in_the_way(target, content, is_ours):
        raise UsageError(
            f"{target} exists already"
            + ("" if content is None else " and is not what would be written")
            + ": it would be lost",
            hint=f"name another file; or --force replaces it and keeps it as {kept_name(target.resolve()).name}",
        )


def check_place(target: Path, sources: Iterable[Path] = ()) -> None:
    """Raise UsageError where no file can be: a folder, a device, a place without a folder; or one of the ``sources``."""
    if target.is_dir():
        raise UsageError(f"{target} is a folder", hint=f"name the file, such as {target / 'model'}")
    if not target.resolve().parent.is_dir():
        raise UsageError(
            f"{target} cannot be written: there is no folder {target.parent}", hint=f"mkdir -p {target.parent}"
        )
    if not target.exists():
        return
    if any(source.exists() and target.samefile(source) for source in sources):
        raise UsageError(f"{target} would be overwritten, and it is what is read", hint="give the result another name")
    if not target.is_file():
        raise UsageError(f"{target} is not a regular file", hint="name another file")


def stands_in_the_way(
    target: Path, content: bytes | None = None, is_ours: Callable[[bytes], bool] | None = None
) -> bool:
    """Say whether a file stands there that is not empty, not exactly ``content`` and no older output of ours."""
    try:
        size = target.stat().st_size
    except FileNotFoundError:
        return False
    if size == 0:
        return False
    if content is None and is_ours is None:
        return True
    found = target.read_bytes() if size <= _LONGEST else None
    return found is None or (found != content and not (is_ours is not None and is_ours(found)))


def holds(target: Path, size: int, made: Iterable[bytes | memoryview]) -> bool:
    """Say whether a file of ``size`` bytes is byte for byte what would be made; asks for no more of that than up to the first difference."""
    if not target.is_file() or target.stat().st_size != size:
        return False
    with target.open("rb") as file:
        return all(file.read(len(data)) == data for data in made)


def is_same(first: Path, second: Path) -> bool:
    """Say whether two files hold the same bytes; reads them only where they are as long, up to the first difference."""
    if first.stat().st_size != second.stat().st_size:
        return False
    with first.open("rb") as one, second.open("rb") as other:
        while (data := one.read(_PIECE)) == other.read(_PIECE):
            if not data:
                return True
    return False


def kept_name(target: Path) -> Path:
    """Return the name under which a file is kept: the first free one of ``NAME.old``, ``NAME.old.2`` and so on."""
    for number in count(1):
        kept = _nth_kept(target, number)
        if not os.path.lexists(kept):
            return kept
    raise AssertionError


def _kept_already(target: Path) -> Path | None:
    for number in count(1):
        kept = _nth_kept(target, number)
        if not os.path.lexists(kept):
            return None
        if not kept.is_symlink() and kept.samefile(target):
            return kept
    raise AssertionError


def _nth_kept(target: Path, number: int) -> Path:
    return target.with_name(f"{target.name}.old" + (f".{number}" if number > 1 else ""))


def keep(target: Path, new: Path) -> Path | None:
    """Give the file that ``new`` is about to replace a second name; returns it, None where there is nothing to keep.

    Nothing is kept of an empty file, and of one that holds what ``new`` does. A run that was killed after this step has given it that name already. Raises OSError where that cannot be done; the file is where it was then.
    """
    while True:
        kept = kept_name(target)
        try:
            if target.stat().st_size == 0 or is_same(target, new):
                return None
            if (before := _kept_already(target)) is not None:
                return before
            os.link(target, kept)
        except FileNotFoundError:
            return None
        except FileExistsError:
            continue
        except OSError:  # a disk without hard links: between the two names there is none for a moment
            target.rename(kept)
        return kept
