"""What long work reports while it runs."""

from __future__ import annotations

from collections.abc import Callable

from modelsmith.records import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of long work: ``status`` says what is done; ``completed`` of ``total`` bytes of ``digest``, if it has any."""

    status: str
    digest: str = ""
    completed: int = 0
    total: int = 0


ProgressSink = Callable[[Progress], None]


def silent(_progress: Progress) -> None:
    """Ignore progress."""
