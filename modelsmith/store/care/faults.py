"""What can be wrong with a store, one kind a row."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.manifest import Layer
    from modelsmith.name import ModelName


class FaultKind(Enum):
    """A kind of fault: its name, how bad it is, and whether ``fsck --repair`` can mend it."""

    MISSING = ("missing", Severity.ERROR)
    TRUNCATED = ("truncated", Severity.ERROR)
    WRONG_DIGEST = ("wrong-digest", Severity.ERROR)
    BAD_MANIFEST = ("bad-manifest", Severity.ERROR)
    UNREADABLE = ("unreadable", Severity.ERROR)
    PERMISSIONS = ("permissions", Severity.WARNING)
    ORPHAN = ("orphan", Severity.INFO)
    UNREFERENCED = ("unreferenced", Severity.INFO)
    PARTIAL = ("partial", Severity.INFO)
    FOREIGN = ("foreign", Severity.INFO)
    NEWER = ("newer", Severity.INFO)

    @property
    def word(self) -> str:
        """The name in reports."""
        return self.value[0]

    @property
    def severity(self) -> Severity:
        """ERROR: a model does not work. WARNING: somebody's may not. INFO: takes room, or is only worth knowing."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where, what, the way out, whom it concerns.

    ``size`` is what it takes on the disk or what is missing, in bytes; ``layer`` is the blob as a manifest describes it.
    """

    kind: FaultKind
    path: Path
    message: str
    hint: str
    models: tuple[ModelName, ...] = ()
    size: int = 0
    layer: Layer | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, and how much was looked at: models, blobs, their bytes, and how many bytes were hashed."""

    faults: tuple[Fault, ...]
    models: int
    blobs: int
    size: int
    hashed: int

    @property
    def is_sound(self) -> bool:
        """Whether nothing is worse than an info."""
        return all(fault.kind.severity is Severity.INFO for fault in self.faults)
