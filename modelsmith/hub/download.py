"""Downloading: into the Hub's own cache, resumed where it broke off, verified by the checksum that the Hub has announced.

The cache has the layout that all tools of the Hub share (huggingface_hub, "Understand caching"): bytes under ``blobs`` by
their checksum, names under ``snapshots`` by commit. ``huggingface_hub`` throws an interrupted download away; here its
``.incomplete`` file stays, and the next run goes on behind its last byte.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, BinaryIO

from modelsmith.about import __version__
from modelsmith.errors import DigestMismatch, HubError, StoreError, UnreadableFile
from modelsmith.files.locking import lock
from modelsmith.files.replacing import point, replacing, write
from modelsmith.files.stream import copy_segments
from modelsmith.hub.failures import hub_errors
from modelsmith.progress import Progress, ProgressSink, silent
from modelsmith.weights.blobs.blob import FileBlob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from modelsmith.hub.client import Hub
    from modelsmith.hub.snapshot import HubFile, Snapshot

_CHUNK = 1 << 20


def download_all(
    hub: Hub,
    snapshot: Snapshot,
    files: Iterable[HubFile],
    progress: ProgressSink = silent,
    note: Callable[[str], None] = lambda _text: None,
) -> tuple[Path, ...]:
    """Return the files in the cache, downloaded where they are not there yet; ``note`` hears what went otherwise than usual.

    Raises HubError, DigestMismatch where what came is not what was announced, UnreadableFile where the disk is full.
    """
    return tuple(download(hub, snapshot, file, progress, note) for file in files)


def download(
    hub: Hub,
    snapshot: Snapshot,
    file: HubFile,
    progress: ProgressSink = silent,
    note: Callable[[str], None] = lambda _text: None,
) -> Path:
    """Return one file in the cache; see ``download_all``."""
    if (found := hub.cached(snapshot, file)) is not None:
        return found
    if hub.settings.offline:
        raise HubError(
            f"{file.path} of {snapshot.repo} was not downloaded, and HF_HUB_OFFLINE is set", hint="unset HF_HUB_OFFLINE"
        )
    if not file.key:
        raise HubError(f"the Hub names no checksum of {file.path} in {snapshot.repo}", hint="is HF_ENDPOINT a mirror?")
    folder = hub.folder(snapshot.repo)
    blob = folder / "blobs" / file.key
    pointer = folder / "snapshots" / snapshot.commit / file.path
    lock = hub.settings.cache / ".locks" / folder.name / f"{file.key}.lock"  # the lock that the Hub's own tools take
    _make_folders(blob.parent, pointer.parent, lock.parent)
    with _locked(lock):
        if not (blob.is_file() and blob.stat().st_size == file.size):
            _fetch(hub, snapshot, file, blob, progress, note)
        _point(pointer, blob)
    _remember_revision(folder, snapshot)
    return pointer


def _make_folders(*folders: Path) -> None:
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnreadableFile(
                f"the Hub's cache cannot be written: {folder}: {error.strerror or error}",
                hint="HF_HOME or HF_HUB_CACHE names another folder",
            ) from error


def _fetch(
    hub: Hub,
    snapshot: Snapshot,
    file: HubFile,
    blob: Path,
    progress: ProgressSink,
    note: Callable[[str], None],
) -> None:
    from huggingface_hub.file_download import get_hf_file_metadata
    from huggingface_hub.utils._headers import build_hf_headers

    settings = hub.settings
    unfinished = blob.with_name(f"{file.key}.incomplete")
    have = unfinished.stat().st_size if unfinished.is_file() else 0
    free = shutil.disk_usage(blob.parent).free
    if file.size - have > free:
        raise UnreadableFile(
            f"{file.name} needs {file.size - have:,} bytes, and {free:,} are free in {blob.parent}",
            hint="free some space, or let HF_HUB_CACHE name a folder on another disk",
        )
    headers = build_hf_headers(token=settings.token or False, library_name="modelsmith", library_version=__version__)
    with hub_errors(settings, snapshot.repo, file.path):
        known = get_hf_file_metadata(
            hub.url(snapshot, file), token=settings.token or False, endpoint=settings.endpoint, retry_on_errors=True
        )
    if known.size is not None and known.size != file.size:
        raise HubError(
            f"{file.path} of {snapshot.repo} has {known.size:,} bytes, and the list of files says {file.size:,}",
            hint="the mirror is out of date, or the repository changes; try again",
        )
    if have > file.size:
        unfinished.unlink()
        have = 0
    if settings.xet and known.xet_file_data is not None and not have:
        fetched = _by_xet(file, known.xet_file_data, headers, unfinished, progress, note)
    else:
        fetched = False
    if not fetched:
        _by_http(hub, snapshot, file, headers, unfinished, progress)
    unfinished.replace(blob)


def _by_xet(
    file: HubFile,
    place: Any,
    headers: dict[str, str],
    unfinished: Path,
    progress: ProgressSink,
    note: Callable[[str], None],
) -> bool:
    """Fetch by the Hub's storage of chunks; False where that fails, whatever the reason: plain HTTP has it too."""
    if find_spec("hf_xet") is None:
        return False
    from huggingface_hub.file_download import xet_get

    target = unfinished.with_suffix(".xet")
    try:
        xet_get(
            incomplete_path=target,
            xet_file_data=place,
            headers=headers,
            expected_size=file.size,
            displayed_filename=file.name,
            tqdm_class=_bar(file, 0, progress),
        )
        _check(file, _hashed(target, file), target)
        target.replace(unfinished)
    except Exception as error:  # noqa: BLE001 - a library of its own, in another language: anything may come out of it
        note(
            f"Xet failed for {file.name} and is done without: {' '.join(str(error).split())[:200]} "
            "(HF_HUB_DISABLE_XET=1 never tries it)"
        )
        return False
    finally:
        target.unlink(missing_ok=True)
    return True


