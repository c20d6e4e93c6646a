"""One copy instead of two: a GGUF of the user and the blob of the same bytes share their blocks, or are one file.

Only the store is written to: the blob becomes a copy that shares the blocks of the user's file (``reflink``: the two stay
independent), or a second name of it (``hard``: whoever writes into one writes into both). The user's file is never touched.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import ModelsmithError, UnreadableFile
from modelsmith.progress import ProgressSink, silent
from modelsmith.store.care.survey import Item, survey
from modelsmith.store.local.write import Writer, can_link, writing
from modelsmith.weights.blobs.blob import FileBlob

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from modelsmith.manifest import Digest
    from modelsmith.store.layout import Layout
    from modelsmith.store.local.known import KnownDigests

_ENDING = ".gguf"


class Way(Enum):
    """How a file and a blob become one."""

    REFLINK = "reflink"
    HARD = "hard"


@dataclass(frozen=True, slots=True)
class Pair:
    """A file of the user and the blob of the same bytes; ``problem`` says why they stay two ("": they need not)."""

    file: Path
    digest: Digest
    size: int
    problem: str = ""


def find_pairs(
    layout: Layout, places: Sequence[Path], known: KnownDigests, progress: ProgressSink = silent
) -> tuple[Pair, ...]:
    """Find the files in ``places`` (files, or folders to look through for ``*.gguf``) whose bytes a blob of the store holds.

    Only files of the size of a blob are hashed. Links are not followed. Raises UnreadableFile for a place that is not there.
    """
    seen = survey(layout)
    by_size: dict[int, list[Item]] = {}
    for item in seen.blobs.values():
        if stat.S_ISREG(item.status.st_mode) and item.status.st_size:
            by_size.setdefault(item.status.st_size, []).append(item)
    pairs: list[Pair] = []
    taken: set[Digest] = set()
    for path in _files(places, layout):
        status = path.stat()
        same = by_size.get(status.st_size, [])
        if any(os.path.samestat(item.status, status) for item in same):
            taken |= {digest for digest, item in seen.blobs.items() if os.path.samestat(item.status, status)}
            continue  # one already
        if not same:
            continue
        blob = FileBlob(path)
        digest = known.find(blob) or blob.digest(progress)
        if digest not in seen.blobs or seen.blobs[digest] not in same:
            continue
        problem = "another file with these bytes is one with the blob already" if digest in taken else ""
        taken.add(digest)
        pairs.append(Pair(path, digest, status.st_size, problem))
    return tuple(pairs)


def unite(layout: Layout, pairs: Iterable[Pair], way: Way, progress: ProgressSink = silent) -> tuple[Pair, ...]:
    """Make each pair one, in the store's folder; returns them with the reason where that could not be."""
    done = []
    with writing(layout, progress) as writer:
        for pair in pairs:
            problem = pair.problem
            if not problem:
                try:
                    problem = _united(writer, pair, way, progress)
                except ModelsmithError as error:
                    problem = error.message
            done.append(Pair(pair.file, pair.digest, pair.size, problem))
    return tuple(done)


def _united(writer: Writer, pair: Pair, way: Way, progress: ProgressSink) -> str:
    blob = FileBlob(pair.file)
    if blob.digest(progress) != pair.digest:
        raise UnreadableFile(f"{pair.file} was changed meanwhile", hint="run the command again")
    if way is Way.HARD:
        if not writer.can_link(blob):
            return _why_not(pair.file, writer.path_of(pair.digest).parent)
        return "" if writer.link_blob(blob, pair.digest) else "the file system has no hard links"
    return (
        ""
        if writer.share_blob(blob, pair.digest)
        else "the file system shares no blocks; --link hard makes them one file"
    )


def _why_not(file: Path, folder: Path) -> str:
    info, place = file.stat(), folder.stat()
    if info.st_dev != place.st_dev:
        return "it is on another disk than the store"
    if info.st_uid != place.st_uid:
        return f"it belongs to user {info.st_uid}, and the store to user {place.st_uid}"
    return "not everybody may read it, so Ollama could not: chmod a+r" if not can_link(file, folder) else ""


def _files(places: Sequence[Path], layout: Layout) -> Iterator[Path]:
    own = os.path.realpath(layout.folder)
    for place in places:
        if place.is_file():
            yield place
            continue
        if not place.is_dir():
            raise UnreadableFile(
                f"{place} is neither a file nor a folder", hint="name GGUFs, or folders to look through"
            )
        for folder, names, files in os.walk(place):
            names[:] = sorted(name for name in names if os.path.realpath(Path(folder, name)) != own)
            for name in sorted(files):
                path = Path(folder, name)
                if name.lower().endswith(_ENDING) and path.is_file() and not path.is_symlink():
                    yield path
