"""Asking the Hub: what a repository holds at a revision, resolved to the commit that it is now."""

from __future__ import annotations

import re
from logging import ERROR, getLogger
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from modelsmith.errors import HubError
from modelsmith.fields import shown
from modelsmith.hub.failures import hub_errors
from modelsmith.hub.reference import is_safe_path
from modelsmith.hub.settings import HubSettings
from modelsmith.hub.snapshot import HubFile, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huggingface_hub import HfApi

MAX_FILES = 100_000
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Hub:
    """One Hub (the public one, or the mirror that HF_ENDPOINT names), asked as the user that its token belongs to."""

    def __init__(self, settings: HubSettings | None = None) -> None:
        self.settings = settings or HubSettings.read()

    @property
    def api(self) -> HfApi:
        """The client of ``huggingface_hub``."""
        from huggingface_hub import HfApi
        from huggingface_hub.utils.tqdm import disable_progress_bars

        getLogger("huggingface_hub").setLevel(ERROR)  # what it has to say is said here
        disable_progress_bars()
        return HfApi(endpoint=self.settings.endpoint, token=self.settings.token or False, library_name="modelsmith")

    def snapshot(self, repo: str, revision: str = "") -> Snapshot:
        """Return what a repository holds at a revision (its main branch where none is named).

        Offline that is what was downloaded before. Raises HubError.
        """
        if self.settings.offline:
            return self._downloaded(repo, revision)
        with hub_errors(self.settings, repo, revision or "main"):
            info = self.api.model_info(repo, revision=revision or "main", files_metadata=True, timeout=30)
            card = dict(vars(info.card_data)) if info.card_data is not None else {}
            commit = str(info.sha)
            if not _COMMIT.fullmatch(commit):
                raise ValueError(f"{commit[:80]!r} is no commit")
            return Snapshot(repo, revision, commit, dict(_files(repo, info.siblings or ())), card)

    def url(self, snapshot: Snapshot, file: HubFile) -> str:
        """Return the address of a file's bytes."""
        return f"{self.settings.endpoint}/{snapshot.repo}/resolve/{snapshot.commit}/{quote(file.path)}"

    def cached(self, snapshot: Snapshot, file: HubFile) -> Path | None:
        """Return the file in the Hub's cache, None where it is not there, or not as large as it should be."""
        path = self.folder(snapshot.repo) / "snapshots" / snapshot.commit / file.path
        try:
            return path if path.is_file() and path.stat().st_size == file.size else None
        except OSError:
            return None

    def folder(self, repo: str) -> Path:
        """Return where the cache keeps a repository."""
        return self.settings.cache / f"models--{repo.replace('/', '--')}"

    def _downloaded(self, repo: str, revision: str) -> Snapshot:
        """Return a snapshot by the cache alone: ``refs`` for the commit, ``snapshots`` for the files."""
        folder, name = self.folder(repo), revision or "main"
        reference = folder / "refs" / name
        commit = reference.read_text().strip() if reference.is_file() else name
        files = folder / "snapshots" / commit
        if not files.is_dir():
            raise HubError(
                f"{repo} at {name} was not downloaded, and HF_HUB_OFFLINE is set",
                hint="unset HF_HUB_OFFLINE, or copy the cache of a machine that has it",
            )
        found = {
            file.path: file
            for path in sorted(files.rglob("*"))
            if path.is_file()
            for file in (_cached_file(path, path.relative_to(files).as_posix()),)
        }
        return Snapshot(repo, revision, commit, found, {}, offline=True)


def _files(repo: str, siblings: Any) -> Iterator[tuple[str, HubFile]]:
    for number, sibling in enumerate(siblings):
        if number >= MAX_FILES:
            raise HubError(f"{repo} has more than {MAX_FILES:,} files")
        path, size = sibling.rfilename, sibling.size
        if not isinstance(path, str):
            raise TypeError(f"the name of file {number + 1} is {shown(path)}, not a text")
        if not is_safe_path(path):
            continue  # a file that could not be put anywhere is none that could be meant
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise ValueError(f"the size of {path[:80]} is {shown(size)}, not a number of bytes")
        sha256, blob = str(sibling.lfs.sha256) if sibling.lfs is not None else "", str(sibling.blob_id or "")
        yield path, HubFile(path, size, _if(_SHA256, sha256), _if(_COMMIT, blob))


def _if(pattern: re.Pattern[str], text: str) -> str:
    return text if pattern.fullmatch(text) else ""


def _cached_file(path: Path, name: str) -> HubFile:
    key = path.resolve().name
    return HubFile(name, path.stat().st_size, _if(_SHA256, key), _if(_COMMIT, key))