def _by_http(
    hub: Hub, snapshot: Snapshot, file: HubFile, headers: dict[str, str], unfinished: Path, progress: ProgressSink
) -> None:
    from huggingface_hub.file_download import http_get

    with unfinished.open("r+b" if unfinished.exists() else "w+b") as raw:
        writer = _Hashing(raw, file)
        try:
            with hub_errors(hub.settings, snapshot.repo, file.path):
                http_get(
                    hub.url(snapshot, file),
                    writer,  # type: ignore[arg-type]  # it writes, seeks, tells and truncates
                    resume_size=writer.tell(),
                    headers=headers,
                    expected_size=file.size,
                    displayed_filename=file.name,
                    tqdm_class=_bar(file, writer.tell(), progress),
                )
        except OSError as error:
            raise HubError(
                f"{file.path} of {snapshot.repo} did not come whole: {error.strerror or str(error).partition('.')[0]}",
                hint="run the command again: it goes on where it broke off",
            ) from error
        raw.flush()
        os.fsync(raw.fileno())
    _check(file, writer.digest(), unfinished)


def _check(file: HubFile, digest: str, path: Path) -> None:
    if digest != file.key:
        path.unlink(missing_ok=True)
        raise DigestMismatch(
            f"{file.path} came with the checksum {digest}, and the Hub announced {file.key}",
            hint="it was damaged on the way, or changed by a mirror; it was thrown away: run the command again",
        )


def holds(place: Path, file: HubFile) -> bool:
    """Say whether a file outside of the cache is that file of the Hub, by its bytes; raises OSError."""
    return place.is_file() and place.stat().st_size == file.size and _hashed(place, file) == file.key


def _new_hash(file: HubFile) -> Any:
    """Return what hashes as the Hub does: SHA-256 for what is stored apart, git's SHA-1 for the others."""
    if file.sha256:
        return hashlib.sha256()
    return hashlib.sha1(f"blob {file.size}\0".encode(), usedforsecurity=False)


def _hashed(path: Path, file: HubFile) -> str:
    with path.open("rb") as raw:
        return _Hashing(raw, file).digest()


class _Hashing:
    """A file that is written from front to back, and its hash; what is in it already is read first."""

    def __init__(self, raw: BinaryIO, file: HubFile) -> None:
        self._raw = raw
        self._file = file
        self._begin()

    def _begin(self) -> None:
        self._hash = _new_hash(self._file)
        self._raw.seek(0)
        while data := self._raw.read(_CHUNK):
            self._hash.update(data)

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        return self._raw.write(data)

    def tell(self) -> int:
        return self._raw.tell()

    def seek(self, offset: int) -> int:
        return self._raw.seek(offset)

    def truncate(self) -> int:
        size = self._raw.truncate()
        self._begin()
        return size

    def digest(self) -> str:
        return str(self._hash.hexdigest())


def _bar(file: HubFile, initial: int, progress: ProgressSink) -> Any:
    """Return the class of a progress bar, as ``huggingface_hub`` makes one, that reports to ``progress``."""

    class Bar:
        def __init__(self, *_arguments: object, **_options: object) -> None:
            self.n = initial
            self.total = file.size

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *_exception: object) -> None:
            return None

        def update(self, count: float | None = 1) -> None:
            self.n += int(count or 0)
            progress(Progress(f"downloading {file.name}", "", min(self.n, file.size), file.size))

        def __getattr__(self, name: str) -> Callable[..., None]:
            if name.startswith("__"):
                raise AttributeError(name)
            return lambda *_arguments, **_options: None

    return Bar


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Two runs do not write one file: the second waits, and finds it there."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        lock(descriptor, waits=True)
        yield
    finally:
        os.close(descriptor)


def _point(pointer: Path, blob: Path) -> None:
    """Give a blob its name, by a relative symbolic link; a hard link or a copy where there are none."""
    try:
        point(pointer, os.path.relpath(blob, pointer.parent))
    except OSError:
        with replacing(pointer, keeps=False) as (descriptor, _):
            copy_segments(FileBlob(blob).segments, descriptor)


def _remember_revision(folder: Path, snapshot: Snapshot) -> None:
    """Let the cache know which commit a branch or tag was, for work without a network."""
    name = snapshot.revision or "main"
    if name == snapshot.commit:
        return
    place = folder / "refs" / name
    with suppress(OSError, StoreError):
        place.parent.mkdir(parents=True, exist_ok=True)
        write(place, [snapshot.commit.encode()], keeps=False)
