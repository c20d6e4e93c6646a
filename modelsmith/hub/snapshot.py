"""What a repository of the Hub holds at one commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file: ``size`` in bytes; ``sha256`` of its bytes where they are stored apart (LFS, Xet), else git's id ``blob``."""

    path: str
    size: int
    sha256: str = ""
    blob: str = ""

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The path of the folder that it is in, with a slash at its end; empty at the top."""
        return self.path[: len(self.path) - len(self.name)]

    @property
    def key(self) -> str:
        """The name under which the Hub's cache keeps its bytes."""
        return self.sha256 or self.blob


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A repository at a ``commit``; ``card`` is what the head of its README says."""

    repo: str
    revision: str
    commit: str
    files: Mapping[str, HubFile]
    card: Mapping[str, object]
    offline: bool = False

    @property
    def ggufs(self) -> tuple[HubFile, ...]:
        """The GGUF files, by path."""
        return tuple(file for path, file in sorted(self.files.items()) if path.lower().endswith(".gguf"))
